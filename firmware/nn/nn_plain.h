/*
 * nn_plain: convolution with any window, stride and border, in plain C.
 *
 * in: [H,W,C] int8. out: [H',W',out] int8. The shapes are those of the operator's tensors.
 */
#ifndef NN_PLAIN_H
#define NN_PLAIN_H

#include "nn_graph.h"

/* Every output channel over every input channel. */
void nn_plain_conv2d(const nn_graph *graph, const nn_graph_op *op, const int8_t *in, int8_t *out);

/* Output channel c over input channel c / (out / C). */
void nn_plain_depthwise(const nn_graph *graph, const nn_graph_op *op, const int8_t *in,
                        int8_t *out);

#endif
