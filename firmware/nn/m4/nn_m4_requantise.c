#include "nn_m4_requantise.h"

nn_m4_scaling nn_m4_scaling_of(const nn_layer *layer, uint32_t channel, int32_t zero_point) {
    const int32_t exponent = layer->exponent[channel];
    nn_m4_scaling scaling = {.multiplier = layer->multiplier[channel]};
    if (NN_DOUBLE_ROUNDING) {
        scaling.shift = (uint32_t)-exponent;
        scaling.rounding = INT32_C(1) << (scaling.shift - 1u);
    } else {
        scaling.shift = (uint32_t)(-1 - exponent);
        scaling.rounding =
            (INT32_C(1) << (scaling.shift - 1u)) + zero_point * (INT32_C(1) << scaling.shift);
    }
    return scaling;
}
