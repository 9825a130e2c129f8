#include "nn_m4.h"
#include "nn_scale.h"

#define CHUNK       4u
#define CHUNK_WORDS 2u

bool nn_m4_takes_dense(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer);
    return layer->kind == NN_CONV2D && in->height == 1u && in->width == 1u && layer->rows == 1u &&
           layer->columns == 1u && layer->pool == 1u && in->channels % CHUNK == 0u;
}

uint32_t nn_m4_dense_bytes(const nn_model *model, const nn_layer *layer) {
    return sizeof(uint32_t) * CHUNK_WORDS * (nn_input_of(model, layer)->channels / CHUNK);
}

/* Two outputs at a time share what is loaded of the input. words: of the input. */
static inline void add_bytes(const uint32_t *words, uint32_t chunks, const int8_t *first,
                             const int8_t *second, int32_t *sums) {
    int32_t left = sums[0], right = sums[1];
    for (uint32_t i = 0; i < chunks; i++, words += CHUNK_WORDS) {
        const nn_m4_four a = nn_m4_widen(nn_m4_load(first + CHUNK * i), 0);
        const nn_m4_four b = nn_m4_widen(nn_m4_load(second + CHUNK * i), 0);
        left = __smlad((int16x2_t)words[0], (int16x2_t)a.even, left);
        right = __smlad((int16x2_t)words[0], (int16x2_t)b.even, right);
        left = __smlad((int16x2_t)words[1], (int16x2_t)a.odd, left);
        right = __smlad((int16x2_t)words[1], (int16x2_t)b.odd, right);
    }
    sums[0] = left;
    sums[1] = right;
}

/* The same under 4-bit weights. */
static inline void add_halves(const uint32_t *words, uint32_t chunks, const int8_t *first,
                              const int8_t *second, int32_t *sums) {
    int32_t left = sums[0], right = sums[1];
    for (uint32_t i = 0; i < chunks; i++, words += CHUNK_WORDS) {
        const nn_m4_four a = nn_m4_widen_halves(nn_m4_load_halves(first + 2u * i));
        const nn_m4_four b = nn_m4_widen_halves(nn_m4_load_halves(second + 2u * i));
        left = __smlad((int16x2_t)words[0], (int16x2_t)a.even, left);
        right = __smlad((int16x2_t)words[0], (int16x2_t)b.even, right);
        left = __smlad((int16x2_t)words[1], (int16x2_t)a.odd, left);
        right = __smlad((int16x2_t)words[1], (int16x2_t)b.odd, right);
    }
    sums[0] = left;
    sums[1] = right;
}

static int8_t finish(const nn_model *model, const nn_layer *layer, uint32_t channel, int32_t sum) {
    const int32_t value = nn_scale((nn_rounding)model->rounding, sum, layer->multiplier[channel],
                                   layer->exponent[channel]);
    const int32_t moved = value + nn_output_of(model, layer)->zero_point;
    return (int8_t)nn_clamp(moved, layer->least, layer->most);
}

void nn_m4_dense(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                 uint32_t *work) {
    const nn_tensor *from = nn_input_of(model, layer);
    const uint32_t chunks = from->channels / CHUNK;
    const uint32_t row_bytes = layer->bits == 4u ? from->channels / 2u : from->channels;
    const uint32_t outputs = nn_output_of(model, layer)->channels;
    const int32_t less = -from->zero_point;
    const int16x2_t more = (int16x2_t)nn_m4_pair(less, less);

    for (uint32_t i = 0; i < chunks; i++) {
        const nn_m4_four four = nn_m4_widen(nn_m4_load(in + CHUNK * i), more);
        work[CHUNK_WORDS * i] = four.even;
        work[CHUNK_WORDS * i + 1u] = four.odd;
    }
    for (uint32_t channel = 0; channel < outputs; channel += 2u) {
        /* An odd number's last output is its own neighbour. */
        const uint32_t next = channel + 1u < outputs ? channel + 1u : channel;
        int32_t sums[2] = {layer->bias[channel], layer->bias[next]};
        const int8_t *row = layer->weights + channel * row_bytes;
        const int8_t *beside = layer->weights + next * row_bytes;
        if (layer->bits == 4u) {
            add_halves(work, chunks, row, beside, sums);
        } else {
            add_bytes(work, chunks, row, beside, sums);
        }
        out[channel] = finish(model, layer, channel, sums[0]);
        out[next] = finish(model, layer, next, sums[1]);
    }
}
