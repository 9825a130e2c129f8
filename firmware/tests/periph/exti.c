/* EXTI: lines raised by software, one for each way a line reaches the NVIC. */
#include "tests/periph/periph.h"

#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/nvic.h"
#include "drivers/stm32f407_regs.h"
#include "tests/support/report.h"

#define EXTI_PRIORITY 0x40u

static volatile uint32_t raised; /* the lines whose handlers ran */
static volatile uint32_t runs;

static void on_line(void) {
    uint32_t pending = EXTI->PR & EXTI->IMR;
    EXTI->PR = pending; /* a bit is cleared by writing 1; SWIER follows */
    raised |= pending;
    runs++;
}

void EXTI0_IRQHandler(void) {
    on_line();
}

void EXTI9_5_IRQHandler(void) {
    on_line();
}

void EXTI15_10_IRQHandler(void) {
    on_line();
}

static void check_line(const char *name, uint32_t line, stm32f407_irq irq) {
    uint32_t bit = 1u << line;
    raised = 0;
    runs = 0;
    EXTI->IMR |= bit;
    nvic_enable(irq, EXTI_PRIORITY);
    EXTI->SWIER = bit;
    cpu_synchronise();
    (void)EXTI->PR; /* the write has reached the device once a read comes back */
    cpu_synchronise();
    report_check(name, raised == bit && runs == 1 && EXTI->PR == 0 && (EXTI->SWIER & bit) == 0,
                 raised);
    nvic_disable(irq);
    EXTI->IMR &= ~bit;
}

/* A masked line is noted as pending but interrupts nobody. */
static void check_masked(void) {
    runs = 0;
    nvic_enable(EXTI0_IRQn, EXTI_PRIORITY);
    EXTI->SWIER = 1u;
    cpu_synchronise();
    report_check("exti_masked", runs == 0, runs);
    EXTI->PR = 1u;
    nvic_disable(EXTI0_IRQn);
}

void test_exti(void) {
    check_line("exti0", 0, EXTI0_IRQn);
    check_line("exti5", 5, EXTI9_5_IRQn);
    check_line("exti10", 10, EXTI15_10_IRQn);
    check_masked();
}
