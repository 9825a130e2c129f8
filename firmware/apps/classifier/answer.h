/*
 * What the network says of its input, as the fields of a result line. The model chooses:
 *
 *   class=<n> score=<n>                       MODEL_TASK_CLASSES
 *   error=<real>                              MODEL_TASK_ERROR: the mean squared difference of
 *                                             output and input, as real numbers
 *   values=<real>[,<real>...]                 MODEL_TASK_VALUES: up to eight outputs
 *   outputs=<n> crc32=<8 hex digits>          MODEL_TASK_VALUES: more of them
 *
 * A real number has six decimals. boardless_models.graph.answer computes the same, to the digit.
 */
#ifndef APP_ANSWER_H
#define APP_ANSWER_H

#include <stdint.h>

#include "apps/common/print.h"
#include "nn/nn.h"

#define MODEL_TASK_CLASSES 0
#define MODEL_TASK_ERROR   1
#define MODEL_TASK_VALUES  2

/* Before nn_run, which writes over its input: what the answer needs of it. */
void answer_keep(const uint8_t *input);

/* Appends the fields; scratch is as nn_run left it. */
void answer_print(print_line *line, const nn_result *result, const void *scratch);

#endif
