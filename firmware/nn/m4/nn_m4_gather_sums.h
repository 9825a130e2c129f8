/*
 * nn_m4_gather_sums: four channels of a batch of gathered pixels (assembly).
 *
 * The struct is read by offset in nn_m4_gather_sums.S; nn_m4_gather.c asserts the offsets.
 */
#ifndef NN_M4_GATHER_SUMS_H
#define NN_M4_GATHER_SUMS_H

#include "nn_m4_conv2d_row.h"

typedef struct {
    const uint32_t *values;  /* [pairs of pixels, words, 2] */
    const uint32_t *weights; /* [words, 4] of the four channels */
    uint32_t chunks;         /* of two words, in a pixel; at least one */
    const nn_m4_channels *channels;
    int8_t *out;         /* the first of the four channels of the first pixel */
    uint32_t step_bytes; /* from one output pixel to the next */
    uint32_t count;      /* of pixels; at least one */
} nn_m4_gathered;

void nn_m4_gather_sums(const nn_m4_gathered *gathered);

#endif
