/*
 * Frames from USART2: bytes come by DMA1 stream 5 into a ring, a pause on the line (IDLE) wakes the
 * core, and a zero ends a frame. Empty frames, such as the bytes that wake the device, are nothing.
 */
#ifndef APP_LINK_H
#define APP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "apps/command/packet.h"

typedef struct {
    uint8_t bytes[PACKET_MOST_FRAME];
    uint32_t size_bytes; /* more than PACKET_MOST_FRAME: the frame was too long and is not here */
} link_frame;

/* After usart_init(). 0 or a dma_error. */
int link_start(void);

/* The next whole frame, if there is one. */
bool link_take(link_frame *frame);

/* Whether bytes wait that link_take() has not seen. */
bool link_has_bytes(void);

/* Whether a frame has begun and not ended. */
bool link_in_frame(void);

/* The receiver does not listen while the clock is not what its baud rate was computed for. */
void link_pause(void);
void link_resume(void);

#endif
