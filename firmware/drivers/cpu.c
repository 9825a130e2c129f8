#include "drivers/cpu.h"

#include "drivers/cortex_m4_regs.h"
#include "drivers/stm32f407_irq.h"

#define ALL_OF_A_REGISTER UINT32_MAX
#define IRQS_PER_REGISTER 32u

_Noreturn void cpu_stop(void) {
    cpu_disable_interrupts();
    SYSTICK->CSR = 0;
    SCB->ICSR = SCB_ICSR_PENDSTCLR | SCB_ICSR_PENDSVCLR;
    for (uint32_t i = 0; i <= STM32F407_IRQ_COUNT / IRQS_PER_REGISTER; i++) {
        NVIC->ICER[i] = ALL_OF_A_REGISTER;
    }
    for (;;) {
        cpu_wait_for_interrupt();
    }
}

_Noreturn void cpu_reset(void) {
    SCB->AIRCR = SCB_AIRCR_VECTKEY | SCB_AIRCR_SYSRESETREQ;
    cpu_synchronise();
    for (;;) {
    }
}
