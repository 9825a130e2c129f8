/*
 * The outputs of tiles from their sums: see nn_m4_winograd_sums.h.
 *
 *     r0         sums of the tile
 *     r1-r8      what becomes of them
 *     r9-r12     a row of them
 *     lr         the channel
 */
#include "nn_m4_macros.inc"

#define COUNT       0 /* of tiles left */
#define OUT         4
#define FRAME_BYTES 8

#define TILE_BYTES 256 /* of sums: four channels */
#define ROW_BYTES  16

/* A' m A of the tile at r0, A as of F(2x2, 3x3): r1 and r2 above r5 and r6. */
.macro outputs
    ldmia   r0!, {r1-r4}
    ldmia   r0!, {r5-r8}
    ldmia   r0!, {r9-r12}
    add     r1, r1, r5
    add     r2, r2, r6
    add     r3, r3, r7
    add     r4, r4, r8
    add     r1, r1, r9
    add     r2, r2, r10
    add     r3, r3, r11
    add     r4, r4, r12
    sub     r5, r5, r9
    sub     r6, r6, r10
    sub     r7, r7, r11
    sub     r8, r8, r12
    ldmia   r0!, {r9-r12}
    add     r0, r0, #TILE_BYTES - 4 * ROW_BYTES
    sub     r5, r5, r9
    sub     r6, r6, r10
    sub     r7, r7, r11
    sub     r8, r8, r12
    add     r1, r1, r2
    add     r1, r1, r3
    sub     r2, r2, r3
    sub     r2, r2, r4
    add     r5, r5, r6
    add     r5, r5, r7
    sub     r6, r6, r7
    sub     r6, r6, r8
.endm

/* The weights had been transformed to four times what they are. */
.macro requantise sum
    add     \sum, r3, \sum, asr #2
    scale   \sum, r7, r8, r9, r10, r11
#if NN_DOUBLE_ROUNDING
    add     \sum, \sum, r12
#endif
    ssat    \sum, #8, \sum
.endm

.macro begin name
    function \name, FRAME_BYTES
    mov     lr, r2
    str     r1, [sp, #COUNT]
    str     r3, [sp, #OUT]
1:
    outputs
.endm

/* r4 is where the outputs of the tile went, of so many bytes. */
.macro end name, bytes
    ldr     r3, [sp, #COUNT]
    adds    r4, r4, #\bytes
    subs    r3, r3, #1
    str     r4, [sp, #OUT]
    str     r3, [sp, #COUNT]
    bne     1b
    return  \name, FRAME_BYTES
.endm

    begin   nn_m4_winograd_outputs
    ldmia   lr, {r3, r7, r8, r9, r12}
    requantise r1
    requantise r2
    requantise r5
    requantise r6
    ldr     r4, [sp, #OUT]
    strb    r1, [r4]
    strb    r2, [r4, #1]
    strb    r5, [r4, #2]
    strb    r6, [r4, #3]
    end     nn_m4_winograd_outputs, 4

    begin   nn_m4_winograd_largest
    larger  r1, r2
    larger  r5, r6
    ldmia   lr, {r3, r7, r8, r9, r12}
    larger  r1, r5
    requantise r1
    ldr     r4, [sp, #OUT]
    strb    r1, [r4]
    end     nn_m4_winograd_largest, 1
