/*
 * nn_plain: every layer in plain C, with any window, stride and border.
 *
 * Slow and readable: what the other back ends are held to, and what they fall back to. in and out
 * are int8 [H,W,C] of the shapes that the layer's tensors have.
 */
#ifndef NN_PLAIN_H
#define NN_PLAIN_H

#include "nn_model.h"

/* Run one layer, of whatever kind, over the tensors of the arena. */
void nn_plain_run(const nn_model *model, const nn_layer *layer, int8_t *arena);

/* "plain conv2d" and so on. */
const char *nn_plain_kernel(const nn_layer *layer);

/* Every output channel over every input channel; then the pool that the layer names. */
void nn_plain_conv2d(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

/* Output channel c over input channel c / (out / C). */
void nn_plain_depthwise(const nn_model *model, const nn_layer *layer, const int8_t *in,
                        int8_t *out);

/* The largest, or the mean rounded half away from zero; pixels of the border do not count. */
void nn_plain_pool(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

/*
 * The sum of two tensors of one shape, each with its own scale and zero point.
 * double: both times 2^20 and their factor, then the sum times the third (TensorFlow Lite).
 * single: (first * multiplier[0] + second * multiplier[1], half up) >> multiplier[2].
 * With a bias [C] there is no second: the bias is what a constant adds in its place.
 */
void nn_plain_add(const nn_model *model, const nn_layer *layer, const int8_t *first,
                  const int8_t *second, int8_t *out);

/* From zero up by the first factor, below zero by the channel's slope and the second one; both are
 * rounded twice in either rounding. */
void nn_plain_prelu(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

/* The sum of each channel over all pixels, requantised: [H,W,C] to [1,1,C]. */
void nn_plain_mean(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

/* [H,W,A] and [H,W,B], of one scale and zero point, as [H,W,A+B]. */
void nn_plain_concatenate(const nn_model *model, const nn_layer *layer, const int8_t *first,
                          const int8_t *second, int8_t *out);

/* The product of both less their zero points, requantised; a second of one pixel is for all. */
void nn_plain_multiply(const nn_model *model, const nn_layer *layer, const int8_t *first,
                       const int8_t *second, int8_t *out);

/* The rows, columns and channels that the layer numbers. */
void nn_plain_select(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

#endif
