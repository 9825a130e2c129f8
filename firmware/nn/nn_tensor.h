/*
 * nn_tensor: an activation between two layers, in the form that the kernels read.
 *
 * Values are kept less their zero point, as int16, two channels to a word (nn_pair), in an arena of
 * words that the caller owns. Around the [H,W,C] values stands a border of one pixel of zeros, so
 * that a padded window needs no bounds check; and after them one pixel more, which a kernel that
 * takes two pixels at a time may read, never use, at the end of an odd row.
 *
 *     words: [H+2, W+2, C/2] nn_pair, then [C/2] nn_pair
 */
#ifndef NN_TENSOR_H
#define NN_TENSOR_H

#include <stdint.h>

#include "nn_dsp.h"

typedef struct {
    nn_pair *words;
    uint32_t height;
    uint32_t width;
    uint32_t channels; /* even */
} nn_tensor;

/* Channels of an unfolded pixel: its 3x3 window of one grey channel, then three zeros. */
#define NN_UNFOLD_CHANNELS 12u

static inline uint32_t nn_tensor_pixel_words(const nn_tensor *tensor) {
    return tensor->channels / 2u;
}

/* Words from one row to the next. */
static inline uint32_t nn_tensor_row_words(const nn_tensor *tensor) {
    return (tensor->width + 2u) * nn_tensor_pixel_words(tensor);
}

/* The pixel (0, 0), inside the border. */
static inline nn_pair *nn_tensor_origin(const nn_tensor *tensor) {
    return tensor->words + nn_tensor_row_words(tensor) + nn_tensor_pixel_words(tensor);
}

/* How many words the arena must have for this tensor. */
uint32_t nn_tensor_words(const nn_tensor *tensor);

/* Set the border, and the pixel after it, to zero. The values are left alone. */
void nn_tensor_clear_border(const nn_tensor *tensor);

/*
 * The first layer's input: every pixel of the frame becomes its own 3x3 window, so that a 3x3
 * convolution of one channel is a 1x1 convolution of NN_UNFOLD_CHANNELS.
 * frame: [H,W,1] uint8. tensor: [H,W,12]. The border is not read and not written.
 */
void nn_tensor_unfold(const nn_tensor *tensor, const uint8_t *frame);

/* Write the values with their zero point added back. output: [H,W,C] int8. */
void nn_tensor_store(const nn_tensor *tensor, int32_t zero_point, int8_t *output);

#endif
