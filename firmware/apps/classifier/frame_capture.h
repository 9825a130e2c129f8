/*
 * Stage 1: one frame, from the camera (frame_capture.c) or, on a board without one, from memory
 * (frame_capture_mailbox.c); the linker chooses.
 *
 * A frame is the middle 112x112 of the sensor's 160x120, pixels [112,112] as Y U Y V bytes.
 */
#ifndef APP_FRAME_CAPTURE_H
#define APP_FRAME_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "drivers/dcmi.h"
#include "drivers/ov7670.h"
#include "nn/nn.h"

#define FRAME_WIDTH      112u
#define FRAME_HEIGHT     112u
#define FRAME_FIRST_X    24u
#define FRAME_FIRST_Y    4u
#define FRAME_SIZE_BYTES (FRAME_WIDTH * FRAME_HEIGHT * OV7670_BYTES_PER_PIXEL)
#define FRAME_SIZE_WORDS (FRAME_SIZE_BYTES / sizeof(uint32_t))

#define FRAME_CAPTURE_LIMIT_MS 500u

enum frame_capture_error {
    FRAME_CAPTURE_ERROR_TIMEOUT = -1, /* no frame within FRAME_CAPTURE_LIMIT_MS */
    FRAME_CAPTURE_ERROR_OVERRUN = -2, /* words were lost between sensor and memory */
    FRAME_CAPTURE_ERROR_DMA = -3,     /* the transfer failed */
    FRAME_CAPTURE_ERROR_SHORT = -4,   /* the sensor ended the frame early */
    FRAME_CAPTURE_ERROR_FORMAT = -5,  /* what came is no frame (app/frame_mailbox.h) */
    FRAME_CAPTURE_ERROR_TIMING = -6,  /* a line is missing or the sensor's rate has changed */
};

/* Caller-owned; large, so static. Start it zeroed. */
typedef struct {
    uint32_t pixels[FRAME_SIZE_WORDS] __attribute__((aligned(DCMI_DESTINATION_ALIGNMENT)));
    uint32_t frames; /* captured so far */
    uint32_t armed_ticks;
    uint32_t armed_cycles;
    uint32_t good_cycles; /* what the last good frame took from VSYNC to its end; 0: none yet */
    uint32_t last_cycles; /* the same of the last one, good or bad */
} frame_capture;

typedef struct {
    const uint32_t *pixels; /* [112,112] in Y U Y V; valid until the next frame_capture_start() */
    bool is_tensor;         /* what stands there is the network's input (frame_mailbox.h) */
    uint32_t number;        /* successful captures before this one */
    uint32_t armed_cycles;
    uint32_t complete_cycles; /* stamped in the interrupt */
    nn_observer observer;     /* who wants to see the layers; NULL from the camera */
} captured_frame;

/* Sets up the camera interface; the sensor is ov7670.h's business. */
void frame_capture_init(void);

/*
 * Arms the capture of the next whole frame, which then comes by DMA while the caller does other
 * things. What goes wrong is told by frame_capture_wait().
 */
void frame_capture_start(frame_capture *capture);

/* Waits asleep for the frame. 0, or an error: then there is no frame, and nothing is armed. */
int frame_capture_wait(frame_capture *capture, captured_frame *taken);

/* The word for an error on the console. */
const char *frame_capture_error_name(int error);

#endif
