/*
 * nn_conv2d: 1x1 and 3x3 convolution with stride one, zero padding and a ReLU; the second form
 * takes a 2x2 max-pool with it, and requantises only what the pool keeps.
 */
#ifndef NN_CONV2D_H
#define NN_CONV2D_H

#include <stdint.h>

#include "nn_model.h"
#include "nn_tensor.h"

/* Words that the expanded weights of a layer with this many input channels take. */
uint32_t nn_conv2d_weight_words(const nn_layer *layer, uint32_t in_channels);

/* The layer's int8 weights as pairs of taps. words: [out/2, taps/2, 2] nn_pair. */
void nn_conv2d_expand_weights(const nn_layer *layer, uint32_t in_channels, nn_pair *words);

/* in: [H,W,C]. weights: expanded. out: [H,W,out]; its border is left alone. */
void nn_conv2d(const nn_layer *layer, const nn_tensor *in, const nn_pair *weights,
               const nn_tensor *out);

/* in: [H,W,C]. weights: expanded. out: [H/2,W/2,out]; its border is left alone. */
void nn_conv2d_pool(const nn_layer *layer, const nn_tensor *in, const nn_pair *weights,
                    const nn_tensor *out);

#endif
