/*
 * nn_m4_winograd_sums: the products of transformed values and weights, summed over the channels,
 * and the outputs that become of them (assembly). Eight sums at a time: two tiles of four output
 * channels.
 *
 *     values:  [pairs of tiles, pairs of channels, 16 positions, 2 tiles] words
 *     weights: [pairs of channels, 16 positions, 4 output channels] words
 *     sums:    [tiles, 4 output channels, 16 positions] int32
 *
 * The structs are read as words in nn_m4_winograd_sums.S and nn_m4_winograd_outputs.S.
 */
#ifndef NN_M4_WINOGRAD_SUMS_H
#define NN_M4_WINOGRAD_SUMS_H

#include "nn_m4_requantise.h"

typedef struct {
    const uint32_t *values;
    const uint32_t *weights;
    int32_t *sums;
    uint32_t weight_bytes; /* of all pairs of channels */
    uint32_t tile_pairs;
} nn_m4_products;

/* Eight pairs of channels, twelve, and any even number of them. */
void nn_m4_winograd_sums8(const nn_m4_products *products);
void nn_m4_winograd_sums12(const nn_m4_products *products);
void nn_m4_winograd_sums(const nn_m4_products *products);

/* What makes an output of a channel's sum. */
typedef struct {
    int32_t bias;
    nn_m4_scaling scaling;
    int32_t zero_point;
} nn_m4_channel;

/* One output channel of `count` tiles, sixty-four sums apart: the outputs of each tile, in
 * rows; and the largest of each. */
void nn_m4_winograd_outputs(const int32_t *sums, uint32_t count, const nn_m4_channel *channel,
                            int8_t (*outputs)[4]);
void nn_m4_winograd_largest(const int32_t *sums, uint32_t count, const nn_m4_channel *channel,
                            int8_t *outputs);

#endif
