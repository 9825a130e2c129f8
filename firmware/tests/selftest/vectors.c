#include "tests/selftest/vectors.h"

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/stm32f407_irq.h"
#include "tests/support/report.h"

#define VECTOR_COUNT (EXCEPTION_IRQ0 + STM32F407_IRQ_COUNT)

extern const vector __vectors[];

/* VTOR takes multiples of the table's size rounded up to a power of two (PM0214, 4.4.4). */
static vector table[VECTOR_COUNT] __attribute__((aligned(512)));

void vectors_relocate(void) {
    for (uint32_t i = 0; i < VECTOR_COUNT; i++) {
        table[i] = __vectors[i];
    }
    SCB->VTOR = (uint32_t)table;
    cpu_synchronise();
    report_check("vtor_reads_back", SCB->VTOR == (uint32_t)table, SCB->VTOR);
}

void vectors_install(uint32_t exception, vector handler) {
    table[exception] = handler;
    cpu_synchronise();
}

vector vectors_installed(uint32_t exception) {
    return table[exception];
}
