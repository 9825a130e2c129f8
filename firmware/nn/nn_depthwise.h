/* nn_depthwise: 3x3 convolution of each channel by itself, stride one, zero padding, ReLU. */
#ifndef NN_DEPTHWISE_H
#define NN_DEPTHWISE_H

#include "nn_model.h"
#include "nn_tensor.h"

/* in: [H,W,C]. out: [H,W,C]; its border is left alone. */
void nn_depthwise(const nn_layer *layer, const nn_tensor *in, const nn_tensor *out);

#endif
