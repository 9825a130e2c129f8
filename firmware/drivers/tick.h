/*
 * Coarse time from SysTick, for limits on waits and for delays.
 *
 * A tick is 10 ms rather than 1 ms: nothing here needs finer limits, and a sleeping firmware is
 * woken ten times less often. A program that needs finer ones is compiled with its own TICK_MS.
 */
#ifndef DRIVERS_TICK_H
#define DRIVERS_TICK_H

#include <stdint.h>

#ifndef TICK_MS
#define TICK_MS 10u
#endif

/* Starts ticks from a core clock of hclk_hz (at most 1.6 GHz: SysTick counts 24 bits). */
void tick_start(uint32_t hclk_hz);

/* Ticks since tick_start(). */
uint32_t tick_count(void);

/* Sleeps for at least duration_ms. */
void tick_delay(uint32_t duration_ms);

#endif
