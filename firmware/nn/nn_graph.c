#include "nn_graph.h"

#include <stdbool.h>

#include "nn_add.h"
#include "nn_plain.h"
#include "nn_pool.h"
#include "nn_score.h"

static uint32_t size_of(const nn_graph_tensor *tensor) {
    return (uint32_t)tensor->height * tensor->width * tensor->channels;
}

static bool is_known(const nn_graph *graph) {
    for (uint32_t i = 0; i < graph->op_count; i++) {
        if (graph->ops[i].kind > NN_OP_LOOKUP) {
            return false;
        }
    }
    return graph->op_count > 0u;
}

/* [H,W,C] uint8 as int8: a byte less 128. */
static void load_frame(const nn_graph_tensor *tensor, const uint8_t *frame, int8_t *arena) {
    for (uint32_t i = 0; i < size_of(tensor); i++) {
        arena[tensor->offset + i] = (int8_t)(frame[i] - 128);
    }
}

static void look_up(const nn_graph_op *op, const int8_t *in, int8_t *out, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        out[i] = op->weights[in[i] + 128];
    }
}

static void run_op(const nn_graph *graph, const nn_graph_op *op, int8_t *arena) {
    const int8_t *in = arena + graph->tensors[op->input].offset;
    const int8_t *second = arena + graph->tensors[op->second].offset;
    int8_t *out = arena + graph->tensors[op->output].offset;

    switch ((nn_op_kind)op->kind) {
    case NN_OP_CONV2D:
        nn_plain_conv2d(graph, op, in, out);
        break;
    case NN_OP_DEPTHWISE:
        nn_plain_depthwise(graph, op, in, out);
        break;
    case NN_OP_MAX_POOL:
    case NN_OP_AVERAGE_POOL:
        nn_pool(graph, op, in, out);
        break;
    case NN_OP_ADD:
        nn_add(graph, op, in, second, out);
        break;
    case NN_OP_LOOKUP:
        look_up(op, in, out, size_of(&graph->tensors[op->output]));
        break;
    }
}

int nn_graph_run(const nn_graph *graph, const uint8_t *input, void *scratch, uint32_t scratch_size,
                 nn_observer observer, void *context, nn_result *result) {
    if (!is_known(graph)) {
        return NN_ERROR_LAYER;
    }
    if (scratch_size < graph->arena_bytes) {
        return NN_ERROR_SCRATCH_SIZE;
    }
    int8_t *arena = scratch;
    load_frame(&graph->tensors[graph->input], input, arena);
    for (uint32_t i = 0; i < graph->op_count; i++) {
        const nn_graph_op *op = &graph->ops[i];
        const nn_graph_tensor *out = &graph->tensors[op->output];
        run_op(graph, op, arena);
        if (observer) {
            observer(context, i, arena + out->offset, size_of(out));
        }
    }
    const nn_graph_tensor *logits = &graph->tensors[graph->output];
    *result = nn_score(&graph->scoring, arena + logits->offset, size_of(logits));
    return 0;
}
