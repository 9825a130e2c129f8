/*
 * nn_pool: the largest or the mean of each window; pixels of the border do not count.
 *
 * in: [H,W,C] int8. out: [H',W',C] int8. The mean is rounded half away from zero.
 */
#ifndef NN_POOL_H
#define NN_POOL_H

#include "nn_graph.h"

void nn_pool(const nn_graph *graph, const nn_graph_op *op, const int8_t *in, int8_t *out);

#endif
