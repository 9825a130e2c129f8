#include "nn_score.h"

#define FRACTION_BITS    4u
#define STEP_BITS        8u
#define LARGEST_EXPONENT 31u

/* 2^(-distance/4096) in multiples of 1/32768. */
static uint32_t exponential(const nn_model *model, uint32_t distance) {
    const uint32_t sixteenths = (distance + (1u << (STEP_BITS - 1u))) >> STEP_BITS;
    const uint32_t whole = sixteenths >> FRACTION_BITS;
    if (whole > LARGEST_EXPONENT) {
        return 0u;
    }
    return (uint32_t)model->score_table[sixteenths % NN_SCORE_TABLE_ENTRIES] >> whole;
}

nn_result nn_score(const nn_model *model, const int8_t *logits, uint32_t count) {
    uint32_t winner = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (logits[i] > logits[winner]) {
            winner = i;
        }
    }
    const uint32_t one = model->score_table[0];
    uint32_t total = one;
    for (uint32_t i = 0; i < count; i++) {
        if (i != winner) {
            const uint32_t below = (uint32_t)(logits[winner] - logits[i]);
            total += exponential(model, below * model->score_step);
        }
    }
    const uint32_t percent = (100u * one + total / 2u) / total;
    const nn_result result = {(uint16_t)winner, (uint8_t)percent};
    return result;
}
