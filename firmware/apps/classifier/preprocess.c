#include "apps/classifier/preprocess.h"

#include <string.h>

#if MODEL_INPUT_IS_PICTURE

#define PER_HEIGHT (FRAME_HEIGHT / MODEL_INPUT_HEIGHT)
#define PER_WIDTH  (FRAME_WIDTH / MODEL_INPUT_WIDTH)
#define BLOCK      (PER_HEIGHT < PER_WIDTH ? PER_HEIGHT : PER_WIDTH)
#define AREA       (BLOCK * BLOCK)
#define TOP        ((FRAME_HEIGHT - BLOCK * MODEL_INPUT_HEIGHT) / 2u)
/* Even, where a pair of pixels with one chroma begins. */
#define LEFT       ((FRAME_WIDTH - BLOCK * MODEL_INPUT_WIDTH) / 4u * 2u)

/* A little-endian word holds two pixels, V Y1 U Y0 from the top: this keeps both lumas. */
#define LUMA_LANES     0x00FF00FFu
#define WORDS_PER_LINE (FRAME_WIDTH * OV7670_BYTES_PER_PIXEL / sizeof(uint32_t))
/* Two pixels a word, and a lane of 16 bits has room for the lumas of 16x16. */
#define HAS_LANES      (MODEL_INPUT_CHANNELS == 1u && BLOCK % 2u == 0u && BLOCK <= 16u)

typedef struct {
    uint32_t y;
    uint32_t u;
    uint32_t v;
} sums;

static inline uint8_t mean(uint32_t sum) {
    return (uint8_t)((sum + AREA / 2u) / AREA);
}

/* Adds two lumas at once. words: of the block's first line. */
static inline uint8_t lane_mean(const uint32_t *words) {
    uint32_t lanes = 0;
#pragma GCC unroll 4
    for (uint32_t y = 0; y < BLOCK; y++) {
#pragma GCC unroll 2
        for (uint32_t x = 0; x + 1u < BLOCK; x += 2u) {
            lanes += words[x / 2u] & LUMA_LANES;
        }
        words += WORDS_PER_LINE;
    }
    return mean((lanes & 0xFFFFu) + (lanes >> 16));
}

/* A block whose first pixel stands in this line and column of the frame. */
static sums sum_block(const uint32_t *pixels, uint32_t line, uint32_t column) {
    sums all = {0u, 0u, 0u};
    for (uint32_t y = line; y < line + BLOCK; y++) {
        for (uint32_t x = column; x < column + BLOCK; x++) {
            const uint32_t pair = pixels[y * WORDS_PER_LINE + x / 2u];
            all.y += pair >> (x % 2u == 0u ? 0u : 16u) & 0xFFu;
            all.u += pair >> 8 & 0xFFu;
            all.v += pair >> 24;
        }
    }
    return all;
}

static inline uint8_t saturate(int32_t value) {
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void put_rgb(const sums *all, uint8_t *output) {
    const int32_t y = mean(all->y), u = mean(all->u) - 128, v = mean(all->v) - 128;
    output[0] = saturate(y + ((359 * v + 128) >> 8));
    output[1] = saturate(y - ((88 * u + 183 * v + 128) >> 8));
    output[2] = saturate(y + ((454 * u + 128) >> 8));
}

void preprocess_run(const uint32_t *pixels, uint8_t *output) {
    for (uint32_t y = 0; y < MODEL_INPUT_HEIGHT; y++) {
        for (uint32_t x = 0; x < MODEL_INPUT_WIDTH; x++, output += MODEL_INPUT_CHANNELS) {
            const uint32_t line = TOP + y * BLOCK, column = LEFT + x * BLOCK;
            if (HAS_LANES) {
                *output = lane_mean(&pixels[line * WORDS_PER_LINE + column / 2u]);
                continue;
            }
            const sums all = sum_block(pixels, line, column);
            if (MODEL_INPUT_CHANNELS == 3u) {
                put_rgb(&all, output);
            } else {
                *output = mean(all.y);
            }
        }
    }
}

#endif

void preprocess_input(const captured_frame *frame, uint8_t *output) {
#if MODEL_INPUT_IS_PICTURE
    if (!frame->is_tensor) {
        preprocess_run(frame->pixels, output);
        return;
    }
#endif
    memcpy(output, frame->pixels, PREPROCESS_BYTES);
}
