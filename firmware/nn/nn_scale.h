/*
 * nn_scale: an int32 times multiplier * 2^(exponent - 31), rounded, for any factor.
 *
 * double: the upper word of the doubled product is rounded, then the right shift (TensorFlow Lite's
 * reference kernels). single: one rounding, half up. Both take factors up to 2^22; the exporter
 * checks that value << exponent stays within 32 bits.
 */
#ifndef NN_SCALE_H
#define NN_SCALE_H

#include <stdint.h>

typedef enum {
    NN_ROUNDING_SINGLE = 0,
    NN_ROUNDING_DOUBLE = 1,
} nn_rounding;

static inline int32_t nn_scale_single(int32_t value, int32_t multiplier, int32_t exponent) {
    const uint32_t shift = (uint32_t)(31 - exponent);
    return (int32_t)(((int64_t)value * multiplier + (INT64_C(1) << (shift - 1u))) >> shift);
}

static inline int32_t nn_scale_double(int32_t value, int32_t multiplier, int32_t exponent) {
    const int64_t raised = exponent > 0 ? (int64_t)value * (INT32_C(1) << exponent) : value;
    const int64_t product = raised * multiplier;
    const int64_t nudge = product >= 0 ? INT64_C(1) << 30 : 1 - (INT64_C(1) << 30);
    /* The division truncates toward zero; a shift would round down. */
    const int32_t upper = (int32_t)((product + nudge) / (INT64_C(1) << 31));
    const uint32_t right = exponent < 0 ? (uint32_t)-exponent : 0u;
    const int32_t mask = (int32_t)((UINT32_C(1) << right) - 1u);
    const int32_t threshold = (mask >> 1) + (upper < 0 ? 1 : 0);
    return (upper >> right) + ((upper & mask) > threshold ? 1 : 0);
}

/* Either of them: the one copy that whatever is not in a hurry shares. */
int32_t nn_scale(nn_rounding rounding, int32_t value, int32_t multiplier, int32_t exponent);

static inline int32_t nn_clamp(int32_t value, int32_t least, int32_t most) {
    const int32_t raised = value < least ? least : value;
    return raised > most ? most : raised;
}

#endif
