#include "nn_m4.h"
#include "nn_scale.h"

#define FOUR 4u

/* What every sum begins with: a half, and the zero points, of which the output's goes through the
 * shift unharmed. Unsigned, since between the terms it may leave 32 bits; the sum does not. */
static uint32_t base_of(const nn_model *model, const nn_layer *layer) {
    const int32_t *factor = layer->multiplier;
    const uint32_t first = (uint32_t)(nn_input_of(model, layer)->zero_point * factor[0]);
    const uint32_t second = (uint32_t)(model->tensors[layer->second].zero_point * factor[1]);
    const uint32_t shift = (uint32_t)factor[2];
    const uint32_t out = (uint32_t)(int32_t)nn_output_of(model, layer)->zero_point << shift;
    return (UINT32_C(1) << (shift - 1u)) + out - first - second;
}

void nn_m4_add(const nn_model *model, const nn_layer *layer, const int8_t *first,
               const int8_t *second, int8_t *out) {
    const int32_t one = layer->multiplier[0], two = layer->multiplier[1];
    const int32_t shift = layer->multiplier[2], base = (int32_t)base_of(model, layer);
    const uint32_t size = nn_size_of(nn_output_of(model, layer));
    uint32_t i = 0;

    /* A word of either at a time: a byte is loaded in two cycles, taken from a word in one. */
    for (; i + FOUR <= size; i += FOUR) {
        const uint32_t a = nn_m4_load(first + i), b = nn_m4_load(second + i);
        uint32_t made = 0u;
#pragma GCC unroll 4
        for (uint32_t bit = 0; bit < 32u; bit += 8u) {
            const int32_t sum = base + (int8_t)(a >> bit) * one + (int8_t)(b >> bit) * two;
            made |= ((uint32_t)nn_clamp(sum >> shift, INT8_MIN, INT8_MAX) & 0xFFu) << bit;
        }
        memcpy(out + i, &made, sizeof made);
    }
    for (; i < size; i++) {
        const int32_t sum = base + first[i] * one + second[i] * two;
        out[i] = (int8_t)nn_clamp(sum >> shift, INT8_MIN, INT8_MAX);
    }
}
