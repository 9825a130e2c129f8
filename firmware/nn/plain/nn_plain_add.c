#include "plain/nn_plain.h"

#include "nn_scale.h"

/* 2^20, which TensorFlow Lite raises both inputs by. */
#define RAISE (INT32_C(1) << 20)

static int32_t scale(const nn_layer *layer, uint32_t factor, int32_t value) {
    return nn_scale(NN_ROUNDING_DOUBLE, value, layer->multiplier[factor], layer->exponent[factor]);
}

static int32_t add_double(const nn_layer *layer, int32_t first, int32_t second) {
    const int32_t sum = scale(layer, 0u, first * RAISE) + scale(layer, 1u, second * RAISE);
    return scale(layer, 2u, sum);
}

static int32_t add_single(const nn_layer *layer, int32_t first, int32_t second) {
    const int32_t shift = layer->multiplier[2];
    const int32_t half = INT32_C(1) << (shift - 1);
    return (first * layer->multiplier[0] + second * layer->multiplier[1] + half) >> shift;
}

void nn_plain_add(const nn_model *model, const nn_layer *layer, const int8_t *first,
                  const int8_t *second, int8_t *out) {
    const nn_tensor *to = nn_output_of(model, layer);
    const int32_t first_zero = nn_input_of(model, layer)->zero_point;
    const int32_t second_zero = model->tensors[layer->second].zero_point;
    const uint32_t size = (uint32_t)to->height * to->width * to->channels;

    for (uint32_t i = 0; i < size; i++) {
        const int32_t a = first[i] - first_zero, b = second[i] - second_zero;
        const int32_t sum = model->rounding == NN_ROUNDING_SINGLE ? add_single(layer, a, b)
                                                                  : add_double(layer, a, b);
        out[i] = (int8_t)nn_clamp(sum + to->zero_point, layer->least, layer->most);
    }
}
