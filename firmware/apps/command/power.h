/*
 * Sleep, Stop mode, and how long each lasted.
 *
 * In Stop mode the clocks stand. The USART of the F407 cannot wake the core: EXTI does, by the
 * first edge on RX (PA3), and that byte is lost; the RTC does once a second. The PLL then takes 2.2
 * ms.
 */
#ifndef APP_POWER_H
#define APP_POWER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t run_ms;
    uint32_t sleep_ms;
    uint32_t stop_ms;
} power_times;

/* After rtc_start(). */
void power_start(void);

/* Milliseconds since power_start(), Stop mode included. */
uint32_t uptime_ms(void);

/*
 * Begins to watch for an edge on RX; true once a whole byte's time has passed since: a byte that
 * came between the last look at the line and Stop mode would be lost and wake nobody.
 */
bool power_may_stop(uint32_t now_ms);

/*
 * Sleeps until an interrupt, or in Stop mode until the line or the RTC; interrupts are disabled
 * by the caller, who has found nothing to do, and stay so. 0 or a clock_error: on error the core
 * runs at HSI.
 */
int power_sleep(void);
int power_stop(void);

/* Whether the line has ended a Stop mode since it was last asked for. */
bool power_take_line_wake(void);

void power_take_times(power_times *times);

#endif
