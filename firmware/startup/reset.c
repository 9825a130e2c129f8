/* From the reset vector to main(). */
#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"

/* The linker script's. Only their addresses mean something. */
extern const uint32_t __vectors[];
extern const uint32_t __data_load[];
extern uint32_t __data_start[], __data_end[];
extern uint32_t __bss_start[], __bss_end[];

int main(void);
void Reset_Handler(void);

static void copy_initialised_data(void) {
    const uint32_t *from = __data_load;
    for (uint32_t *to = __data_start; to < __data_end; to++) {
        *to = *from++;
    }
}

static void clear_zeroed_data(void) {
    for (uint32_t *to = __bss_start; to < __bss_end; to++) {
        *to = 0;
    }
}

void Reset_Handler(void) {
    /* First of all: with -mfloat-abi=hard the compiler may use the FPU anywhere below. */
    SCB->CPACR |= SCB_CPACR_CP10_CP11_FULL;
    cpu_synchronise();
    SCB->VTOR = (uint32_t)__vectors;

    copy_initialised_data();
    clear_zeroed_data();
    main();
    cpu_stop();
}
