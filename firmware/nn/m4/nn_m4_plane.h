/*
 * nn_m4_plane: a depthwise convolution of 3x3 over the plane of one channel (assembly).
 *
 * The struct is read by offset in nn_m4_plane.S; nn_m4_depthwise.c asserts the offsets. A plane is
 * int16, two neighbours a word, with a border of zeros: [rows, columns], columns even.
 */
#ifndef NN_M4_PLANE_H
#define NN_M4_PLANE_H

#include "nn_m4_requantise.h"

#define NN_M4_PLANE_SIDE 3u /* of the window */

typedef struct {
    const uint32_t *window;         /* of the first output, in the plane */
    uint32_t row_bytes;             /* of the plane */
    uint32_t two[NN_M4_PLANE_SIDE]; /* the first two weights of each row */
    uint32_t thirds;                /* the third weights of the first two rows */
    uint32_t third;                 /* of the last row, in the low half */
    int32_t bias;
    nn_m4_scaling scaling;
    int8_t *out;        /* the first output of this channel */
    uint32_t step;      /* to the output's right neighbour, in bytes */
    uint32_t pairs;     /* of outputs in a row */
    uint32_t odd;       /* 1 where one more output stands in a row */
    uint32_t rows;      /* of blocks; at least one */
    uint32_t in_skip;   /* from the end of a row of blocks to the next one, in bytes */
    uint32_t out_skip;  /* the same, of outputs */
    int32_t zero_point; /* double only */
    uint32_t lower;     /* steps of one: to the output below, 0 where none is wanted */
} nn_m4_plane;

/* Steps of one, in blocks of 2x2 outputs; steps of two, in blocks of 1x2. */
void nn_m4_plane_1(const nn_m4_plane *plane);
void nn_m4_plane_2(const nn_m4_plane *plane);

#endif
