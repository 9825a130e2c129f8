/* The vector table. Every handler is weak: a program overrides those it has a use for. */
#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/stm32f407_irq.h"
#include "startup/fault.h"

typedef void (*vector)(void);

/* The linker script's: the initial stack pointer is its address. */
extern uint32_t __stack_top[];

extern const vector __vectors[];
void Reset_Handler(void);
void HardFault_Handler(void);
void Default_Handler(void);

void Default_Handler(void) {
    fault_unexpected(cpu_active_exception());
}

#define WEAK_HANDLER(name)     __attribute__((weak, alias("Default_Handler"))) void name(void);
#define WEAK_IRQ_HANDLER(name) WEAK_HANDLER(name##Handler)

WEAK_HANDLER(NMI_Handler)
WEAK_HANDLER(MemManage_Handler)
WEAK_HANDLER(BusFault_Handler)
WEAK_HANDLER(UsageFault_Handler)
WEAK_HANDLER(SVC_Handler)
WEAK_HANDLER(DebugMon_Handler)
WEAK_HANDLER(PendSV_Handler)
WEAK_HANDLER(SysTick_Handler)
STM32F407_IRQ_LIST(WEAK_IRQ_HANDLER)

#define IRQ_VECTOR(name) name##Handler,

__attribute__((section(".vectors"), used))
const vector __vectors[] = {(vector)__stack_top,
                            Reset_Handler,
                            NMI_Handler,
                            HardFault_Handler,
                            MemManage_Handler,
                            BusFault_Handler,
                            UsageFault_Handler,
                            0,
                            0,
                            0,
                            0,
                            SVC_Handler,
                            DebugMon_Handler,
                            0,
                            PendSV_Handler,
                            SysTick_Handler,
                            STM32F407_IRQ_LIST(IRQ_VECTOR)};

_Static_assert(sizeof __vectors == (16 + STM32F407_IRQ_COUNT) * sizeof(vector), "table is whole");
