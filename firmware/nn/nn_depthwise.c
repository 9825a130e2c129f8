#include "nn_depthwise.h"

#include "nn_requantise.h"

#define SIDE 3u
#define TAPS (SIDE * SIDE)

void nn_depthwise(const nn_layer *layer, const nn_tensor *in, const nn_tensor *out) {
    const uint32_t step = nn_tensor_pixel_words(in);
    const uint32_t stride = nn_tensor_row_words(in);
    const int32_t most = INT8_MAX - layer->zero_point;
    const int8_t *stored = layer->weights;

    for (uint32_t channel = 0; channel < layer->out_channels; channel += 2u) {
        const nn_scaling low = nn_scaling_of(layer->multiplier, layer->shift, channel);
        const nn_scaling high = nn_scaling_of(layer->multiplier, layer->shift, channel + 1u);
        nn_pair weights[TAPS];
        for (uint32_t tap = 0; tap < TAPS; tap++, stored += 2) {
            weights[tap] = nn_pack(stored[0], stored[1]);
        }
        for (uint32_t y = 0; y < out->height; y++) {
            const nn_pair *top = in->words + channel / 2u + y * stride;
            nn_pair *pixel = nn_tensor_origin(out) + channel / 2u + y * stride;
            for (uint32_t x = 0; x < out->width; x++, top += step, pixel += step) {
                int32_t sums[2] = {layer->bias[channel], layer->bias[channel + 1u]};
                const nn_pair *value = top;
                for (uint32_t tap = 0; tap < TAPS; tap += SIDE, value += stride) {
                    sums[0] = nn_multiply_low(value[0], weights[tap], sums[0]);
                    sums[1] = nn_multiply_high(value[0], weights[tap], sums[1]);
                    sums[0] = nn_multiply_low(value[step], weights[tap + 1u], sums[0]);
                    sums[1] = nn_multiply_high(value[step], weights[tap + 1u], sums[1]);
                    sums[0] = nn_multiply_low(value[2u * step], weights[tap + 2u], sums[0]);
                    sums[1] = nn_multiply_high(value[2u * step], weights[tap + 2u], sums[1]);
                }
                *pixel = nn_pack(nn_clamp(nn_requantise(sums[0], &low), 0, most),
                                 nn_clamp(nn_requantise(sums[1], &high), 0, most));
            }
        }
    }
}
