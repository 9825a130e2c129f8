#include "nn_dense.h"

#include "nn_requantise.h"

static int8_t finish(const nn_layer *layer, uint32_t channel, int32_t sum) {
    const nn_scaling scaling = nn_scaling_of(layer->multiplier, layer->shift, channel);
    const int32_t value = nn_requantise(sum, &scaling) + layer->zero_point;
    return (int8_t)nn_clamp(value, INT8_MIN, INT8_MAX);
}

/* The sums of two channels over one row of the tensor; returns the weights of the next. */
static const int8_t *add_bytes(const nn_pair *line, uint32_t words, const int8_t *stored,
                               int32_t *sums) {
    for (uint32_t i = 0; i < words; i++, stored += 4) {
        const uint32_t bytes = nn_load_bytes(stored);
        sums[0] = nn_multiply_pairs(line[i], nn_even_bytes(bytes), sums[0]);
        sums[1] = nn_multiply_pairs(line[i], nn_odd_bytes(bytes), sums[1]);
    }
    return stored;
}

/* The same under 4-bit weights; words is even. */
static const int8_t *add_nibbles(const nn_pair *line, uint32_t words, const int8_t *stored,
                                 int32_t *sums) {
    for (uint32_t i = 0; i < words; i += 2u, stored += 4) {
        const uint32_t word = nn_load_bytes(stored);
        sums[0] = nn_multiply_pairs(line[i], nn_nibbles(word, 0u), sums[0]);
        sums[1] = nn_multiply_pairs(line[i], nn_nibbles(word, 1u), sums[1]);
        sums[0] = nn_multiply_pairs(line[i + 1u], nn_nibbles(word, 2u), sums[0]);
        sums[1] = nn_multiply_pairs(line[i + 1u], nn_nibbles(word, 3u), sums[1]);
    }
    return stored;
}

void nn_dense(const nn_layer *layer, const nn_tensor *in, int8_t *logits) {
    const uint32_t words = in->width * nn_tensor_pixel_words(in);
    const int8_t *stored = layer->weights;

    for (uint32_t channel = 0; channel < layer->out_channels; channel += 2u) {
        int32_t sums[2] = {layer->bias[channel], layer->bias[channel + 1u]};
        const nn_pair *line = nn_tensor_origin(in);
        for (uint32_t y = 0; y < in->height; y++, line += nn_tensor_row_words(in)) {
            stored = layer->bits == 4u ? add_nibbles(line, words, stored, sums)
                                       : add_bytes(line, words, stored, sums);
        }
        logits[channel] = finish(layer, channel, sums[0]);
        logits[channel + 1u] = finish(layer, channel + 1u, sums[1]);
    }
}
