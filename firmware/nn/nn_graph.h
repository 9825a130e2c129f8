/*
 * nn_graph: runs a user's own quantised network, a graph of operators, on one frame.
 *
 * The importer makes such a graph of any int8 .tflite whose operators it knows; the generated
 * model.c holds it as constant data. Tensors are int8 [H,W,C] in one arena that the exporter has
 * planned; a reshape is a second tensor at the same place. Every operator's output equals that of
 * boardless_models/graph_reference.py bit for bit. The kernels are plain C: nn_run is for the
 * chains that nn_model.h describes, and faster.
 */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include <stdint.h>

#include "nn.h"
#include "nn_model.h"

typedef enum {
    NN_OP_CONV2D = 0,       /* weights [out, rows, columns, in] */
    NN_OP_DEPTHWISE = 1,    /* weights [out, rows, columns] */
    NN_OP_MAX_POOL = 2,     /* no constants */
    NN_OP_AVERAGE_POOL = 3, /* no constants */
    NN_OP_ADD = 4,          /* multiplier [3], exponent [3] (single: two weights and a shift) */
    NN_OP_LOOKUP = 5,       /* weights [256]: the output for each input from -128 to 127 */
} nn_op_kind;

typedef struct {
    uint32_t offset; /* bytes from the start of the arena */
    uint16_t height;
    uint16_t width;
    uint16_t channels;
    int8_t zero_point;
} nn_graph_tensor;

typedef struct {
    const int8_t *weights;
    const int32_t *bias;       /* [out] */
    const int32_t *multiplier; /* [out] */
    const int8_t *exponent;    /* [out] */
    uint8_t kind;              /* nn_op_kind */
    uint8_t input;             /* numbers of tensors */
    uint8_t second;            /* add only */
    uint8_t output;
    uint8_t rows; /* of the window */
    uint8_t columns;
    uint8_t stride_rows;
    uint8_t stride_columns;
    uint8_t top; /* border above and left of the first window */
    uint8_t left;
    int8_t least; /* what the activation lets through */
    int8_t most;
} nn_graph_op;

typedef struct {
    const nn_graph_tensor *tensors;
    const nn_graph_op *ops;
    uint32_t arena_bytes;
    nn_model scoring; /* only the score's fields are used */
    uint8_t op_count;
    uint8_t input;
    uint8_t output;
    uint8_t rounding; /* nn_rounding */
} nn_graph;

/*
 * Infer the class of one frame; as nn_run, but that scratch may stand anywhere.
 *
 * input:    [H,W,C] uint8, of the shape of the input tensor.
 * observer: called after each operator with its number and its output.
 * Returns 0, NN_ERROR_SCRATCH_SIZE, or NN_ERROR_LAYER for an operator of a kind not known.
 */
int nn_graph_run(const nn_graph *graph, const uint8_t *input, void *scratch, uint32_t scratch_size,
                 nn_observer observer, void *context, nn_result *result);

#endif
