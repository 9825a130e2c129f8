/* Ways to fault, one each by the macro FAULT; bare Cortex-M4. */
#include <stdint.h>

extern void reset(void);

enum mode { IDLE = 3, BUSY = 7 };
struct job {
    void (*run)(int);
    int16_t argument;
    char name[8];
};

__attribute__((naked, noinline)) void Default_Handler(void)
{
    __asm__("b .");
}

__attribute__((section(".isr_vector"), used))
const uint32_t vectors[16] = {
    0x20020000, (uint32_t)reset, (uint32_t)Default_Handler, (uint32_t)Default_Handler,
    (uint32_t)Default_Handler, (uint32_t)Default_Handler, (uint32_t)Default_Handler,
};

uint32_t table[4];

__attribute__((noinline)) static void dispatch(const struct job *job)
{
    job->run(job->argument);
    __asm__ volatile("");
}

/* The value goes far behind the table, and past the end of SRAM. */
__attribute__((noinline)) static void store(uint32_t *at, int index, int8_t value, enum mode mode)
{
    volatile uint16_t pair[2] = {11, 12};
    at[index] = (uint32_t)value + pair[0] + mode;
}

__attribute__((noinline)) static uint32_t divide(uint32_t by)
{
    uint32_t result;
    __asm__ volatile("udiv %0, %1, %2" : "=r"(result) : "r"(100), "r"(by));
    return result;
}

__attribute__((noinline)) void work(void)
{
    struct job nobody = {0, -5, "lens"};
    __asm__ volatile("" ::"r"(&nobody) : "memory");
    switch (FAULT) {
    case 0: dispatch(&nobody); break;
    case 1: store(table, 0x10000, -2, BUSY); break;
    case 2: *(volatile uint32_t *)0xE000ED14 |= 0x10; table[0] = divide(0); break; /* DIV_0_TRP */
    default: __asm__ volatile("udf #7");
    }
    __asm__ volatile("" ::"r"(&nobody) : "memory");
}

void reset(void)
{
    work();
    for (;;) {
    }
}
