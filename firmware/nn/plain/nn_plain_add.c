#include "plain/nn_plain.h"

#include "nn_scale.h"

/* 2^20, which TensorFlow Lite raises both inputs by. */
#define RAISE (INT32_C(1) << 20)

static int32_t add_double(const nn_layer *layer, int32_t first, int32_t second) {
    const int32_t sum = nn_scale_double(first * RAISE, layer->multiplier[0], layer->exponent[0]) +
                        nn_scale_double(second * RAISE, layer->multiplier[1], layer->exponent[1]);
    return nn_scale_double(sum, layer->multiplier[2], layer->exponent[2]);
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
