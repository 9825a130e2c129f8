/*
 * One row of a convolution's output, four channels of it: see nn_m4_conv2d_row.h and nn_m4.h.
 *
 * In C the compiler keeps some of the eight sums on the stack; here every register has one use:
 *
 *     r0         window: the left pixel's, in the planes
 *     r1         weights
 *     r2, r3     operands of the left and of the right pixel, by turns
 *     r4, r5     weights of two channels
 *     r6-r9      sums of the left pixel, four channels
 *     r10-r12,lr sums of the right pixel
 *
 * A window's next column is the left pixel's next operand and the right pixel's last one, so that a
 * row of three columns takes four operands for two pixels. Loads stand side by side because the
 * core overlaps a load with the next one.
 */
#include "nn_m4_macros.inc"

/* The frame: the nn_m4_row, then what the pool keeps of the upper row. */
#define WINDOW      0
#define WEIGHTS     4
#define WEIGHTS_END 8
#define PLANE_BYTES 12
#define CHANNELS    16
#define OUT         20
#define STEP_BYTES  24
#define COUNT       28
#define LOWER_BYTES 32
#define UPPER       36
#define FRAME_BYTES 52

/* In nn_m4_channels. */
#define SCALING    16
#define ZERO_POINT 64

#define PIXEL_BYTES 8 /* of a plane */
#define GROUP_BYTES 16 /* a word of weights for each of four channels */

/* Four channels of one column of a window: sixteen multiplications, of which the caller has loaded
 * the operands and the weights of the first two channels. */
.macro multiply left, right, weights
    smlad   r6, \left, r4, r6
    smlad   r10, \right, r4, r10
    smlad   r7, \left, r5, r7
    smlad   r11, \right, r5, r11
    ldr     r4, [r1, #\weights + 8]
    ldr     r5, [r1, #\weights + 12]
    smlad   r8, \left, r4, r8
    smlad   r12, \right, r4, r12
    smlad   r9, \left, r5, r9
    smlad   lr, \right, r5, lr
.endm

/* One pair of input channels: `columns` columns of both pixels' windows. */
.macro multiply_pair pair, columns, weights
    ldr     r2, [r0, #4 * \pair]
    ldr     r3, [r0, #4 * \pair + PIXEL_BYTES]
    ldr     r4, [r1, #\weights]
    ldr     r5, [r1, #\weights + 4]
    multiply r2, r3, \weights
    .if \columns == 3
    ldr     r2, [r0, #4 * \pair + 2 * PIXEL_BYTES]
    ldr     r4, [r1, #\weights + GROUP_BYTES]
    ldr     r5, [r1, #\weights + GROUP_BYTES + 4]
    multiply r3, r2, (\weights + GROUP_BYTES)
    ldr     r3, [r0, #4 * \pair + 3 * PIXEL_BYTES]
    ldr     r4, [r1, #\weights + 2 * GROUP_BYTES]
    ldr     r5, [r1, #\weights + 2 * GROUP_BYTES + 4]
    multiply r2, r3, (\weights + 2 * GROUP_BYTES)
    .endif
.endm

/* The eight sums of the windows at r0: bias, then every chunk of four channels of every row. */
.macro sum_windows columns
    ldr     r4, [sp, #CHANNELS]
    ldr     r1, [sp, #WEIGHTS]
    ldmia   r4, {r6-r9}
    mov     r10, r6
    mov     r11, r7
    mov     r12, r8
    mov     lr, r9
1:
    multiply_pair 0, \columns, 0
    multiply_pair 1, \columns, \columns * GROUP_BYTES
    ldr     r4, [sp, #PLANE_BYTES]
    ldr     r5, [sp, #WEIGHTS_END]
    adds    r1, r1, #2 * \columns * GROUP_BYTES
    add     r0, r0, r4
    cmp     r1, r5
    bne     1b
.endm

.macro larger_of_pixels
    larger  r6, r10
    larger  r7, r11
    larger  r8, r12
    larger  r9, lr
.endm

/* A sum to the output's int8, with the nn_m4_scaling in r1 to r3; r4 and r5 are free. */
.macro requantise sum
    scale   \sum, r1, r2, r3, r4, r5
#if NN_DOUBLE_ROUNDING
    ldr     r5, [sp, #CHANNELS]
    ldr     r5, [r5, #ZERO_POINT]
    add     \sum, \sum, r5
#endif
    ssat    \sum, #8, \sum
.endm

.macro begin name
    function \name, FRAME_BYTES
    ldmia   r0, {r1-r9}
    stmia   sp, {r1-r9}
    mov     r0, r1
.endm

/* The window in r0, the output in r1, the step between outputs in r2, how many are left in r3. */
.macro load_place
    ldr     r0, [sp, #WINDOW]
    ldr     r1, [sp, #OUT]
    ldr     r2, [sp, #STEP_BYTES]
    ldr     r3, [sp, #COUNT]
.endm

/* Four channels of the output at r1. */
.macro store first, second, third, fourth
    strb    \first, [r1]
    strb    \second, [r1, #1]
    strb    \third, [r1, #2]
    strb    \fourth, [r1, #3]
.endm

/* Two pixels at a time; the last of an odd row is made alone. */
.macro row name, columns
    begin   \name
2:
    sum_windows \columns
    ldr     r0, [sp, #CHANNELS]
    adds    r0, r0, #SCALING
    .irp sums, "r6,r10", "r7,r11", "r8,r12", "r9,lr"
    requantise_both \sums
    .endr
    load_place
    store   r6, r7, r8, r9
    subs    r3, r3, #1
    beq     3f
    adds    r0, r0, #2 * PIXEL_BYTES
    add     r1, r1, r2
    store   r10, r11, r12, lr
    add     r1, r1, r2
    str     r0, [sp, #WINDOW]
    str     r1, [sp, #OUT]
    subs    r3, r3, #1
    str     r3, [sp, #COUNT]
    bne     2b
3:
    return  \name, FRAME_BYTES
.endm

.macro requantise_both left, right
    ldmia   r0!, {r1-r3}
    requantise \left
    requantise \right
.endm

/* The largest of 2x2 pixels at a time. A larger sum never requantises to a smaller output, so that
 * one sum of four is requantised. */
.macro row_pool name, columns
    begin   \name
2:
    sum_windows \columns
    larger_of_pixels
    ldr     r0, [sp, #WINDOW]
    ldr     r1, [sp, #LOWER_BYTES]
    add     r2, sp, #UPPER
    add     r0, r0, r1
    stmia   r2, {r6-r9}
    sum_windows \columns
    larger_of_pixels
    add     r0, sp, #UPPER
    ldmia   r0, {r1-r4}
    larger  r6, r1
    larger  r7, r2
    larger  r8, r3
    larger  r9, r4
    ldr     r0, [sp, #CHANNELS]
    adds    r0, r0, #SCALING
    .irp sum, r6, r7, r8, r9
    ldmia   r0!, {r1-r3}
    requantise \sum
    .endr
    load_place
    adds    r0, r0, #2 * PIXEL_BYTES
    store   r6, r7, r8, r9
    add     r1, r1, r2
    str     r0, [sp, #WINDOW]
    str     r1, [sp, #OUT]
    subs    r3, r3, #1
    str     r3, [sp, #COUNT]
    bne     2b
    return  \name, FRAME_BYTES
.endm

    row      nn_m4_conv2d_row3, 3
    row      nn_m4_conv2d_row1, 1
    row_pool nn_m4_conv2d_row3_pool, 3
    row_pool nn_m4_conv2d_row1_pool, 1
