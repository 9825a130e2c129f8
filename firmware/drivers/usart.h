/*
 * USART2 at 8N1: TX on PA2, RX on PA3.
 *
 * Normal output goes by DMA1 stream 6 and costs one interrupt a line. usart_write_polled() is for
 * contexts where no interrupt can be counted on: a fault handler and the self-tests.
 */
#ifndef DRIVERS_USART_H
#define DRIVERS_USART_H

#include <stdbool.h>
#include <stdint.h>

#define USART_BAUD 115200u

enum usart_error {
    USART_ERROR_DMA = -1,     /* the transmit stream would not start */
    USART_ERROR_TIMEOUT = -2, /* the transmitter did not take a character */
};

/* Clocks and configures the device for a bus clock of apb1_hz. */
void usart_init(uint32_t apb1_hz);

/* Starts sending. The text must stay unchanged until usart_sending() is false. */
int usart_send(const char *text, uint32_t size_bytes);

/* True until the last character was handed to the transmitter. */
bool usart_sending(void);

/* True until the last bit has left the pin: the clock may not stop before. */
bool usart_busy(void);

/* Waits (bounded) for a transfer under way, then sends without interrupts or DMA. */
int usart_write_polled(const char *text, uint32_t size_bytes);

#endif
