/*
 * nn_requantise: an int32 sum to the output's scale, with a single rounding, half up:
 *
 *     (sum * multiplier + 2^(shift - 1)) >> shift
 *
 * shift is 33 or more, so the lower word of the product never decides: what is added has no bits
 * there, and flooring twice is flooring once. One SMULL or SMMUL and no 64-bit arithmetic.
 *
 * Built with NN_DOUBLE_ROUNDING=1 every sum is rounded twice, as TensorFlow Lite's reference
 * kernels do (nn_scale.h), for a model that was quantised so; a model of the other rounding does
 * not compile.
 */
#ifndef NN_REQUANTISE_H
#define NN_REQUANTISE_H

#include <stdint.h>

#include "nn_scale.h"

#if !defined(NN_DOUBLE_ROUNDING)
#define NN_DOUBLE_ROUNDING 0
#endif

/* One channel's constants, read once before its pixels. */
typedef struct {
    int32_t multiplier;
    int32_t half;   /* 2^(shift - 33): a half, in the upper word */
    uint32_t shift; /* what is left of the shift in the upper word */
} nn_scaling;

static inline nn_scaling nn_scaling_of(const int32_t *multiplier, const uint8_t *shift,
                                       uint32_t channel) {
    const uint32_t upper = shift[channel] - 32u;
    const nn_scaling scaling = {multiplier[channel], INT32_C(1) << (upper - 1u), upper};
    return scaling;
}

/* The rounded value, before the zero point is added and the result saturated. */
static inline int32_t nn_requantise(int32_t sum, const nn_scaling *scaling) {
    if (NN_DOUBLE_ROUNDING) {
        return nn_scale_double(sum, scaling->multiplier, -1 - (int32_t)scaling->shift);
    }
    const int32_t upper = (int32_t)(((int64_t)sum * scaling->multiplier) >> 32);
    return (upper + scaling->half) >> scaling->shift;
}

static inline int32_t nn_clamp(int32_t value, int32_t least, int32_t most) {
    const int32_t raised = value < least ? least : value;
    return raised > most ? most : raised;
}

#endif
