#include "plain/nn_plain.h"

#include "nn_scale.h"
#include "plain/nn_window.h"

static int32_t mean(int32_t sum, int32_t count) {
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

/* One channel of one window. */
static int32_t pool_window(const nn_layer *layer, const nn_tensor *from, const int8_t *in,
                           const nn_span *rows, const nn_span *columns) {
    int32_t largest = INT8_MIN, sum = 0, count = 0;
    for (int32_t row = rows->first; row < rows->end; row++) {
        for (int32_t column = columns->first; column < columns->end; column++) {
            const int32_t pixel = (rows->start + row) * from->width + columns->start + column;
            const int32_t value = in[pixel * from->channels];
            largest = value > largest ? value : largest;
            sum += value;
            count++;
        }
    }
    return layer->kind == NN_MAX_POOL ? largest : mean(sum, count);
}

void nn_plain_pool(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const nn_tensor *from = nn_input_of(model, layer);
    const nn_tensor *to = nn_output_of(model, layer);

    for (uint32_t y = 0; y < to->height; y++) {
        const nn_span rows =
            nn_span_of(y, layer->stride_rows, layer->top, layer->rows, from->height);
        for (uint32_t x = 0; x < to->width; x++) {
            const nn_span columns =
                nn_span_of(x, layer->stride_columns, layer->left, layer->columns, from->width);
            for (uint32_t channel = 0; channel < to->channels; channel++) {
                const int32_t value = pool_window(layer, from, in + channel, &rows, &columns);
                *out++ = (int8_t)nn_clamp(value, layer->least, layer->most);
            }
        }
    }
}
