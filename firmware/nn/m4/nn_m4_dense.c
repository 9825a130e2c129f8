#include "nn_m4.h"
#include "nn_m4_requantise.h"

#define CHUNK       4u
#define CHUNK_WORDS 2u

uint32_t nn_m4_dense_bytes(const nn_model *model, const nn_layer *layer) {
    return sizeof(uint32_t) * CHUNK_WORDS * (nn_input_of(model, layer)->channels / CHUNK);
}

static inline int32_t add_four(const uint32_t *words, uint32_t bytes, int32_t sum) {
    const nn_m4_four four = nn_m4_widen(bytes, 0);
    sum = __smlad((int16x2_t)words[0], (int16x2_t)four.even, sum);
    return __smlad((int16x2_t)words[1], (int16x2_t)four.odd, sum);
}

/* Two outputs at a time share what is loaded of the input. words: of the input. Two chunks a turn,
 * so that the core overlaps their loads. */
static inline void add_bytes(const uint32_t *words, uint32_t chunks, const int8_t *first,
                             const int8_t *second, int32_t *sums) {
    int32_t left = sums[0], right = sums[1];
    for (const int8_t *const end = first + CHUNK * (chunks & ~1u); first != end;
         first += 2u * CHUNK, second += 2u * CHUNK, words += 2u * CHUNK_WORDS) {
        const uint32_t a = nn_m4_load(first), b = nn_m4_load(first + CHUNK);
        const uint32_t c = nn_m4_load(second), d = nn_m4_load(second + CHUNK);
        left = add_four(words, a, left);
        right = add_four(words, c, right);
        left = add_four(words + CHUNK_WORDS, b, left);
        right = add_four(words + CHUNK_WORDS, d, right);
    }
    if (chunks % 2u != 0u) {
        left = add_four(words, nn_m4_load(first), left);
        right = add_four(words, nn_m4_load(second), right);
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

/* What every output needs, kept from being read again behind every byte that is written. */
typedef struct {
    const int32_t *multiplier;
    const int8_t *exponent;
    int32_t zero_point;
    int32_t least;
    int32_t most;
} finishing;

static inline int8_t finish(const finishing *by, uint32_t channel, int32_t sum) {
    const int32_t multiplier = by->multiplier[channel], exponent = by->exponent[channel];
    const int32_t value = NN_DOUBLE_ROUNDING ? nn_scale_double(sum, multiplier, exponent)
                                             : nn_scale_single(sum, multiplier, exponent);
    return (int8_t)nn_clamp(value + by->zero_point, by->least, by->most);
}

void nn_m4_dense(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                 uint32_t *work) {
    const nn_tensor *from = nn_input_of(model, layer);
    const uint32_t chunks = from->channels / CHUNK;
    const uint32_t row_bytes = layer->bits == 4u ? from->channels / 2u : from->channels;
    const uint32_t outputs = nn_output_of(model, layer)->channels;
    const int32_t less = -from->zero_point;
    const int16x2_t more = (int16x2_t)nn_m4_pair(less, less);
    const int32_t *const bias = layer->bias;
    const int8_t *const weights = layer->weights;
    const bool halves = layer->bits == 4u;
    const finishing by = {layer->multiplier, layer->exponent,
                          nn_output_of(model, layer)->zero_point, layer->least, layer->most};

    for (uint32_t i = 0; i < chunks; i++) {
        const nn_m4_four four = nn_m4_widen(nn_m4_load(in + CHUNK * i), more);
        work[CHUNK_WORDS * i] = four.even;
        work[CHUNK_WORDS * i + 1u] = four.odd;
    }
    for (uint32_t channel = 0; channel < outputs; channel += 2u) {
        /* An odd number's last output is its own neighbour. */
        const uint32_t next = channel + 1u < outputs ? channel + 1u : channel;
        int32_t sums[2] = {bias[channel], bias[next]};
        const int8_t *row = weights + channel * row_bytes;
        const int8_t *beside = weights + next * row_bytes;
        if (halves) {
            add_halves(work, chunks, row, beside, sums);
        } else {
            add_bytes(work, chunks, row, beside, sums);
        }
        out[channel] = finish(&by, channel, sums[0]);
        out[next] = finish(&by, next, sums[1]);
    }
}
