#include "nn_m4_requantise.h"

#define ROUNDING (NN_DOUBLE_ROUNDING ? NN_ROUNDING_DOUBLE : NN_ROUNDING_SINGLE)

/* Between these, a rounding with its zero point, or a rounded product with its half, has 32 bits.
 */
#define LEAST_EXPONENT    (-23)
#define GREATEST_EXPONENT (NN_DOUBLE_ROUNDING ? -1 : -2)
#define LARGEST_SUM       (UINT32_C(1) << 30)
#define LARGEST_PRODUCT   (255u * 128u)

bool nn_m4_can_requantise(const nn_model *model, const nn_layer *layer, uint32_t taps) {
    if (model->rounding != ROUNDING || taps > LARGEST_SUM / LARGEST_PRODUCT) {
        return false;
    }
    for (uint32_t i = 0; i < nn_output_of(model, layer)->channels; i++) {
        const int32_t exponent = layer->exponent[i];
        const int32_t bias = layer->bias[i];
        const uint32_t size = bias < 0 ? 0u - (uint32_t)bias : (uint32_t)bias;
        if (exponent < LEAST_EXPONENT || exponent > GREATEST_EXPONENT || size > LARGEST_SUM) {
            return false;
        }
    }
    return true;
}

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
