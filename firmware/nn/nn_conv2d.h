/*
 * nn_conv2d: 1x1 and 3x3 convolution with stride one, zero padding and a ReLU; the second form
 * takes a 2x2 max-pool with it, and requantises only what the pool keeps.
 */
#ifndef NN_CONV2D_H
#define NN_CONV2D_H

#include <stdint.h>

#include "nn_model.h"
#include "nn_tensor.h"

/* Words that the expanded weights of two output channels take: their taps as pairs. */
uint32_t nn_conv2d_weight_words(const nn_layer *layer, uint32_t in_channels);

/*
 * in: [H,W,C]. weights: room for [taps/2, 2] nn_pair, the weights of two channels at a time.
 * out: [H,W,out]; its border is left alone.
 */
void nn_conv2d(const nn_layer *layer, const nn_tensor *in, nn_pair *weights, const nn_tensor *out);

/* The same with out: [H/2,W/2,out]. */
void nn_conv2d_pool(const nn_layer *layer, const nn_tensor *in, nn_pair *weights,
                    const nn_tensor *out);

#endif
