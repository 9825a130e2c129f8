#include <string.h>

#include "plain/nn_plain.h"

void nn_plain_concatenate(const nn_model *model, const nn_layer *layer, const int8_t *first,
                          const int8_t *second, int8_t *out) {
    const uint32_t ahead = nn_input_of(model, layer)->channels;
    const uint32_t behind = model->tensors[layer->second].channels;
    const nn_tensor *to = nn_output_of(model, layer);
    const uint32_t pixels = (uint32_t)to->height * to->width;

    for (uint32_t i = 0; i < pixels; i++) {
        memcpy(out, first, ahead);
        memcpy(out + ahead, second, behind);
        first += ahead;
        second += behind;
        out += to->channels;
    }
}
