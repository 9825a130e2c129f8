/* Time in core clock cycles from the DWT counter (DDI0403, C1.8). Wraps every 25 s at 168 MHz. */
#ifndef DRIVERS_CYCLES_H
#define DRIVERS_CYCLES_H

#include <stdint.h>

#include "drivers/clock.h"
#include "drivers/cortex_m4_regs.h"

#define CYCLES_PER_US (CLOCK_HCLK_HZ / 1000000u)

static inline void cycles_start(void) {
    CORE_DEBUG_DEMCR |= CORE_DEBUG_DEMCR_TRCENA;
    DWT->CYCCNT = 0;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;
}

static inline uint32_t cycles_now(void) {
    return DWT->CYCCNT;
}

/* Differences stay right across one wrap because both stamps are unsigned. */
static inline uint32_t cycles_to_us(uint32_t cycles) {
    return cycles / CYCLES_PER_US;
}

#endif
