#include "nn_scale.h"
#include "plain/nn_plain.h"
#include "plain/nn_window.h"

/* One layer, and the tensors that it stands between. */
typedef struct {
    const nn_layer *layer;
    const nn_tensor *in;
    const nn_tensor *out;
    nn_rounding rounding;
} place;

static place place_of(const nn_model *model, const nn_layer *layer) {
    const place found = {layer, nn_input_of(model, layer), nn_output_of(model, layer),
                         (nn_rounding)model->rounding};
    return found;
}

static int8_t finish(const place *at, uint32_t channel, int32_t sum) {
    const nn_layer *layer = at->layer;
    const int32_t value =
        nn_scale(at->rounding, sum, layer->multiplier[channel], layer->exponent[channel]);
    return (int8_t)nn_clamp(value + at->out->zero_point, layer->least, layer->most);
}

/* Values of one pixel times the weights from the first-th on. */
static int32_t multiply(const place *at, const int8_t *value, uint32_t first) {
    const nn_layer *layer = at->layer;
    const int32_t zero_point = at->in->zero_point;
    const uint32_t channels = at->in->channels;
    int32_t sum = 0;
    if (layer->bits == 4u) {
        for (uint32_t i = 0; i < channels; i++) {
            sum += (value[i] - zero_point) * nn_half_weight(layer->weights, first + i);
        }
        return sum;
    }
    const int8_t *weight = layer->weights + first;
    for (uint32_t i = 0; i < channels; i++) {
        sum += (value[i] - zero_point) * weight[i];
    }
    return sum;
}

/* The sum of one output channel over the window at (y, x). */
static int32_t sum_window(const place *at, const int8_t *in, uint32_t y, uint32_t x,
                          uint32_t channel) {
    const nn_layer *layer = at->layer;
    const nn_span rows = nn_span_of(y, layer->stride_rows, layer->top, layer->rows, at->in->height);
    const nn_span columns =
        nn_span_of(x, layer->stride_columns, layer->left, layer->columns, at->in->width);
    const uint32_t channels = at->in->channels;
    int32_t sum = layer->bias[channel];

    for (int32_t row = rows.first; row < rows.end; row++) {
        for (int32_t column = columns.first; column < columns.end; column++) {
            const int32_t pixel = (rows.start + row) * at->in->width + columns.start + column;
            const int8_t *value = in + (uint32_t)pixel * channels;
            const uint32_t tap =
                ((channel * layer->rows + (uint32_t)row) * layer->columns + (uint32_t)column) *
                channels;
            sum += multiply(at, value, tap);
        }
    }
    return sum;
}

/* A larger sum never requantises to a smaller output, so that the pool may come first. */
static int32_t largest_sum(const place *at, const int8_t *in, uint32_t y, uint32_t x,
                           uint32_t channel) {
    const uint32_t pool = at->layer->pool;
    int32_t largest = INT32_MIN;
    for (uint32_t row = 0; row < pool; row++) {
        for (uint32_t column = 0; column < pool; column++) {
            const int32_t sum = sum_window(at, in, y * pool + row, x * pool + column, channel);
            largest = sum > largest ? sum : largest;
        }
    }
    return largest;
}

void nn_plain_conv2d(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const place at = place_of(model, layer);

    for (uint32_t y = 0; y < at.out->height; y++) {
        for (uint32_t x = 0; x < at.out->width; x++) {
            for (uint32_t channel = 0; channel < at.out->channels; channel++) {
                *out++ = finish(&at, channel, largest_sum(&at, in, y, x, channel));
            }
        }
    }
}

/* channel: of the input. weights: [rows, columns] of one output channel. */
static int32_t sum_plane(const place *at, const int8_t *in, const int8_t *weights, uint32_t channel,
                         const nn_span *rows, const nn_span *columns) {
    const int32_t width = at->in->width, channels = at->in->channels;
    const int32_t zero_point = at->in->zero_point;
    int32_t sum = 0;
    for (int32_t row = rows->first; row < rows->end; row++) {
        for (int32_t column = columns->first; column < columns->end; column++) {
            const int32_t pixel = (rows->start + row) * width + columns->start + column;
            const int32_t value = in[pixel * channels + (int32_t)channel] - zero_point;
            sum += value * weights[row * at->layer->columns + column];
        }
    }
    return sum;
}

void nn_plain_depthwise(const nn_model *model, const nn_layer *layer, const int8_t *in,
                        int8_t *out) {
    const place at = place_of(model, layer);
    const uint32_t taps = (uint32_t)layer->rows * layer->columns;
    const uint32_t each = (uint32_t)at.out->channels / at.in->channels;

    for (uint32_t y = 0; y < at.out->height; y++) {
        const nn_span rows =
            nn_span_of(y, layer->stride_rows, layer->top, layer->rows, at.in->height);
        for (uint32_t x = 0; x < at.out->width; x++) {
            const nn_span columns =
                nn_span_of(x, layer->stride_columns, layer->left, layer->columns, at.in->width);
            for (uint32_t channel = 0; channel < at.out->channels; channel++) {
                const int32_t sum = sum_plane(&at, in, layer->weights + channel * taps,
                                              channel / each, &rows, &columns);
                *out++ = finish(&at, channel, sum + layer->bias[channel]);
            }
        }
    }
}
