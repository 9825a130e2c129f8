#include <stdbool.h>

#include "plain/nn_plain.h"

void nn_plain_select(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const nn_tensor *from = nn_input_of(model, layer), *to = nn_output_of(model, layer);
    const int32_t *rows = layer->bias, *columns = rows + to->height;
    const int32_t *channels = columns + to->width;
    const int8_t filler = (int8_t)layer->multiplier[0];

    for (uint32_t y = 0; y < to->height; y++) {
        for (uint32_t x = 0; x < to->width; x++) {
            const bool inside = rows[y] >= 0 && columns[x] >= 0;
            const int32_t place = inside ? rows[y] * from->width + columns[x] : 0;
            const int8_t *pixel = in + place * from->channels;
            for (uint32_t channel = 0; channel < to->channels; channel++) {
                const int32_t number = channels[channel];
                *out++ = inside && number >= 0 ? pixel[number] : filler;
            }
        }
    }
}
