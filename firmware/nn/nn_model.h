/*
 * nn_model: how a model's constant data is laid out. The exporter writes it; nn_run reads it.
 *
 * A model is a chain: the input is unfolded (see nn_tensor.h), then every layer but the last is a
 * convolution or a depthwise convolution with a ReLU, and the last is dense, without one.
 */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include <stdint.h>

#include "nn.h"

typedef enum {
    NN_KIND_CONV2D = 0,
    NN_KIND_DEPTHWISE = 1,
    NN_KIND_DENSE = 2,
} nn_kind;

/*
 * One layer. Outputs come in pairs of channels and weights are stored pair by pair:
 *   conv2d, dense  [out/2, taps, 2]   taps run over the window's rows, columns, channels
 *   depthwise      [out/2, 9, 2]
 * Under 4 bits a little-endian word holds four taps of two channels, each weight with 8 added: the
 * pairs (tap 0, tap 1) and (tap 2, tap 3) of the two channels in turn, the k-th pair's first weight
 * at bit 4k and its second at bit 16 + 4k.
 * weights start at a multiple of four. A conv2d's input channels are a multiple of four; the first
 * layer's taps are the NN_UNFOLD_CHANNELS of an unfolded pixel.
 */
typedef struct {
    const int8_t *weights;
    const int32_t *bias;       /* [out] */
    const int32_t *multiplier; /* [out], 2^30 to 2^31 - 1 */
    const uint8_t *shift;      /* [out], 33 to 62 */
    uint8_t kind;              /* nn_kind */
    uint8_t kernel;            /* conv2d: 1 or 3; depthwise: 3; dense: 0 */
    uint8_t pool;              /* max-pool after the ReLU: 1 (none) or 2, conv2d only */
    uint8_t bits;              /* of a weight: 8, or 4 (conv2d and dense) */
    uint8_t out_channels;      /* even */
    int8_t zero_point;         /* of the output */
} nn_layer;

#define NN_SCORE_TABLE_ENTRIES 16u

struct nn_model {
    const nn_layer *layers;
    const uint16_t *score_table; /* [NN_SCORE_TABLE_ENTRIES], 2^(15 - i/16) */
    uint16_t score_step;         /* exponent of two that one step of a logit is worth, in 1/4096 */
    uint8_t layer_count;
    uint8_t height; /* of the input */
    uint8_t width;
};

#endif
