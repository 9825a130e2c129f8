/*
 * Two gathered pixels of four output channels at a time: see nn_m4_gather_sums.h and nn_m4.h.
 *
 *     r0         values of the two pixels, side by side
 *     r1         weights of the four channels
 *     r2, r3     a word of either pixel
 *     r4, r5     weights of two channels
 *     r6-r9      sums of the left pixel, four channels
 *     r10-r12,lr sums of the right pixel
 *
 * What a pair of pixels begins and ends with stands in the registers of the FPU, which VMOV reads
 * in one cycle: the stack would take two.
 */
#include "nn_m4_macros.inc"

/* s0: where the weights begin. s1: where those end that are no whole turn, which come first. s2:
 * where all end. s4-s7: bias. s8-s19: scaling. */
#define OUT   s20
#define STEP  s21
#define COUNT s22

#define TURN          4 /* chunks of the loop */
#define CHUNK_VALUES  16 /* bytes */
#define CHUNK_WEIGHTS 32

#define FRAME_BYTES 4
#define ZERO_POINT  0 /* of the output, in the frame: double only */

/* One word of either pixel: sixteen multiplications. */
.macro word number
    ldr     r2, [r0, #8 * \number]
    ldr     r3, [r0, #8 * \number + 4]
    ldr     r4, [r1, #16 * \number]
    ldr     r5, [r1, #16 * \number + 4]
    smlad   r6, r2, r4, r6
    smlad   r10, r3, r4, r10
    smlad   r7, r2, r5, r7
    smlad   r11, r3, r5, r11
    ldr     r4, [r1, #16 * \number + 8]
    ldr     r5, [r1, #16 * \number + 12]
    smlad   r8, r2, r4, r8
    smlad   r12, r3, r4, r12
    smlad   r9, r2, r5, r9
    smlad   lr, r3, r5, lr
.endm

.macro words from, to
    .if \from < \to
    word    \from
    words   (\from + 1), \to
    .endif
.endm

/* So many chunks at a time until the weights are at their end; none where they are there already. */
.macro turns end, chunks
    vmov    r2, \end
    cmp     r1, r2
    beq     5f
    .balign 8
4:
    words   0, (2 * \chunks)
    add     r0, r0, #\chunks * CHUNK_VALUES
    add     r1, r1, #\chunks * CHUNK_WEIGHTS
    vmov    r2, \end
    cmp     r1, r2
    bne     4b
5:
.endm

.macro requantise sum
    scale   \sum, r1, r2, r3, r4, r5
#if NN_DOUBLE_ROUNDING
    ldr     r5, [sp, #32 + ZERO_POINT]
    add     \sum, \sum, r5
#endif
    ssat    \sum, #8, \sum
.endm

/* The sums of one channel, with the nn_m4_scaling in three registers of the FPU. */
.macro requantise_both multiplier, rounding, shift, left, right
    vmov    r1, \multiplier
    vmov    r2, \rounding
    vmov    r3, \shift
    requantise \left
    requantise \right
.endm

.macro store at, first, second, third, fourth
    strb    \first, [\at]
    strb    \second, [\at, #1]
    strb    \third, [\at, #2]
    strb    \fourth, [\at, #3]
.endm

    function nn_m4_gather_sums, FRAME_BYTES
    vpush   {s16-s23}
    .cfi_adjust_cfa_offset 32
    ldmia   r0!, {r1-r4} /* values, weights, chunks, channels */
    ldmia   r0, {r5-r7}  /* out, step, count */
    vmov    OUT, r5
    vmov    STEP, r6
    vmov    COUNT, r7
    vldmia  r4!, {s4-s7}
    vldmia  r4!, {s8-s19}
#if NN_DOUBLE_ROUNDING
    ldr     r4, [r4]
    str     r4, [sp, #32 + ZERO_POINT]
#endif
    vmov    s0, r2
    and     r5, r3, #TURN - 1
    add     r5, r2, r5, lsl #5
    vmov    s1, r5
    add     r5, r2, r3, lsl #5
    vmov    s2, r5
    mov     r0, r1
1:
    vmov    r1, s0
    vmov    r6, s4
    vmov    r7, s5
    vmov    r8, s6
    vmov    r9, s7
    vmov    r10, s4
    vmov    r11, s5
    vmov    r12, s6
    vmov    lr, s7
    turns   s1, 1
    turns   s2, TURN
    .irp sums, "s8,s9,s10,r6,r10", "s11,s12,s13,r7,r11", "s14,s15,s16,r8,r12", "s17,s18,s19,r9,lr"
    requantise_both \sums
    .endr
    vmov    r4, OUT
    vmov    r5, STEP
    vmov    r1, COUNT
    store   r4, r6, r7, r8, r9
    subs    r1, r1, #1
    beq     3f
    add     r4, r4, r5
    store   r4, r10, r11, r12, lr
    add     r4, r4, r5
    vmov    OUT, r4
    subs    r1, r1, #1
    vmov    COUNT, r1
    bne     1b
3:
    vpop    {s16-s23}
    .cfi_adjust_cfa_offset -32
    return  nn_m4_gather_sums, FRAME_BYTES
