#include <stddef.h>

#include "nn_m4.h"
#include "nn_m4_gather_sums.h"

#define CHUNK       4u /* taps */
#define CHUNK_WORDS 2u
#define PAIR        2u /* pixels that stand side by side */
/* What a batch of pixels with its weights may take: more of them widen weights less often. */
#define ROOM_BYTES  16384u
#define LEAST_BATCH 8u

_Static_assert(offsetof(nn_m4_gathered, count) == 24 && sizeof(nn_m4_gathered) == 28,
               "nn_m4_gather_sums.S takes nn_m4_gathered as seven words");
_Static_assert(offsetof(nn_m4_channels, scaling) == 16 &&
                   offsetof(nn_m4_channels, zero_point) == 64,
               "nn_m4_gather_sums.S takes nn_m4_channels as seventeen words");

/* How the taps of a window stand in a row of words. */
typedef struct {
    uint32_t run;    /* bytes of one row of a window */
    uint32_t heads;  /* whole words of them */
    uint32_t tail;   /* bytes that are left */
    uint32_t chunks; /* of a window: heads of all rows, then all tails */
    uint32_t words;
    uint32_t window; /* bytes */
    uint32_t pixels; /* of the output */
    uint32_t batch;  /* of them at a time: even, or one more than there are */
} shape;

/* Where the parts of the work begin, in words; the gathered pixels come first. */
typedef struct {
    uint32_t weights; /* [words, 4] */
    uint32_t window;  /* one window as bytes: over the border, or 4-bit weights unpacked */
    uint32_t spare;   /* [batch, 4] bytes: channels that are no group of four */
    uint32_t end;
} room;

static shape shape_of(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer), *out = nn_output_of(model, layer);
    shape of = {.run = (uint32_t)layer->columns * in->channels};
    of.heads = of.run / CHUNK;
    of.tail = of.run % CHUNK;
    of.chunks = layer->rows * of.heads + (layer->rows * of.tail + CHUNK - 1u) / CHUNK;
    of.words = CHUNK_WORDS * of.chunks;
    of.window = layer->rows * of.run;
    of.pixels = (uint32_t)out->height * out->width;
    const uint32_t fixed = of.words * NN_M4_GROUP + (of.window + 3u) / sizeof(uint32_t);
    const uint32_t all = ROOM_BYTES / sizeof(uint32_t);
    of.batch = all > fixed ? (all - fixed) / of.words : 0u;
    of.batch = of.batch < LEAST_BATCH ? LEAST_BATCH : of.batch;
    of.batch = of.batch > of.pixels ? of.pixels : of.batch;
    of.batch += of.batch % PAIR;
    return of;
}

static room room_of(const shape *of, const nn_tensor *out) {
    room parts = {.weights = of->batch * of->words};
    parts.window = parts.weights + of->words * NN_M4_GROUP;
    parts.spare = parts.window + (of->window + 3u) / sizeof(uint32_t);
    parts.end = parts.spare + (out->channels % NN_M4_GROUP != 0u ? of->batch : 0u);
    return parts;
}

uint32_t nn_m4_gather_bytes(const nn_model *model, const nn_layer *layer) {
    const shape of = shape_of(model, layer);
    return sizeof(uint32_t) * room_of(&of, nn_output_of(model, layer)).end;
}

/* Words of four bytes become two each, `apart` words from one to the next. Four at a time, so that
 * the core overlaps their loads. */
static inline uint32_t *widen(const int8_t *from, uint32_t count, int16x2_t more, uint32_t apart,
                              uint32_t *to) {
    for (; count >= 4u; count -= 4u, from += 4u * CHUNK) {
        const nn_m4_four a = nn_m4_widen(nn_m4_load(from), more);
        const nn_m4_four b = nn_m4_widen(nn_m4_load(from + CHUNK), more);
        const nn_m4_four c = nn_m4_widen(nn_m4_load(from + 2u * CHUNK), more);
        const nn_m4_four d = nn_m4_widen(nn_m4_load(from + 3u * CHUNK), more);
        to[0] = a.even;
        to[apart] = a.odd;
        to[2u * apart] = b.even;
        to[3u * apart] = b.odd;
        to[4u * apart] = c.even;
        to[5u * apart] = c.odd;
        to[6u * apart] = d.even;
        to[7u * apart] = d.odd;
        to += 8u * apart;
    }
    for (; count > 0u; count--, from += CHUNK, to += CHUNK_WORDS * apart) {
        const nn_m4_four four = nn_m4_widen(nn_m4_load(from), more);
        to[0] = four.even;
        to[apart] = four.odd;
    }
    return to;
}

/* A window whose rows lie `row` bytes apart, as one row of words `apart` words from one another:
 * the whole words of every row, then what is left of all of them, filled up with zeros. */
static inline void gather(const nn_layer *layer, const shape *of, const int8_t *from, uint32_t row,
                          int16x2_t more, uint32_t apart, uint32_t *to) {
    const int8_t *run = from;
    for (uint32_t i = layer->rows; i > 0u; i--, run += row) {
        to = widen(run, of->heads, more, apart, to);
    }
    if (of->tail == 0u) {
        return;
    }
    const int32_t add = (int16_t)more;
    uint32_t number = 0u, low = 0u;
    run = from + CHUNK * of->heads;
    for (uint32_t i = layer->rows; i > 0u; i--, run += row) {
        for (uint32_t k = 0; k < of->tail; k++, number++) {
            const uint32_t half = (uint32_t)(run[k] + add) & 0xFFFFu;
            if (number % 2u == 0u) {
                low = half;
            } else {
                *to = low | half << 16;
                to += apart;
            }
        }
    }
    for (; number % CHUNK != 0u; number++) {
        if (number % 2u == 0u) {
            low = 0u;
        } else {
            *to = low;
            to += apart;
            low = 0u;
        }
    }
}

/* A window that reaches over the border at (y, x), as bytes: what is outside is the zero point. */
static void copy_window(const nn_layer *layer, const shape *of, const nn_tensor *from,
                        const int8_t *in, int32_t y, int32_t x, int8_t *to) {
    const int32_t width = from->width, channels = from->channels;
    const int32_t left = x < 0 ? -x : 0;
    const int32_t right = x + layer->columns > width ? width - x : layer->columns;

    memset(to, from->zero_point, of->window);
    for (int32_t row = 0; row < layer->rows; row++, y++, to += of->run) {
        if (y >= 0 && y < from->height && right > left) {
            memcpy(to + left * channels, in + (y * width + x + left) * channels,
                   (uint32_t)((right - left) * channels));
        }
    }
}

/* Where the next window stands. */
typedef struct {
    int32_t y;
    int32_t x;
} place;

/* Windows of one pixel, side by side: what gather makes of them, in a loop of its own. */
static void gather_points(const shape *of, const int8_t *in, int16x2_t more, uint32_t count,
                          uint32_t *values) {
    for (uint32_t i = 0; i < count; i++, in += of->run) {
        widen(in, of->heads, more, PAIR, values + i / PAIR * PAIR * of->words + i % PAIR);
    }
}

static bool has_points(const nn_layer *layer, const shape *of) {
    return of->window == of->run && layer->columns == 1u && layer->stride_rows == 1u &&
           layer->stride_columns == 1u && of->tail == 0u;
}

static void gather_batch(const nn_layer *layer, const shape *of, const nn_tensor *from,
                         const int8_t *in, place *at, int32_t end_x, uint32_t count,
                         uint32_t *values, int8_t *window) {
    const int16x2_t more = (int16x2_t)nn_m4_pair(-from->zero_point, -from->zero_point);
    const uint32_t row = (uint32_t)from->width * from->channels;
    const int32_t last_y = from->height - layer->rows, last_x = from->width - layer->columns;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t *const to = values + i / PAIR * PAIR * of->words + i % PAIR;
        if (at->x >= 0 && at->y >= 0 && at->x <= last_x && at->y <= last_y) {
            const int8_t *first = in + (at->y * from->width + at->x) * from->channels;
            gather(layer, of, first, row, more, PAIR, to);
        } else {
            copy_window(layer, of, from, in, at->y, at->x, window);
            gather(layer, of, window, of->run, more, PAIR, to);
        }
        at->x += layer->stride_columns;
        if (at->x == end_x) {
            at->x = -layer->left;
            at->y += layer->stride_rows;
        }
    }
}

/* One output channel's weights in the order of the values; window: room to unpack 4 bits. */
static void widen_channel(const nn_layer *layer, const shape *of, uint32_t channel, int8_t *window,
                          uint32_t *to) {
    const int8_t *from = layer->weights + channel * of->window;
    if (layer->bits == 4u) {
        for (uint32_t i = 0; i < of->window; i++) {
            window[i] = (int8_t)nn_half_weight(layer->weights, channel * of->window + i);
        }
        from = window;
    }
    gather(layer, of, from, of->run, 0, NN_M4_GROUP, to);
}

/* Four channels of a batch of pixels; of a last group that is not whole the last one stands again.
 * out: the first pixel of the batch. */
static void run_group(const nn_layer *layer, const shape *of, const nn_tensor *to, uint32_t channel,
                      uint32_t count, uint32_t *work, int8_t *out) {
    const room parts = room_of(of, to);
    const uint32_t left = to->channels - channel;
    const bool whole = left >= NN_M4_GROUP;
    int8_t *const made = whole ? out + channel : (int8_t *)(work + parts.spare);
    nn_m4_channels four = {.zero_point = to->zero_point};

    for (uint32_t k = 0; k < NN_M4_GROUP; k++) {
        const uint32_t own = channel + (k < left ? k : left - 1u);
        four.bias[k] = layer->bias[own];
        four.scaling[k] = nn_m4_scaling_of(layer, own, to->zero_point);
        widen_channel(layer, of, own, (int8_t *)(work + parts.window), work + parts.weights + k);
    }
    const nn_m4_gathered gathered = {
        .values = work,
        .weights = work + parts.weights,
        .chunks = of->chunks,
        .channels = &four,
        .out = made,
        .step_bytes = whole ? to->channels : NN_M4_GROUP,
        .count = count,
    };
    nn_m4_gather_sums(&gathered);
    for (uint32_t i = 0; !whole && i < count; i++) {
        memcpy(out + i * to->channels + channel, made + i * NN_M4_GROUP, left);
    }
}

void nn_m4_gather(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                  uint32_t *work) {
    const nn_tensor *from = nn_input_of(model, layer), *to = nn_output_of(model, layer);
    const shape of = shape_of(model, layer);
    const room parts = room_of(&of, to);
    const int32_t end_x = (int32_t)to->width * layer->stride_columns - layer->left;
    const int16x2_t more = (int16x2_t)nn_m4_pair(-from->zero_point, -from->zero_point);
    place at = {-layer->top, -layer->left};

    for (uint32_t first = 0; first < of.pixels; first += of.batch) {
        const uint32_t left = of.pixels - first;
        const uint32_t count = left < of.batch ? left : of.batch;
        if (has_points(layer, &of)) {
            gather_points(&of, in + first * of.run, more, count, work);
        } else {
            gather_batch(layer, &of, from, in, &at, end_x, count, work,
                         (int8_t *)(work + parts.window));
        }
        for (uint32_t channel = 0; channel < to->channels; channel += NN_M4_GROUP) {
            run_group(layer, &of, to, channel, count, work, out + first * to->channels);
        }
    }
}
