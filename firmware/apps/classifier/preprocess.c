#include "apps/classifier/preprocess.h"

/* A little-endian word holds two pixels, V Y1 U Y0 from the top: this keeps both lumas. */
#define LUMA_LANES 0x00FF00FFu

#define WORDS_PER_LINE  (FRAME_WIDTH * OV7670_BYTES_PER_PIXEL / sizeof(uint32_t))
#define WORDS_PER_BLOCK (PREPROCESS_BLOCK * OV7670_BYTES_PER_PIXEL / sizeof(uint32_t))

_Static_assert(PREPROCESS_BLOCK == 4 && WORDS_PER_BLOCK == 2, "block_mean is written for 4x4");

/* Adds two lumas at once: a 16-bit lane holds the eight of a block (at most 2,040) with room. */
static inline uint8_t block_mean(const uint32_t *words) {
    uint32_t lanes = 0;
#pragma GCC unroll 4
    for (uint32_t y = 0; y < PREPROCESS_BLOCK; y++) {
        lanes += words[0] & LUMA_LANES;
        lanes += words[1] & LUMA_LANES;
        words += WORDS_PER_LINE;
    }
    uint32_t sum = (lanes & 0xFFFFu) + (lanes >> 16);
    return (uint8_t)((sum + 8u) >> 4);
}

void preprocess_run(const uint32_t *pixels, uint8_t *output) {
    for (uint32_t y = 0; y < PREPROCESS_HEIGHT; y++) {
        for (uint32_t x = 0; x < PREPROCESS_WIDTH; x++) {
            *output++ = block_mean(&pixels[x * WORDS_PER_BLOCK]);
        }
        pixels += PREPROCESS_BLOCK * WORDS_PER_LINE;
    }
}
