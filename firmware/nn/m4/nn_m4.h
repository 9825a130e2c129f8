/*
 * nn_m4: convolutions and fully connected layers with the Cortex-M4's DSP instructions.
 *
 * Activations and weights are widened to int16, two to a word, so that SMLAD multiplies and adds
 * two of them in a cycle. Four bytes in a row (c0, c1, c2, c3) become the words (c0, c2) and
 * (c1, c3): two SXTB16, on either side, and the sum of products is the same in any order.
 *
 * conv2d: the input is widened into planes of four channels with a border of zeros around them,
 *
 *     planes: [rows of the tensor, chunks of four channels, columns, 2] words
 *
 * so that the windows of a row of pixels are reached by constant offsets, and one step leads from
 * one chunk to the next and from the last of a row to the first of the next row. The weights of
 * four output channels are widened in the order in which they are used. The assembly
 * (nn_m4_conv2d_row.S) makes two pixels of four channels at a time: eight sums, four operands and
 * two pointers are all registers that the core has.
 *
 * gather: any window, step and border. A batch of pixels is gathered: each one's window, widened,
 * becomes a row of words, two pixels side by side; the weights of four output channels stand in the
 * same order, and one loop (nn_m4_gather_sums.S) multiplies both. A window that reaches over the
 * border is copied first, with the zero point where there is nothing.
 *
 * depthwise: four channels at a time become planes with a border of zeros around them; each plane
 * is convolved by itself (nn_m4_plane.S).
 *
 * winograd: a convolution of 3x3 tile by tile, each of two by two outputs, by F(2x2, 3x3) of Lavin
 * and Gray (arXiv 1509.09308): 16 products where there would be 36, and additions before and after.
 * It is exact: the weights are transformed to four times what they are, so that nothing is halved;
 * values and weights stay within int16, sums within int32, and a quarter of the sum has no
 * remainder. It takes room for the transformed weights, 32 bytes for each filter.
 */
#ifndef NN_M4_H
#define NN_M4_H

#include <arm_acle.h>
#include <stdbool.h>
#include <string.h>

#include "nn_model.h"

/*
 * The kernels that a model takes, by which the others are left out of the firmware: the exporter
 * chooses one for each layer (boardless_models.graph.kernels) and writes all of them into model.h.
 */
#define NN_M4_CONV2D    (1u << NN_FAST_CONV2D)
#define NN_M4_GATHER    (1u << NN_FAST_GATHER)
#define NN_M4_WINOGRAD  (1u << NN_FAST_WINOGRAD)
#define NN_M4_DENSE     (1u << NN_FAST_DENSE)
#define NN_M4_DEPTHWISE (1u << NN_FAST_DEPTHWISE)
#define NN_M4_ADD       (1u << NN_FAST_ADD)
#define NN_M4_POOL      (1u << NN_FAST_POOL)
#define NN_M4_ALL       0xFFu

/* Bytes that the kernel needs at work. */
uint32_t nn_m4_conv2d_bytes(const nn_model *model, const nn_layer *layer);
uint32_t nn_m4_winograd_bytes(const nn_model *model, const nn_layer *layer);
uint32_t nn_m4_gather_bytes(const nn_model *model, const nn_layer *layer);
uint32_t nn_m4_dense_bytes(const nn_model *model, const nn_layer *layer);
uint32_t nn_m4_depthwise_bytes(const nn_model *model, const nn_layer *layer);

/* in, out: int8 [H,W,C] of the layer's tensors; work: at a multiple of four. */
void nn_m4_conv2d(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                  uint32_t *work);
void nn_m4_winograd(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                    uint32_t *work);
void nn_m4_gather(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                  uint32_t *work);
void nn_m4_dense(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                 uint32_t *work);
void nn_m4_depthwise(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                     uint32_t *work);

void nn_m4_add(const nn_model *model, const nn_layer *layer, const int8_t *first,
               const int8_t *second, int8_t *out);
void nn_m4_pool(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out);

/* Two int16 in one word: the first in the low half. */
typedef struct {
    uint32_t even; /* (c0, c2) */
    uint32_t odd;  /* (c1, c3) */
} nn_m4_four;

static inline uint32_t nn_m4_pair(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16;
}

static inline uint32_t nn_m4_load(const int8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Four int8, each with `more` added. */
static inline nn_m4_four nn_m4_widen(uint32_t bytes, int16x2_t more) {
    nn_m4_four four = {(uint32_t)__sxtab16(more, (int8x4_t)bytes), 0u};
    /* The instruction rotates by itself; the compiler would do it before. */
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(four.odd) : "r"(more), "r"(bytes));
    return four;
}

static inline uint32_t nn_m4_load_halves(const int8_t *bytes) {
    uint16_t halves;
    memcpy(&halves, bytes, sizeof halves);
    return halves;
}

/* Four 4-bit weights. */
static inline nn_m4_four nn_m4_widen_halves(uint32_t halves) {
    const uint32_t apart = halves | halves << 8;
    const nn_m4_four four = {
        (uint32_t)__ssub16((int16x2_t)(apart & 0x000F000Fu), 0x00080008),
        (uint32_t)__ssub16((int16x2_t)(apart >> 4 & 0x000F000Fu), 0x00080008),
    };
    return four;
}

#endif
