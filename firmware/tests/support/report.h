/*
 * Results of a test program on USART2, sent without interrupts or DMA so that a broken one can
 * still be told:
 *
 *   t- <name> pass|fail <value in hex>
 *   t- done pass=<n> fail=<n>
 *
 * The value is whatever helps to see why: usually what was found.
 */
#ifndef TESTS_SUPPORT_REPORT_H
#define TESTS_SUPPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* Starts clock and USART. Without a crystal or PLL (some emulators) goes on at HSI. */
void report_start(void);

/* The core clock that report_start() reached. */
uint32_t report_hclk_hz(void);

void report_check(const char *name, bool passed, uint32_t value);

/* m- <text> */
void report_message(const char *text);

void report_done(void);

#endif
