/* nn_dense: fully connected layer over a whole tensor, without activation: the logits. */
#ifndef NN_DENSE_H
#define NN_DENSE_H

#include <stdint.h>

#include "nn_model.h"
#include "nn_tensor.h"

/* in: [H,W,C]. logits: [out] int8. */
void nn_dense(const nn_layer *layer, const nn_tensor *in, int8_t *logits);

#endif
