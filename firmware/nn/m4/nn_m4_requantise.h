/*
 * nn_m4_requantise: a sum to the output's int8 in a few instructions.
 *
 * single: (sum * multiplier >> 32) + rounding >> shift, where rounding holds a half and the zero
 * point: 31 - exponent is 33 or more, so that what is below the upper word never decides.
 * double: as nn_scale_double; rounding is a half of the shift, and the zero point is added after.
 *
 * Built with NN_DOUBLE_ROUNDING=1 for a model of double rounding; one of the other does not
 * compile. The exporter takes no layer whose factors or sums leave 32 bits.
 */
#ifndef NN_M4_REQUANTISE_H
#define NN_M4_REQUANTISE_H

#include "nn_model.h"
#include "nn_scale.h"

#if !defined(NN_DOUBLE_ROUNDING)
#define NN_DOUBLE_ROUNDING 0
#endif

typedef struct {
    int32_t multiplier;
    int32_t rounding;
    uint32_t shift;
} nn_m4_scaling;

/* One output channel's constants. */
nn_m4_scaling nn_m4_scaling_of(const nn_layer *layer, uint32_t channel, int32_t zero_point);

static inline int8_t nn_m4_requantise(int32_t sum, const nn_m4_scaling *scaling,
                                      int32_t zero_point) {
    int32_t value;
    if (NN_DOUBLE_ROUNDING) {
        value = nn_scale_double(sum, scaling->multiplier, -(int32_t)scaling->shift) + zero_point;
    } else {
        const int32_t upper = (int32_t)(((int64_t)sum * scaling->multiplier) >> 32);
        value = (upper + scaling->rounding) >> scaling->shift;
    }
    return (int8_t)nn_clamp(value, INT8_MIN, INT8_MAX);
}

#endif
