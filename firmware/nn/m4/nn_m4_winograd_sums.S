/*
 * Products of transformed values and weights, summed over the channels: see nn_m4_winograd_sums.h.
 *
 *     r0         values of the position
 *     r1         weights of the position
 *     r2, r3     values of two tiles
 *     r4, r5     weights of two output channels
 *     r6-r9      sums of the first tile, four output channels
 *     r10-r12,lr sums of the second
 */
#include "nn_m4_macros.inc"

#define VALUES       0 /* of the position and two tiles */
#define WEIGHTS      4 /* of the position */
#define SUMS         8 /* of the position and two tiles */
#define WEIGHTS_END  12 /* where those of the position would go on */
#define WEIGHT_BYTES 16
#define TILE_PAIRS   20 /* left */
#define POSITIONS    24 /* left */
#define FIRST        28 /* weights */
#define FRAME_BYTES  32

#define POSITION_COUNT 16
#define VALUE_BYTES    8   /* of a position: two tiles */
#define GROUP_BYTES    16  /* of a position: weights of four channels */
#define CHANNEL_BYTES  64  /* of sums: sixteen positions */
#define TILE_BYTES     256 /* of sums: four channels */
#define VALUE_STEP     (POSITION_COUNT * VALUE_BYTES) /* from pair to pair of channels */
#define WEIGHT_STEP    (POSITION_COUNT * GROUP_BYTES)

/* One pair of channels; `sum` is SMUAD for the first, which there is nothing to add to. */
.macro multiply number, sum
    ldr     r2, [r0, #VALUE_STEP * \number]
    ldr     r3, [r0, #VALUE_STEP * \number + 4]
    ldr     r4, [r1, #WEIGHT_STEP * \number]
    ldr     r5, [r1, #WEIGHT_STEP * \number + 4]
    \sum    r6, r2, r4
    \sum    r10, r3, r4
    \sum    r7, r2, r5
    \sum    r11, r3, r5
    ldr     r4, [r1, #WEIGHT_STEP * \number + 8]
    ldr     r5, [r1, #WEIGHT_STEP * \number + 12]
    \sum    r8, r2, r4
    \sum    r12, r3, r4
    \sum    r9, r2, r5
    \sum    lr, r3, r5
.endm

.macro add_product sum, value, weight
    smlad   \sum, \value, \weight, \sum
.endm

.macro set_product sum, value, weight
    smuad   \sum, \value, \weight
.endm

.macro multiply_more from, to
    .if \from < \to
    multiply \from, add_product
    multiply_more (\from + 1), \to
    .endif
.endm

.macro step pairs
    add     r0, r0, #VALUE_STEP * \pairs
    add     r1, r1, #WEIGHT_STEP * \pairs
.endm

.macro begin name
    function \name, FRAME_BYTES
    ldmia   r0, {r0-r4}
    str     r2, [sp, #SUMS]
    str     r3, [sp, #WEIGHT_BYTES]
    str     r4, [sp, #TILE_PAIRS]
    str     r1, [sp, #FIRST]
.endm

/* To r2, which stands at the sums of the position after this one when it is done. */
.macro store_sums
    str     r6, [r2], #4
    str     r7, [r2, #CHANNEL_BYTES - 4]
    str     r8, [r2, #2 * CHANNEL_BYTES - 4]
    str     r9, [r2, #3 * CHANNEL_BYTES - 4]
    str     r10, [r2, #TILE_BYTES - 4]
    str     r11, [r2, #TILE_BYTES + CHANNEL_BYTES - 4]
    str     r12, [r2, #TILE_BYTES + 2 * CHANNEL_BYTES - 4]
    str     lr, [r2, #TILE_BYTES + 3 * CHANNEL_BYTES - 4]
    str     r2, [sp, #SUMS]
.endm

/* The next two tiles; r2 has gone through the positions of these. */
.macro next_tiles
    ldr     r4, [sp, #TILE_PAIRS]
    add     r2, r2, #2 * TILE_BYTES - 4 * POSITION_COUNT
    str     r2, [sp, #SUMS]
    subs    r4, r4, #1
    str     r4, [sp, #TILE_PAIRS]
    bne     1b
.endm

/* So many pairs of channels, no loop: the pointers move from position to position only. */
.macro sums_of name, pairs
    begin   \name
1:
    ldr     r1, [sp, #FIRST]
2:
    multiply 0, set_product
    multiply_more 1, \pairs
    ldr     r2, [sp, #SUMS]
    ldr     r4, [sp, #FIRST]
    adds    r0, r0, #VALUE_BYTES
    adds    r1, r1, #GROUP_BYTES
    store_sums
    add     r4, r4, #POSITION_COUNT * GROUP_BYTES
    cmp     r1, r4
    bne     2b
    add     r0, r0, #VALUE_STEP * (\pairs - 1)
    next_tiles
    return  \name, FRAME_BYTES
.endm

/* Any even number of pairs, two at a time. */
.macro sums name
    begin   \name
1:
    movs    r5, #POSITION_COUNT
    ldr     r3, [sp, #WEIGHT_BYTES]
    ldr     r1, [sp, #FIRST]
    str     r5, [sp, #POSITIONS]
    add     r3, r3, r1
2:
    str     r0, [sp, #VALUES]
    str     r1, [sp, #WEIGHTS]
    str     r3, [sp, #WEIGHTS_END]
    multiply 0, set_product
    multiply 1, add_product
    step    2
    b       4f
    .balign 4
3:
    multiply 0, add_product
    multiply 1, add_product
    step    2
4:
    ldr     r3, [sp, #WEIGHTS_END]
    cmp     r1, r3
    bne     3b
    ldr     r2, [sp, #SUMS]
    ldr     r4, [sp, #POSITIONS]
    ldr     r0, [sp, #VALUES]
    ldr     r1, [sp, #WEIGHTS]
    adds    r0, r0, #VALUE_BYTES
    adds    r1, r1, #GROUP_BYTES
    adds    r3, r3, #GROUP_BYTES
    store_sums
    subs    r4, r4, #1
    str     r4, [sp, #POSITIONS]
    bne     2b
    /* The values of the last position would go on where those of the next tiles begin. */
    ldr     r3, [sp, #WEIGHT_BYTES]
    sub     r0, r0, #VALUE_STEP
    add     r0, r0, r3, lsr #1
    next_tiles
    return  \name, FRAME_BYTES
.endm

    sums_of nn_m4_winograd_sums8, 8
    sums_of nn_m4_winograd_sums12, 12
    sums    nn_m4_winograd_sums
