/*
 * DCMI: one cropped frame at a time from an eight-bit parallel sensor into memory.
 *
 * A snapshot ends by interrupt, when both the last line of the window has passed and the DMA has
 * put its last word in memory. Anything else (overrun, DMA error, a frame that ends early) is an
 * error, and what is in memory is then not a frame.
 *
 * Pins: D0-D3 PC6-PC9, D4 PC11, D5 PB6, D6 PE5, D7 PE6, HSYNC PA4, PIXCLK PA6, VSYNC PB7, and
 * XCLK for the sensor on PA8.
 */
#ifndef DRIVERS_DCMI_H
#define DRIVERS_DCMI_H

#include <stdint.h>

enum dcmi_state {
    DCMI_IDLE = 0, /* nothing was started since power-on or the last dcmi_stop() */
    DCMI_BUSY = 1,
    DCMI_DONE = 2,           /* a whole frame is in memory */
    DCMI_ERROR_OVERRUN = -1, /* the DMA did not keep up with the sensor */
    DCMI_ERROR_DMA = -2,     /* transfer or FIFO error, or the stream would not start */
    DCMI_ERROR_SHORT = -3,   /* the frame ended before the window was full */
};

/* What to keep of a frame. Horizontal figures are pixel clocks: one a byte. */
typedef struct {
    uint16_t first_clock;
    uint16_t first_line;
    uint16_t clocks;
    uint16_t lines;
} dcmi_window;

/* Clocks and configures pins, DCMI and DMA2 stream 1. */
void dcmi_init(const dcmi_window *window);

/* The DMA writes bursts of 16 bytes, and a burst must not cross 1 KiB (RM0090, 10.3.11). */
#define DCMI_DESTINATION_ALIGNMENT 16

/*
 * Arms a snapshot of the next whole frame. destination is aligned as above; words must be the size
 * of the window. 0 or a dcmi_state below it.
 */
int dcmi_start(uint32_t *destination, uint32_t words);

/* The dcmi_state of the snapshot last started. */
int dcmi_poll(void);

/* Gives up the snapshot, so that another can be started. Needed after every error. */
void dcmi_stop(void);

/* When the snapshot ended, in cycles (cycles.h), stamped in the interrupt. */
uint32_t dcmi_end_cycles(void);

/* From the frame's VSYNC to its end in the window: every frame has the same. 0 where none came. */
uint32_t dcmi_frame_cycles(void);

#endif
