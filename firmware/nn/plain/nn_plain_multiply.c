#include "nn_scale.h"
#include "plain/nn_plain.h"

void nn_plain_multiply(const nn_model *model, const nn_layer *layer, const int8_t *first,
                       const int8_t *second, int8_t *out) {
    const nn_tensor *one = nn_input_of(model, layer), *two = &model->tensors[layer->second];
    const nn_tensor *to = nn_output_of(model, layer);
    const uint32_t size = nn_size_of(to), repeat = nn_size_of(two);

    for (uint32_t i = 0; i < size; i++) {
        const int32_t product =
            (first[i] - one->zero_point) * (second[i % repeat] - two->zero_point);
        const int32_t scaled = nn_scale((nn_rounding)model->rounding, product, layer->multiplier[0],
                                        layer->exponent[0]);
        out[i] = (int8_t)nn_clamp(scaled + to->zero_point, layer->least, layer->most);
    }
}
