/*
 * nn_dsp: the Cortex-M4 instructions that the kernels are written in, and the same in plain C.
 *
 * A pair is two int16 in one word: the first in the low half, the second in the high half. On a
 * core with the DSP extension each function is one instruction; elsewhere it is its definition.
 */
#ifndef NN_DSP_H
#define NN_DSP_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

typedef uint32_t nn_pair;

static inline int32_t nn_low(nn_pair pair) {
    return (int16_t)(uint16_t)pair;
}

static inline int32_t nn_high(nn_pair pair) {
    return (int16_t)(uint16_t)(pair >> 16);
}

static inline nn_pair nn_pack(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
}

/* Two neighbouring words. */
typedef struct {
    nn_pair first;
    nn_pair second;
} nn_two_pairs;

/* Four bytes in memory order, the first in the lowest bits. */
static inline uint32_t nn_load_bytes(const int8_t *bytes) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

#if defined(__ARM_FEATURE_DSP)

/* sum + a.low * b.low + a.high * b.high */
static inline int32_t nn_multiply_pairs(nn_pair a, nn_pair b, int32_t sum) {
    return __smlad((int16x2_t)a, (int16x2_t)b, sum);
}

/* sum + a.low * b.low */
static inline int32_t nn_multiply_low(nn_pair a, nn_pair b, int32_t sum) {
    return __smlabb((int32_t)a, (int32_t)b, sum);
}

/* sum + a.high * b.high */
static inline int32_t nn_multiply_high(nn_pair a, nn_pair b, int32_t sum) {
    return __smlatt((int32_t)a, (int32_t)b, sum);
}

/* Bytes 0 and 2, each sign-extended to a half. */
static inline nn_pair nn_even_bytes(uint32_t bytes) {
    return (nn_pair)__sxtb16((int8x4_t)bytes);
}

/* Eight less in each half. */
static inline nn_pair nn_less_eight(nn_pair pair) {
    return (nn_pair)__ssub16((int16x2_t)pair, 0x00080008);
}

/* Read two words and step over them. The compiler does not find LDRD with write-back by itself. */
static inline nn_two_pairs nn_take_pairs(const nn_pair **words) {
    nn_two_pairs two;
    __asm volatile("ldrd %0, %1, [%2], #8"
                   : "=&r"(two.first), "=&r"(two.second), "+r"(*words)
                   :
                   : "memory");
    return two;
}

#else

static inline int32_t nn_multiply_pairs(nn_pair a, nn_pair b, int32_t sum) {
    return sum + nn_low(a) * nn_low(b) + nn_high(a) * nn_high(b);
}

static inline int32_t nn_multiply_low(nn_pair a, nn_pair b, int32_t sum) {
    return sum + nn_low(a) * nn_low(b);
}

static inline int32_t nn_multiply_high(nn_pair a, nn_pair b, int32_t sum) {
    return sum + nn_high(a) * nn_high(b);
}

static inline nn_pair nn_even_bytes(uint32_t bytes) {
    return nn_pack((int8_t)(uint8_t)bytes, (int8_t)(uint8_t)(bytes >> 16));
}

static inline nn_pair nn_less_eight(nn_pair pair) {
    return nn_pack(nn_low(pair) - 8, nn_high(pair) - 8);
}

static inline nn_two_pairs nn_take_pairs(const nn_pair **words) {
    const nn_two_pairs two = {(*words)[0], (*words)[1]};
    *words += 2;
    return two;
}

#endif

/* Bytes 1 and 3, each sign-extended to a half. */
static inline nn_pair nn_odd_bytes(uint32_t bytes) {
    return nn_even_bytes(bytes >> 8 | bytes << 24);
}

/* The index-th of the four pairs of 4-bit weights that a word holds (see nn_model.h). */
static inline nn_pair nn_nibbles(uint32_t word, uint32_t index) {
    return nn_less_eight(word >> (4u * index) & 0x000F000Fu);
}

#endif
