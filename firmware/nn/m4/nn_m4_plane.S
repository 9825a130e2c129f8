/*
 * A depthwise convolution of 3x3 over a plane: see nn_m4_plane.h.
 *
 *     r0         the window, in the plane
 *     r1         bytes of a row of the plane
 *     r2, r3, lr values: two neighbours each
 *     r4-r6      the first two weights of each row
 *     r7, r8     the third weights: of the first row (low half) and the second, of the last
 *     r9-r12     sums: upper left, upper right, lower left, lower right
 *
 * Of a row of a window the left output takes the words (a, b) and (c, d), the right one (b, c) and
 * d: with c packed before b, SMLADX multiplies them crosswise, and no word is loaded twice.
 *
 * The struct stands in the registers of the FPU, which VMOV reads in one cycle.
 */
#include "nn_m4_macros.inc"

#define BIAS       s7
#define MULTIPLIER s8
#define ROUNDING   s9
#define SHIFT      s10
#define OUT        s11
#define STEP       s12
#define PAIRS      s13
#define ODD        s14
#define ROWS       s15
#define IN_SKIP    s16
#define OUT_SKIP   s17
#define ZERO_POINT s18
#define LOWER      s19
#define LEFT       s20 /* pairs of this row of blocks */
#define KEPT       s21

/* Adds one row to the sums of two neighbours. */
.macro add_row left, right, two, half, third
    smlad   \left, r2, \two, \left
    smladx  \right, lr, \two, \right
    smlab\half \left, r3, \third, \left
    smlat\half \right, r3, \third, \right
.endm

.macro load_row
    ldr     r2, [r0]
    ldr     r3, [r0, #4]
    add     r0, r0, r1
    pkhbt   lr, r3, r2
.endm

/* A sum to the output's int8, with the scaling in r2, r3, lr; double takes r0 and r4 for a while. */
.macro requantise sum
#if NN_DOUBLE_ROUNDING
    push    {r4}
    scale   \sum, r2, r3, lr, r0, r4
    pop     {r4}
    vmov    r0, ZERO_POINT
    add     \sum, \sum, r0
#else
    scale   \sum, r2, r3, lr, r0, r0
#endif
    ssat    \sum, #8, \sum
.endm

.macro load_scaling
    vmov    r2, MULTIPLIER
    vmov    r3, ROUNDING
    vmov    lr, SHIFT
.endm

/* A block of 2x2 outputs, or of 2x1 where there is no pair. */
.macro block_1 is_pair
    vmov    r9, BIAS
    vmov    r10, BIAS
    vmov    r11, BIAS
    vmov    r12, BIAS
    load_row
    add_row r9, r10, r4, b, r7
    load_row
    add_row r9, r10, r5, t, r7
    add_row r11, r12, r4, b, r7
    load_row
    add_row r9, r10, r6, b, r8
    add_row r11, r12, r5, t, r7
    load_row
    add_row r11, r12, r6, b, r8
    load_scaling
    vmov    KEPT, r0
    requantise r9
    requantise r11
    .if \is_pair
    requantise r10
    requantise r12
    .endif
    vmov    r0, KEPT
    vmov    r2, OUT
    vmov    r3, STEP
    vmov    lr, LOWER
    sub     r0, r0, r1, lsl #2
    add     r0, r0, #4
    add     lr, lr, r2
    /* The lower ones first: where none is wanted they stand in the place of the upper ones. */
    strb    r11, [lr]
    .if \is_pair
    strb    r12, [lr, r3]
    .endif
    strb    r9, [r2]
    .if \is_pair
    strb    r10, [r2, r3]
    add     r2, r2, r3
    .endif
    add     r2, r2, r3
    vmov    OUT, r2
.endm

/* One row under steps of two: the outputs share the word between them. */
.macro add_row_2 two, half, third
    ldr     r2, [r0]
    ldr     r3, [r0, #4]
    ldr     lr, [r0, #8]
    smlad   r9, r2, \two, r9
    smlad   r10, r3, \two, r10
    smlab\half r9, r3, \third, r9
    smlab\half r10, lr, \third, r10
.endm

/* A block of 1x2 outputs, or of one. */
.macro block_2 is_pair
    vmov    r9, BIAS
    vmov    r10, BIAS
    add_row_2 r4, b, r7
    add     r0, r0, r1
    add_row_2 r5, t, r7
    add     r0, r0, r1
    add_row_2 r6, b, r8
    sub     r0, r0, r1, lsl #1
    add     r0, r0, #8
    load_scaling
    vmov    KEPT, r0
    requantise r9
    requantise r10
    vmov    r0, KEPT
    vmov    r2, OUT
    vmov    r3, STEP
    strb    r9, [r2]
    add     r2, r2, r3
    .if \is_pair
    strb    r10, [r2]
    add     r2, r2, r3
    .endif
    vmov    OUT, r2
.endm

/* Every row of blocks: the pairs, then the one that may be left. */
.macro plane name, block
    function \name, 0
    vpush   {s16-s23}
    .cfi_adjust_cfa_offset 32
    vldmia  r0, {s0-s19}
    vmov    r0, s0
    vmov    r1, s1
    vmov    r4, s2
    vmov    r5, s3
    vmov    r6, s4
    vmov    r7, s5
    vmov    r8, s6
1:
    vmov    r2, PAIRS
    vmov    LEFT, r2
    cmp     r2, #0
    beq     3f
    .balign 4
2:
    \block  1
    vmov    r2, LEFT
    subs    r2, r2, #1
    vmov    LEFT, r2
    bne     2b
3:
    vmov    r2, ODD
    cmp     r2, #0
    beq     4f
    \block  0
4:
    vmov    r2, IN_SKIP
    vmov    r3, OUT
    vmov    lr, OUT_SKIP
    add     r0, r0, r2
    add     r3, r3, lr
    vmov    r2, ROWS
    vmov    OUT, r3
    subs    r2, r2, #1
    vmov    ROWS, r2
    bne     1b
    vpop    {s16-s23}
    .cfi_adjust_cfa_offset -32
    return  \name, 0
.endm

    plane   nn_m4_plane_1, block_1
    plane   nn_m4_plane_2, block_2
