/*
 * nn_model: how a model's constant data is laid out. The exporter writes it; nn_run reads it.
 *
 * A model is a list of layers in the order in which they run, over int8 tensors [H,W,C] in one
 * arena that the exporter has planned. A reshape is a second tensor at the same place; a fully
 * connected layer is a convolution of 1x1 over a tensor of one pixel.
 */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include <stdint.h>

#include "nn.h"

typedef enum {
    NN_CONV2D = 0,       /* weights [out, rows, columns, in] */
    NN_DEPTHWISE = 1,    /* weights [out, rows, columns] */
    NN_MAX_POOL = 2,     /* no constants */
    NN_AVERAGE_POOL = 3, /* no constants */
    NN_ADD = 4,          /* multiplier [3], exponent [3] (single: two weights and a shift); of the
                            first two a negative one takes its value away;
                            bias [C] where the second is a constant, else none */
    NN_LOOKUP = 5,       /* weights [256]: the output for each input from -128 to 127 */
    NN_PRELU = 6,        /* weights [C]: slopes; multiplier [3]: above zero, below it, zero point of
                            the slopes; exponent [2] */
    NN_MEAN = 7,         /* over all pixels: multiplier [1], exponent [1] */
    NN_CONCATENATE = 8,  /* channels of input, then of second; no constants */
    NN_MULTIPLY = 9,     /* multiplier [1], exponent [1]; second has one shape, or one pixel */
    NN_SELECT = 10,      /* bias [H + W + C]: numbers of the input's rows, columns, channels, -1 for
                            what is not there; multiplier [1]: what stands in its place */
} nn_kind;

/* The fast kernel that the m4 back end runs a layer with (m4/nn_m4.h). Others do not look at it. */
typedef enum {
    NN_FAST_NONE = 0,
    NN_FAST_CONV2D = 1,
    NN_FAST_GATHER = 2,
    NN_FAST_WINOGRAD = 3,
    NN_FAST_DENSE = 4,
    NN_FAST_DEPTHWISE = 5,
    NN_FAST_ADD = 6,
    NN_FAST_POOL = 7,
} nn_fast;

typedef struct {
    uint32_t offset; /* bytes from the start of the arena */
    uint16_t height;
    uint16_t width;
    uint16_t channels;
    int8_t zero_point;
} nn_tensor;

/*
 * One layer. A sum over a window is requantised to sum * multiplier * 2^(exponent - 31), the
 * output's zero point is added, and what lies outside least to most is clamped.
 *
 * 4-bit weights stand two to a byte, the even one in the low half, each with eight added.
 */
typedef struct {
    const int8_t *weights;     /* at a multiple of four */
    const int32_t *bias;       /* [out] */
    const int32_t *multiplier; /* [out] */
    const int8_t *exponent;    /* [out] */
    uint8_t kind;              /* nn_kind */
    uint8_t input;             /* numbers of tensors */
    uint8_t second;            /* add, concatenate; else the input again */
    uint8_t output;
    uint8_t rows; /* of the window */
    uint8_t columns;
    uint8_t stride_rows;
    uint8_t stride_columns;
    uint8_t top; /* border above and left of the first window */
    uint8_t left;
    int8_t least; /* what the activation lets through */
    int8_t most;
    uint8_t bits : 4; /* of a weight: 8, or 4 (conv2d only) */
    uint8_t pool : 4; /* conv2d: 2 for the largest of each 2x2 outputs in steps of two; else 1 */
    uint8_t fast;     /* nn_fast */
    uint16_t work;    /* where the kernel's room begins, in words from the start of the arena */
} nn_layer;

#define NN_WORD_BYTES          4u
#define NN_SCORE_TABLE_ENTRIES 16u

struct nn_model {
    const nn_tensor *tensors;
    const nn_layer *layers;
    const uint16_t *score_table; /* [NN_SCORE_TABLE_ENTRIES], 2^(15 - i/16) */
    uint32_t arena_bytes;        /* a multiple of four */
    uint16_t score_step;         /* exponent of two that one step of a logit is worth, in 1/4096 */
    uint8_t layer_count;
    uint8_t input; /* numbers of tensors */
    uint8_t output;
    uint8_t rounding; /* nn_rounding, of nn_scale.h */
};

static inline const nn_tensor *nn_input_of(const nn_model *model, const nn_layer *layer) {
    return &model->tensors[layer->input];
}

static inline const nn_tensor *nn_output_of(const nn_model *model, const nn_layer *layer) {
    return &model->tensors[layer->output];
}

static inline uint32_t nn_size_of(const nn_tensor *tensor) {
    return (uint32_t)tensor->height * tensor->width * tensor->channels;
}

/* The index-th of a layer's 4-bit weights. */
static inline int32_t nn_half_weight(const int8_t *weights, uint32_t index) {
    const uint8_t both = (uint8_t)weights[index / 2u];
    return (int32_t)(both >> 4u * (index % 2u) & 15u) - 8;
}

#endif
