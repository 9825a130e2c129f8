#include "nn_scale.h"
#include "plain/nn_plain.h"

/* Places in multiplier and exponent. */
enum { ABOVE = 0, BELOW = 1, SLOPE_ZERO_POINT = 2 };

void nn_plain_prelu(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const nn_tensor *to = nn_output_of(model, layer);
    const int32_t zero_point = nn_input_of(model, layer)->zero_point;
    const int32_t slope_zero_point = layer->multiplier[SLOPE_ZERO_POINT];
    const uint32_t size = nn_size_of(to), channels = to->channels;

    for (uint32_t i = 0; i < size; i++) {
        const int32_t value = in[i] - zero_point;
        const uint32_t side = value >= 0 ? ABOVE : BELOW;
        const int32_t slope = side == ABOVE ? 1 : layer->weights[i % channels] - slope_zero_point;
        const int32_t scaled = nn_scale(NN_ROUNDING_DOUBLE, value * slope, layer->multiplier[side],
                                        layer->exponent[side]);
        out[i] = (int8_t)nn_clamp(scaled + to->zero_point, layer->least, layer->most);
    }
}
