/* Self-test of the STM32F407's devices: each function checks one of them (see report.h). */
#ifndef TESTS_PERIPH_PERIPH_H
#define TESTS_PERIPH_PERIPH_H

void test_timers(void);
void test_exti(void);
void test_dma(void);
void test_gpio(void);
void test_watchdog(void);

/*
 * Echoes a line that the host sends, if the host asked for it before the program started by writing
 * USART_ECHO_WANTED to usart_echo_mailbox.
 */
void test_usart_echo(void);

/* Keeps the watchdog that test_watchdog() started from resetting the board. */
void watchdog_refresh(void);

#endif
