/* Stage 1 without a camera: frames come through the mailbox of app/frame_mailbox.h. */
#include "apps/classifier/frame_capture.h"

#include <stddef.h>

#include "apps/classifier/frame_mailbox.h"
#include "apps/classifier/layer_print.h"
#include "apps/classifier/preprocess.h"
#include "drivers/cycles.h"
#include "drivers/tick.h"

#define SCALE (FRAME_WIDTH / FRAME_MAILBOX_SIDE)

/* A pixel pair in Y U Y V: the same luma twice, chroma in the middle of its range. */
#define GREY_PAIR(y) (0x80008000u | (uint32_t)(y) << 16 | (y))

_Static_assert(FRAME_MAILBOX_SIDE *SCALE == FRAME_WIDTH && SCALE % 2u == 0,
               "whole pixel pairs of each luma");

volatile frame_mailbox_data frame_mailbox;

/* What was asked for with the frame that was taken; the host may be writing the next one. */
static struct {
    uint32_t flags;
    uint32_t dump_layer;
} asked;

void frame_capture_init(void) {
    frame_mailbox.state = FRAME_MAILBOX_BUSY;
    frame_mailbox.tensor_bytes = PREPROCESS_BYTES <= FRAME_SIZE_BYTES ? PREPROCESS_BYTES : 0u;
    frame_mailbox.magic = FRAME_MAILBOX_MAGIC;
}

void frame_capture_start(frame_capture *capture) {
    capture->armed_ticks = tick_count();
    capture->armed_cycles = cycles_now();
    frame_mailbox.window = (uint32_t)capture->pixels;
    frame_mailbox.state = FRAME_MAILBOX_EMPTY;
}

static void enlarge_line(uint32_t *pixels, const volatile uint8_t *luma) {
    for (uint32_t x = 0; x < FRAME_WIDTH / 2u; x++) {
        pixels[x] = GREY_PAIR(luma[2u * x / SCALE]);
    }
}

static void enlarge(uint32_t *pixels) {
    for (uint32_t y = 0; y < FRAME_HEIGHT; y++) {
        enlarge_line(&pixels[y * (FRAME_WIDTH / 2u)],
                     &frame_mailbox.luma[y / SCALE * FRAME_MAILBOX_SIDE]);
    }
}

static void observe(void *context, uint32_t layer, const int8_t *output, uint32_t size_bytes) {
    if (asked.flags & FRAME_MAILBOX_PRINT_LAYERS) {
        layer_print(context, layer, output, size_bytes);
    }
    if ((asked.flags & FRAME_MAILBOX_DUMP_LAYER) && layer == asked.dump_layer) {
        layer_dump(layer, output, size_bytes);
    }
}

/* Not asleep: a host that writes memory sends no interrupt. */
static int wait_for_frame(const frame_capture *capture) {
    while (frame_mailbox.state != FRAME_MAILBOX_FULL) {
        if (tick_count() - capture->armed_ticks > FRAME_CAPTURE_LIMIT_MS / TICK_MS) {
            return FRAME_CAPTURE_ERROR_TIMEOUT;
        }
    }
    return 0;
}

static int take_pixels(uint32_t *pixels) {
    const uint32_t format = frame_mailbox.format;
    if (format == FRAME_MAILBOX_TENSOR) { /* the host wrote it where it belongs, as it does YUYV */
        return frame_mailbox.tensor_bytes > 0u ? 0 : FRAME_CAPTURE_ERROR_FORMAT;
    }
    if (!MODEL_INPUT_IS_PICTURE) {
        return FRAME_CAPTURE_ERROR_FORMAT;
    }
    if (format == FRAME_MAILBOX_LUMA) {
        enlarge(pixels);
        return 0;
    }
    return format == FRAME_MAILBOX_YUYV ? 0 : FRAME_CAPTURE_ERROR_FORMAT;
}

int frame_capture_wait(frame_capture *capture, captured_frame *taken) {
    int err = wait_for_frame(capture);
    frame_mailbox.state = FRAME_MAILBOX_BUSY;
    if (err) {
        return err;
    }
    asked.flags = frame_mailbox.flags;
    asked.dump_layer = frame_mailbox.dump_layer;
    frame_mailbox.taken = frame_mailbox.sequence;
    uint32_t complete_cycles = cycles_now();
    err = take_pixels(capture->pixels);
    if (err) {
        return err;
    }
    *taken = (captured_frame){
        .pixels = capture->pixels,
        .is_tensor = frame_mailbox.format == FRAME_MAILBOX_TENSOR,
        .number = capture->frames++,
        .armed_cycles = capture->armed_cycles,
        .complete_cycles = complete_cycles,
        .observer = asked.flags ? observe : NULL,
    };
    return 0;
}

const char *frame_capture_error_name(int error) {
    return error == FRAME_CAPTURE_ERROR_TIMEOUT ? "timeout" : "format";
}
