/*
 * nn_score: from logits to a class and a percentage, in integers.
 *
 * The softmax is taken in powers of two: a logit that is d steps below the winner counts
 * 2^-(d * score_step / 4096), rounded to sixteenths of an exponent and looked up in a table.
 */
#ifndef NN_SCORE_H
#define NN_SCORE_H

#include <stdint.h>

#include "nn_model.h"

/* logits: [count] int8, count at least one. */
nn_result nn_score(const nn_model *model, const int8_t *logits, uint32_t count);

#endif
