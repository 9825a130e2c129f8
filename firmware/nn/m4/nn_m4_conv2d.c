#include <stddef.h>

#include "nn_m4.h"
#include "nn_m4_conv2d_row.h"

#define SIDE        3u /* of a 3x3 window */
#define CHUNK       4u /* channels of a plane */
#define CHUNK_WORDS 2u

_Static_assert(offsetof(nn_m4_channels, scaling) == 16 && sizeof(nn_m4_scaling) == 12 &&
                   offsetof(nn_m4_channels, zero_point) == 64,
               "nn_m4_conv2d_row.S knows nn_m4_channels by these offsets");
_Static_assert(offsetof(nn_m4_row, lower_bytes) == 32 && sizeof(nn_m4_row) == 36,
               "nn_m4_conv2d_row.S takes nn_m4_row as nine words");

/* How the input lies in its planes. */
typedef struct {
    uint32_t chunks;
    uint32_t columns; /* with the border */
    uint32_t rows;
    uint32_t border;     /* 1 around the values, or none */
    uint32_t window;     /* rows of planes in a window */
    uint32_t side;       /* columns of a window */
    uint32_t group_taps; /* words of four channels' weights */
} shape;

/*
 * The rows of a window of one grey channel are taken as channels: a pixel of the plane holds the
 * one above it, the one below, itself and 0, and the window is 1x3 over these four.
 */
static bool has_grey_rows(const nn_layer *layer, const nn_tensor *in) {
    return in->channels == 1u && layer->rows == SIDE;
}

static shape shape_of(const nn_layer *layer, const nn_tensor *in) {
    const uint32_t border = layer->left;
    const bool grey = has_grey_rows(layer, in);
    shape planes = {
        .chunks = grey ? 1u : in->channels / CHUNK,
        /* Two pixels at a time: an odd row's last window is read with the one after it. */
        .columns = in->width + 2u * border + in->width % 2u,
        .rows = in->height + 2u * border,
        .border = border,
        .window = grey ? 1u : layer->rows,
        .side = layer->columns,
    };
    planes.group_taps = planes.window * planes.chunks * CHUNK_WORDS * planes.side * NN_M4_GROUP;
    return planes;
}

static uint32_t plane_words(const shape *planes) {
    return planes->columns * CHUNK_WORDS;
}

static uint32_t row_words(const shape *planes) {
    return planes->chunks * plane_words(planes);
}

uint32_t nn_m4_conv2d_bytes(const nn_model *model, const nn_layer *layer) {
    const shape planes = shape_of(layer, nn_input_of(model, layer));
    return sizeof(uint32_t) * (planes.rows * row_words(&planes) + planes.group_taps);
}

static void clear(uint32_t *words, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        words[i] = 0u;
    }
}

/* What stands around the values of width columns, in every plane of every row. */
static void clear_border(const shape *planes, uint32_t width, uint32_t *words) {
    const uint32_t row = row_words(planes), plane = plane_words(planes);
    const uint32_t left = planes->border * CHUNK_WORDS, values = width * CHUNK_WORDS;

    clear(words, planes->border * row);
    words += planes->border * row;
    for (uint32_t i = 0; i < (planes->rows - 2u * planes->border) * planes->chunks; i++) {
        clear(words, left);
        clear(words + left + values, plane - left - values);
        words += plane;
    }
    clear(words, planes->border * row);
}

/* The planes of in, [H,W,C], less its zero point. */
static void fill_planes(const shape *planes, const nn_tensor *tensor, const int8_t *in,
                        uint32_t *words) {
    const int32_t less = -tensor->zero_point;
    const int16x2_t more = (int16x2_t)nn_m4_pair(less, less);
    const uint32_t plane = plane_words(planes);

    clear_border(planes, tensor->width, words);
    for (uint32_t y = 0; y < tensor->height; y++) {
        uint32_t *pixel =
            words + (y + planes->border) * row_words(planes) + planes->border * CHUNK_WORDS;
        for (uint32_t x = 0; x < tensor->width; x++, pixel += CHUNK_WORDS) {
            uint32_t *to = pixel;
            for (uint32_t chunk = 0; chunk < planes->chunks; chunk++, in += CHUNK, to += plane) {
                const nn_m4_four four = nn_m4_widen(nn_m4_load(in), more);
                to[0] = four.even;
                to[1] = four.odd;
            }
        }
    }
}

/* The plane of a grey frame [H,W,1]: a value stands in its own row and in both of its neighbours'.
 * As words a pixel is (above, below), (itself, 0). */
static void fill_grey_plane(const shape *planes, const nn_tensor *tensor, const int8_t *in,
                            uint32_t *words) {
    const uint32_t row = 2u * row_words(planes);
    int16_t *first = (int16_t *)(void *)(words + plane_words(planes) + CHUNK_WORDS);

    clear(words, planes->rows * row_words(planes));
    for (uint32_t y = 0; y < tensor->height; y++, first += row) {
        int16_t *at = first, *above = first - row, *below = first + row;
        for (uint32_t x = 0; x < tensor->width; x++) {
            const int16_t value = (int16_t)(*in++ - tensor->zero_point);
            above[1] = value;
            below[0] = value;
            at[2] = value;
            at += CHUNK;
            above += CHUNK;
            below += CHUNK;
        }
    }
}

/* One column of a window, of one output channel: its chunks are 2 * odd words apart. */
static inline void widen_column_bytes(const int8_t *weights, uint32_t chunks, uint32_t odd,
                                      uint32_t *to) {
    for (const int8_t *const end = weights + chunks * CHUNK; weights != end; weights += CHUNK) {
        const nn_m4_four four = nn_m4_widen(nn_m4_load(weights), 0);
        to[0] = four.even;
        to[odd] = four.odd;
        to += CHUNK_WORDS * odd;
    }
}

static inline void widen_column_halves(const int8_t *weights, uint32_t chunks, uint32_t odd,
                                       uint32_t *to) {
    for (const int8_t *const end = weights + chunks * 2u; weights != end; weights += 2u) {
        const nn_m4_four four = nn_m4_widen_halves(nn_m4_load_halves(weights));
        to[0] = four.even;
        to[odd] = four.odd;
        to += CHUNK_WORDS * odd;
    }
}

/* words: [rows of a window, chunks, 2, columns, 4] of four output channels. */
static void widen_weights(const nn_layer *layer, const shape *planes, uint32_t channel,
                          uint32_t *words) {
    const uint32_t side = planes->side, chunks = planes->chunks;
    const uint32_t odd = side * NN_M4_GROUP; /* from a chunk's first word to its second */
    const uint32_t bytes = layer->bits == 4u ? CHUNK / 2u : CHUNK;
    const int8_t *weights = layer->weights + channel * planes->window * side * chunks * bytes;

    for (uint32_t k = 0; k < NN_M4_GROUP; k++) {
        for (uint32_t row = 0; row < planes->window; row++) {
            for (uint32_t column = 0; column < side; column++) {
                uint32_t *to = words + row * chunks * CHUNK_WORDS * odd + column * NN_M4_GROUP + k;
                if (layer->bits == 4u) {
                    widen_column_halves(weights, chunks, odd, to);
                } else {
                    widen_column_bytes(weights, chunks, odd, to);
                }
                weights += chunks * bytes;
            }
        }
    }
}

static int32_t weight_at(const nn_layer *layer, uint32_t index) {
    return layer->bits == 4u ? nn_half_weight(layer->weights, index) : layer->weights[index];
}

/* words: [2, columns, 4]; the three rows of a column stand as its channels. */
static void widen_grey_weights(const nn_layer *layer, uint32_t channel, uint32_t *words) {
    for (uint32_t k = 0; k < NN_M4_GROUP; k++) {
        for (uint32_t column = 0; column < SIDE; column++) {
            const uint32_t first = (channel + k) * SIDE * SIDE + column;
            const int32_t upper = weight_at(layer, first);
            const int32_t middle = weight_at(layer, first + SIDE);
            const int32_t lower = weight_at(layer, first + 2u * SIDE);
            words[column * NN_M4_GROUP + k] = nn_m4_pair(upper, lower);
            words[(SIDE + column) * NN_M4_GROUP + k] = nn_m4_pair(middle, 0);
        }
    }
}

static nn_m4_channels channels_of(const nn_layer *layer, uint32_t first, int32_t zero_point) {
    nn_m4_channels four = {.zero_point = zero_point};
    for (uint32_t k = 0; k < NN_M4_GROUP; k++) {
        four.bias[k] = layer->bias[first + k];
        four.scaling[k] = nn_m4_scaling_of(layer, first + k, zero_point);
    }
    return four;
}

static void run_row(const nn_layer *layer, const nn_m4_row *row) {
    if (layer->columns == SIDE) {
        if (layer->pool == 2u) {
            nn_m4_conv2d_row3_pool(row);
        } else {
            nn_m4_conv2d_row3(row);
        }
    } else if (layer->pool == 2u) {
        nn_m4_conv2d_row1_pool(row);
    } else {
        nn_m4_conv2d_row1(row);
    }
}

void nn_m4_conv2d(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                  uint32_t *work) {
    const nn_tensor *from = nn_input_of(model, layer);
    const nn_tensor *to = nn_output_of(model, layer);
    const shape planes = shape_of(layer, from);
    const bool grey = has_grey_rows(layer, from);
    const uint32_t *const first = grey ? work + row_words(&planes) : work;
    uint32_t *const weights = work + planes.rows * row_words(&planes);

    if (grey) {
        fill_grey_plane(&planes, from, in, work);
    } else {
        fill_planes(&planes, from, in, work);
    }
    for (uint32_t channel = 0; channel < to->channels; channel += NN_M4_GROUP) {
        const nn_m4_channels four = channels_of(layer, channel, to->zero_point);
        if (grey) {
            widen_grey_weights(layer, channel, weights);
        } else {
            widen_weights(layer, &planes, channel, weights);
        }
        for (uint32_t y = 0; y < to->height; y++) {
            const nn_m4_row row = {
                .window = first + y * layer->pool * row_words(&planes),
                .weights = weights,
                .weights_end = weights + planes.group_taps,
                .plane_bytes = sizeof(uint32_t) * plane_words(&planes),
                .channels = &four,
                .out = out + y * to->width * to->channels + channel,
                .step_bytes = to->channels,
                .count = to->width,
                .lower_bytes = sizeof(uint32_t) * row_words(&planes),
            };
            run_row(layer, &row);
        }
    }
}
