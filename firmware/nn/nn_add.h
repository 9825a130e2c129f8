/*
 * nn_add: the sum of two tensors of one shape, each with its own scale and zero point.
 *
 * double: both times 2^20 and their factor, then the sum times the third (TensorFlow Lite).
 * single: (first * multiplier[0] + second * multiplier[1], half up) >> multiplier[2].
 * first, second, out: [H,W,C] int8.
 */
#ifndef NN_ADD_H
#define NN_ADD_H

#include "nn_graph.h"

void nn_add(const nn_graph *graph, const nn_graph_op *op, const int8_t *first, const int8_t *second,
            int8_t *out);

#endif
