#include "nn_scale.h"
#include "plain/nn_plain.h"

void nn_plain_mean(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const nn_tensor *from = nn_input_of(model, layer);
    const nn_tensor *to = nn_output_of(model, layer);
    const uint32_t pixels = (uint32_t)from->height * from->width, channels = from->channels;

    for (uint32_t channel = 0; channel < channels; channel++) {
        int32_t sum = 0;
        for (uint32_t pixel = 0; pixel < pixels; pixel++) {
            sum += in[pixel * channels + channel] - from->zero_point;
        }
        const int32_t scaled =
            nn_scale((nn_rounding)model->rounding, sum, layer->multiplier[0], layer->exponent[0]);
        out[channel] = (int8_t)nn_clamp(scaled + to->zero_point, layer->least, layer->most);
    }
}
