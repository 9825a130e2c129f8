#include "nn_scale.h"

int32_t nn_scale(nn_rounding rounding, int32_t value, int32_t multiplier, int32_t exponent) {
    return rounding == NN_ROUNDING_SINGLE ? nn_scale_single(value, multiplier, exponent)
                                          : nn_scale_double(value, multiplier, exponent);
}
