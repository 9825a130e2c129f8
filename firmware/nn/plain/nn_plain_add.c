#include "plain/nn_plain.h"

#include "nn_scale.h"

/* 2^20, which TensorFlow Lite raises both inputs by. */
#define RAISE (INT32_C(1) << 20)

/* Places in multiplier and exponent. */
enum { FIRST = 0, SECOND = 1, SUM = 2 };

/* A negative factor is rounded as its opposite: a tie would go the other way. */
static int32_t scale(const nn_layer *layer, uint32_t factor, int32_t value) {
    const int32_t multiplier = layer->multiplier[factor],
                  size = multiplier < 0 ? -multiplier : multiplier;
    const int32_t scaled = nn_scale(NN_ROUNDING_DOUBLE, value, size, layer->exponent[factor]);
    return multiplier < 0 ? -scaled : scaled;
}

/* What the first (0) or the second (1) value, less its zero point, adds to the sum. */
static int32_t share(const nn_model *model, const nn_layer *layer, uint32_t place, int32_t value) {
    return model->rounding == NN_ROUNDING_SINGLE ? value * layer->multiplier[place]
                                                 : scale(layer, place, value * RAISE);
}

static int32_t finish(const nn_model *model, const nn_layer *layer, int32_t sum) {
    if (model->rounding != NN_ROUNDING_SINGLE) {
        return scale(layer, SUM, sum);
    }
    const int32_t shift = layer->multiplier[SUM];
    return (sum + (INT32_C(1) << (shift - 1))) >> shift;
}

void nn_plain_add(const nn_model *model, const nn_layer *layer, const int8_t *first,
                  const int8_t *second, int8_t *out) {
    const nn_tensor *to = nn_output_of(model, layer);
    const int32_t first_zero = nn_input_of(model, layer)->zero_point;
    const int32_t second_zero = model->tensors[layer->second].zero_point;
    const uint32_t size = nn_size_of(to), channels = to->channels;

    for (uint32_t i = 0; i < size; i++) {
        const int32_t one = share(model, layer, FIRST, first[i] - first_zero);
        const int32_t two = layer->bias ? layer->bias[i % channels]
                                        : share(model, layer, SECOND, second[i] - second_zero);
        const int32_t sum = finish(model, layer, one + two);
        out[i] = (int8_t)nn_clamp(sum + to->zero_point, layer->least, layer->most);
    }
}
