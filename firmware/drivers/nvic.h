/* Interrupt enable and priority of a device (PM0214, 4.3). */
#ifndef DRIVERS_NVIC_H
#define DRIVERS_NVIC_H

#include "drivers/cortex_m4_regs.h"
#include "drivers/stm32f407_irq.h"

/* Lower values preempt higher ones; only the bits in NVIC_PRIORITY_MASK exist. */
enum {
    NVIC_PRIORITY_CAPTURE = 0x40,
    NVIC_PRIORITY_CONSOLE = 0x80,
    NVIC_PRIORITY_TICK = 0xC0,
};

static inline uint32_t nvic_bit(stm32f407_irq irq) {
    return 1u << ((uint32_t)irq % 32u);
}

static inline void nvic_enable(stm32f407_irq irq, uint8_t priority) {
    NVIC->IPR[irq] = priority;
    NVIC->ISER[irq / 32u] = nvic_bit(irq);
}

static inline void nvic_disable(stm32f407_irq irq) {
    NVIC->ICER[irq / 32u] = nvic_bit(irq);
}

static inline void nvic_pend(stm32f407_irq irq) {
    NVIC->ISPR[irq / 32u] = nvic_bit(irq);
}

#endif
