#include "apps/classifier/frame_capture.h"

#include <stdbool.h>

#include "apps/classifier/fault_injection.h"
#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "drivers/tick.h"

void frame_capture_init(void) {
    const dcmi_window window = {
        .first_clock = FRAME_FIRST_X * OV7670_BYTES_PER_PIXEL + fault_injection_window_shift(),
        .first_line = FRAME_FIRST_Y,
        .clocks = FRAME_WIDTH * OV7670_BYTES_PER_PIXEL,
        .lines = FRAME_HEIGHT,
    };
    dcmi_init(&window);
}

void frame_capture_start(frame_capture *capture) {
    capture->armed_ticks = tick_count();
    capture->armed_cycles = cycles_now();
    (void)dcmi_start(capture->pixels, FRAME_SIZE_WORDS); /* dcmi_poll() keeps its error */
}

/* Sleeps until the snapshot ends or its time is up, and returns how it stands. */
static int wait_for_end(const frame_capture *capture) {
    while (dcmi_poll() == DCMI_BUSY &&
           tick_count() - capture->armed_ticks <= FRAME_CAPTURE_LIMIT_MS / TICK_MS) {
        /* Checked again with interrupts off: an end between check and sleep must not be slept on.
         */
        cpu_disable_interrupts();
        if (dcmi_poll() == DCMI_BUSY) {
            cpu_wait_for_interrupt();
        }
        cpu_enable_interrupts();
    }
    return dcmi_poll();
}

static int error_of(int state) {
    switch (state) {
    case DCMI_DONE:
        return 0;
    case DCMI_BUSY:
        return FRAME_CAPTURE_ERROR_TIMEOUT;
    case DCMI_ERROR_OVERRUN:
        return FRAME_CAPTURE_ERROR_OVERRUN;
    case DCMI_ERROR_SHORT:
        return FRAME_CAPTURE_ERROR_SHORT;
    default: /* also DCMI_IDLE: where nothing was started there is no frame */
        return FRAME_CAPTURE_ERROR_DMA;
    }
}

/* Within a 256th, which is half a line: clocks drift, a missing line is a whole one. */
static bool about_as_long(uint32_t cycles, uint32_t other) {
    uint32_t apart = cycles > other ? cycles - other : other - cycles;
    return apart <= other / 256u;
}

/*
 * The DCMI counts what it was told to crop, and is content when a line was lost before or within
 * it: the window then ends a line later. A frame is good when it takes as long as the last good
 * one, or as the one before, good or bad: a sensor may have been given another rate.
 */
static bool takes_its_time(frame_capture *capture) {
    uint32_t cycles = dcmi_frame_cycles();
    if (cycles == 0) { /* armed within VSYNC: nobody saw it begin */
        return true;
    }
    uint32_t before = capture->last_cycles;
    bool good = capture->good_cycles == 0 || about_as_long(cycles, capture->good_cycles) ||
                about_as_long(cycles, before);
    capture->last_cycles = cycles;
    if (good) {
        capture->good_cycles = cycles;
    }
    return good;
}

int frame_capture_wait(frame_capture *capture, captured_frame *taken) {
    int err = error_of(wait_for_end(capture));
    if (!err && !takes_its_time(capture)) {
        err = FRAME_CAPTURE_ERROR_TIMING;
    }
    if (err) {
        dcmi_stop();
        return err;
    }
    *taken = (captured_frame){
        .pixels = capture->pixels,
        .number = capture->frames++,
        .armed_cycles = capture->armed_cycles,
        .complete_cycles = dcmi_end_cycles(),
    };
    return 0;
}

const char *frame_capture_error_name(int error) {
    switch (error) {
    case FRAME_CAPTURE_ERROR_TIMEOUT:
        return "timeout";
    case FRAME_CAPTURE_ERROR_OVERRUN:
        return "overrun";
    case FRAME_CAPTURE_ERROR_SHORT:
        return "short";
    case FRAME_CAPTURE_ERROR_TIMING:
        return "timing";
    default:
        return "dma";
    }
}
