/*
 * The RTC on the LSI (RM0090, chapter 26): a wake-up every second that also leaves Stop mode, and
 * milliseconds that go on while the core's clocks stand. The LSI has 17 to 47 kHz (DS8626): times
 * from here are coarse.
 */
#ifndef DRIVERS_RTC_H
#define DRIVERS_RTC_H

#include <stdint.h>

#define RTC_MINUTE_MS 60000u

enum rtc_error {
    RTC_ERROR_LSI = -1,  /* the oscillator did not start */
    RTC_ERROR_INIT = -2, /* the calendar would not stop to be set, or the timer to be changed */
};

/* 0 or an rtc_error. Afterwards RTC_WKUP_IRQ comes once a second. */
int rtc_start(void);

/* Milliseconds of the running minute, 0 to RTC_MINUTE_MS - 1. */
uint32_t rtc_ms(void);

/* To be called in RTC_WKUP_IRQHandler. */
void rtc_acknowledge(void);

#endif
