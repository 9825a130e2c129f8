#include "apps/classifier/answer.h"

#include <stdbool.h>
#include <string.h>

#include "apps/classifier/layer_print.h"
#include "generated/model.h"

#if MODEL_TASK == MODEL_TASK_CLASSES

void answer_keep(const uint8_t *input) {
    (void)input;
}

void answer_print(print_line *line, const nn_result *result, const void *scratch) {
    (void)scratch;
    print_field(line, "class", result->class_index);
    print_field(line, "score", result->score);
}

#else

#define MICRO 1000000u

/* value: in millionths. */
static void print_real(print_line *line, bool negative, uint64_t value) {
    print_text(line, negative ? "-" : "");
    print_unsigned(line, (uint32_t)(value / MICRO));
    print_text(line, ".");
    uint32_t fraction = (uint32_t)(value % MICRO);
    for (uint32_t place = MICRO / 10u; place > 0u; place /= 10u) {
        print_unsigned(line, fraction / place % 10u);
    }
}

#endif

#if MODEL_TASK == MODEL_TASK_ERROR

#define FRACTION_BITS 6u

static uint8_t kept[MODEL_INPUT_BYTES];

void answer_keep(const uint8_t *input) {
    memcpy(kept, input, sizeof kept);
}

/*
 * A step of the input and one of the output are MODEL_ERROR_INPUT and MODEL_ERROR_OUTPUT of at most
 * 14 bits, in units of 2^-MODEL_ERROR_SHIFT: 65,536 squares of their differences fit 64 bits.
 */
void answer_print(print_line *line, const nn_result *result, const void *scratch) {
    (void)result;
    const int8_t *output = nn_output(&model_network, scratch);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < MODEL_INPUT_BYTES; i++) {
        const int32_t given = kept[i] - 128 - MODEL_INPUT_ZERO_POINT;
        const int32_t found = output[i] - MODEL_OUTPUT_ZERO_POINT;
        const int32_t apart = found * MODEL_ERROR_OUTPUT - given * MODEL_ERROR_INPUT;
        sum += (uint64_t)((int64_t)apart * apart);
    }
    const uint64_t mean = (sum / MODEL_INPUT_BYTES) >> FRACTION_BITS;
    print_text(line, " error=");
    print_real(line, false, mean * MICRO >> (2u * MODEL_ERROR_SHIFT - FRACTION_BITS));
}

#elif MODEL_TASK == MODEL_TASK_VALUES

#define MOST_VALUES    8u
#define NANO_PER_MICRO 1000u

void answer_keep(const uint8_t *input) {
    (void)input;
}

static void print_value(print_line *line, int32_t steps) {
    const uint64_t size = (uint64_t)(steps < 0 ? -steps : steps) * MODEL_OUTPUT_NANO;
    print_real(line, steps < 0, (size + NANO_PER_MICRO / 2u) / NANO_PER_MICRO);
}

void answer_print(print_line *line, const nn_result *result, const void *scratch) {
    (void)result;
    const int8_t *output = nn_output(&model_network, scratch);
    if (MODEL_OUTPUTS > MOST_VALUES) {
        print_field(line, "outputs", MODEL_OUTPUTS);
        layer_print_crc32(line, output, MODEL_OUTPUTS);
        return;
    }
    print_text(line, " values=");
    for (uint32_t i = 0; i < MODEL_OUTPUTS; i++) {
        print_text(line, i == 0u ? "" : ",");
        print_value(line, output[i] - MODEL_OUTPUT_ZERO_POINT);
    }
}

#endif
