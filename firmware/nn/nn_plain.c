#include "nn_plain.h"

#include "nn_requantise.h"
#include "nn_scale.h"
#include "nn_window.h"

/* What one operator's output pixel needs, wherever it stands. */
typedef struct {
    const nn_graph_op *op;
    const nn_graph_tensor *in;
    const nn_graph_tensor *out;
    nn_rounding rounding;
} layer;

static layer layer_of(const nn_graph *graph, const nn_graph_op *op) {
    const layer found = {op, &graph->tensors[op->input], &graph->tensors[op->output],
                         (nn_rounding)graph->rounding};
    return found;
}

static int8_t finish(const layer *of, uint32_t channel, int32_t sum) {
    const nn_graph_op *op = of->op;
    const int32_t value =
        nn_scale(of->rounding, sum, op->multiplier[channel], op->exponent[channel]);
    return (int8_t)nn_clamp(value + of->out->zero_point, op->least, op->most);
}

/* weights: [rows, columns, in] of one output channel. */
static int32_t sum_window(const layer *of, const int8_t *in, const int8_t *weights,
                          const nn_span *rows, const nn_span *columns) {
    const int32_t width = of->in->width, channels = of->in->channels;
    const int32_t zero_point = of->in->zero_point;
    int32_t sum = 0;
    for (int32_t row = rows->first; row < rows->end; row++) {
        for (int32_t column = columns->first; column < columns->end; column++) {
            const int8_t *pixel =
                in + ((rows->start + row) * width + columns->start + column) * channels;
            const int8_t *tap = weights + (row * of->op->columns + column) * channels;
            for (int32_t channel = 0; channel < channels; channel++) {
                sum += (pixel[channel] - zero_point) * tap[channel];
            }
        }
    }
    return sum;
}

void nn_plain_conv2d(const nn_graph *graph, const nn_graph_op *op, const int8_t *in, int8_t *out) {
    const layer of = layer_of(graph, op);
    const uint32_t taps = (uint32_t)op->rows * op->columns * of.in->channels;

    for (uint32_t y = 0; y < of.out->height; y++) {
        const nn_span rows = nn_span_of(y, op->stride_rows, op->top, op->rows, of.in->height);
        for (uint32_t x = 0; x < of.out->width; x++) {
            const nn_span columns =
                nn_span_of(x, op->stride_columns, op->left, op->columns, of.in->width);
            for (uint32_t channel = 0; channel < of.out->channels; channel++) {
                const int32_t sum =
                    sum_window(&of, in, op->weights + channel * taps, &rows, &columns);
                *out++ = finish(&of, channel, sum + op->bias[channel]);
            }
        }
    }
}

/* channel: of the input. weights: [rows, columns] of one output channel. */
static int32_t sum_plane(const layer *of, const int8_t *in, const int8_t *weights, uint32_t channel,
                         const nn_span *rows, const nn_span *columns) {
    const int32_t width = of->in->width, channels = of->in->channels;
    const int32_t zero_point = of->in->zero_point;
    int32_t sum = 0;
    for (int32_t row = rows->first; row < rows->end; row++) {
        for (int32_t column = columns->first; column < columns->end; column++) {
            const int32_t pixel = (rows->start + row) * width + columns->start + column;
            const int32_t value = in[pixel * channels + (int32_t)channel] - zero_point;
            sum += value * weights[row * of->op->columns + column];
        }
    }
    return sum;
}

void nn_plain_depthwise(const nn_graph *graph, const nn_graph_op *op, const int8_t *in,
                        int8_t *out) {
    const layer of = layer_of(graph, op);
    const uint32_t taps = (uint32_t)op->rows * op->columns;
    const uint32_t each = (uint32_t)of.out->channels / of.in->channels;

    for (uint32_t y = 0; y < of.out->height; y++) {
        const nn_span rows = nn_span_of(y, op->stride_rows, op->top, op->rows, of.in->height);
        for (uint32_t x = 0; x < of.out->width; x++) {
            const nn_span columns =
                nn_span_of(x, op->stride_columns, op->left, op->columns, of.in->width);
            for (uint32_t channel = 0; channel < of.out->channels; channel++) {
                const int32_t sum = sum_plane(&of, in, op->weights + channel * taps, channel / each,
                                              &rows, &columns);
                *out++ = finish(&of, channel, sum + op->bias[channel]);
            }
        }
    }
}
