#include "nn_add.h"

#include "nn_requantise.h"
#include "nn_scale.h"

/* 2^20, which TensorFlow Lite raises both inputs by. */
#define RAISE (INT32_C(1) << 20)

static int32_t add_double(const nn_graph_op *op, int32_t first, int32_t second) {
    const int32_t sum = nn_scale_double(first * RAISE, op->multiplier[0], op->exponent[0]) +
                        nn_scale_double(second * RAISE, op->multiplier[1], op->exponent[1]);
    return nn_scale_double(sum, op->multiplier[2], op->exponent[2]);
}

static int32_t add_single(const nn_graph_op *op, int32_t first, int32_t second) {
    const int32_t shift = op->multiplier[2];
    const int32_t half = INT32_C(1) << (shift - 1);
    return (first * op->multiplier[0] + second * op->multiplier[1] + half) >> shift;
}

void nn_add(const nn_graph *graph, const nn_graph_op *op, const int8_t *first, const int8_t *second,
            int8_t *out) {
    const nn_graph_tensor *to = &graph->tensors[op->output];
    const int32_t first_zero = graph->tensors[op->input].zero_point;
    const int32_t second_zero = graph->tensors[op->second].zero_point;
    const uint32_t size = (uint32_t)to->height * to->width * to->channels;

    for (uint32_t i = 0; i < size; i++) {
        const int32_t a = first[i] - first_zero, b = second[i] - second_zero;
        const int32_t sum =
            graph->rounding == NN_ROUNDING_SINGLE ? add_single(op, a, b) : add_double(op, a, b);
        out[i] = (int8_t)nn_clamp(sum + to->zero_point, op->least, op->most);
    }
}
