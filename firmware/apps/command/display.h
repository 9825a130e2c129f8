/*
 * An SSD1306 of 128x64 on I2C1, address 0x3C. A picture goes by DMA1 stream 7 into a window of
 * 32x32 in the middle: 141 bytes, 3.2 ms at 400 kHz.
 */
#ifndef APP_DISPLAY_H
#define APP_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum display_error {
    DISPLAY_ERROR_I2C = -1, /* the display does not answer */
    DISPLAY_ERROR_DMA = -2,
};

/* Sets the display up and clears it. 0 or a display_error: the device then works without. */
int display_start(void);

/*
 * Shows a picture of side x side (16 or 32), or an empty window (side 0). While one is on its way
 * the next waits; a third replaces the second.
 */
void display_show(const uint8_t *pixels, uint32_t side);

/* Sends what waits. To be called whenever the core is awake. */
void display_continue(void);

/* Whether a picture is on its way or waits. */
bool display_busy(void);

#endif
