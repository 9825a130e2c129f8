/*
 * nn_m4_conv2d_row: one row of a convolution's output, four channels of it (assembly).
 *
 * The structs are read by offset in nn_m4_conv2d_row.S; nn_m4_conv2d.c asserts the offsets.
 */
#ifndef NN_M4_CONV2D_ROW_H
#define NN_M4_CONV2D_ROW_H

#include "nn_m4_requantise.h"

#define NN_M4_GROUP 4u /* output channels that are made at once */

typedef struct {
    int32_t bias[NN_M4_GROUP];
    nn_m4_scaling scaling[NN_M4_GROUP];
    int32_t zero_point; /* double only */
} nn_m4_channels;

typedef struct {
    const uint32_t *window;      /* of the first pixel, in the planes */
    const uint32_t *weights;     /* of the four channels, widened */
    const uint32_t *weights_end; /* one past them */
    uint32_t plane_bytes;        /* from one chunk of channels to the next */
    const nn_m4_channels *channels;
    int8_t *out;          /* the first of the four channels of the first pixel */
    uint32_t step_bytes;  /* from one output pixel to the next */
    uint32_t count;       /* of output pixels; at least one */
    uint32_t lower_bytes; /* pooled: from a window to the one below it */
} nn_m4_row;

/* Windows of three columns, of one column; and the largest of 2x2 sums, requantised. */
void nn_m4_conv2d_row3(const nn_m4_row *row);
void nn_m4_conv2d_row1(const nn_m4_row *row);
void nn_m4_conv2d_row3_pool(const nn_m4_row *row);
void nn_m4_conv2d_row1_pool(const nn_m4_row *row);

#endif
