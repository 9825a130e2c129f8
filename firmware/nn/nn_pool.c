#include "nn_pool.h"

#include "nn_requantise.h"
#include "nn_window.h"

static int32_t mean(int32_t sum, int32_t count) {
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

/* One channel of one window. */
static int32_t pool_window(const nn_graph_op *op, const nn_graph_tensor *from, const int8_t *in,
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
    return op->kind == NN_OP_MAX_POOL ? largest : mean(sum, count);
}

void nn_pool(const nn_graph *graph, const nn_graph_op *op, const int8_t *in, int8_t *out) {
    const nn_graph_tensor *from = &graph->tensors[op->input];
    const nn_graph_tensor *to = &graph->tensors[op->output];

    for (uint32_t y = 0; y < to->height; y++) {
        const nn_span rows = nn_span_of(y, op->stride_rows, op->top, op->rows, from->height);
        for (uint32_t x = 0; x < to->width; x++) {
            const nn_span columns =
                nn_span_of(x, op->stride_columns, op->left, op->columns, from->width);
            for (uint32_t channel = 0; channel < to->channels; channel++) {
                const int32_t value = pool_window(op, from, in + channel, &rows, &columns);
                *out++ = (int8_t)nn_clamp(value, op->least, op->most);
            }
        }
    }
}
