/*
 * Lines on USART2, 115200 8N1. The first two characters name the kind of a line:
 *
 *   m-  message     r-  result     e-  error     l-  layer     d-  data     t-  test
 *
 * One line is on its way at a time. It is sent by DMA, so the caller goes on at once; only the next
 * line waits (asleep, and never longer than a line can take). Where there is no DMA
 * (console_polled.c) the caller waits for its own line.
 */
#ifndef APP_CONSOLE_H
#define APP_CONSOLE_H

#include <stdint.h>

#include "apps/common/print.h"

void console_start(uint32_t apb1_hz);

/* An empty line to print into, once the previous one has gone out. */
print_line *console_begin(void);

/* Ends the line with a newline and sends it. */
void console_end(print_line *line);

/* e- <module> <what> code=<code> */
void console_error(const char *module, const char *what, int code);

/* Waits until the last line has gone out. */
void console_flush(void);

#endif
