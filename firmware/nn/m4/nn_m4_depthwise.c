#include <stddef.h>

#include "nn_m4.h"
#include "nn_m4_plane.h"

#define SIDE   NN_M4_PLANE_SIDE
#define PLANES 4u /* that are filled at once: a word of the input has as many channels */

_Static_assert(offsetof(nn_m4_plane, bias) == 28 && offsetof(nn_m4_plane, scaling) == 32 &&
                   offsetof(nn_m4_plane, out) == 44 && offsetof(nn_m4_plane, lower) == 76 &&
                   sizeof(nn_m4_plane) == 80,
               "nn_m4_plane.S takes nn_m4_plane as twenty words");

/* A plane: its rows and columns of int16, with the border; columns are even. */
typedef struct {
    uint32_t rows;
    uint32_t columns;
    uint32_t words;
} shape;

static shape shape_of(const nn_layer *layer, const nn_tensor *out) {
    const uint32_t pairs = (out->width + 1u) / 2u, stride = layer->stride_rows;
    shape of = {.columns = 2u * stride * pairs + 2u};
    /* Steps of one make two rows of outputs at a time. */
    of.rows = stride == 1u ? out->height + out->height % 2u + 2u : 2u * out->height + 1u;
    of.words = of.rows * of.columns / 2u;
    return of;
}

uint32_t nn_m4_depthwise_bytes(const nn_model *model, const nn_layer *layer) {
    return PLANES * sizeof(uint32_t) * shape_of(layer, nn_output_of(model, layer)).words;
}

/* The low, or the high, halves of two words in one. In C the compiler masks and shifts. */
static inline uint32_t low_halves(uint32_t a, uint32_t b) {
    uint32_t word;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(word) : "r"(a), "r"(b));
    return word;
}

static inline uint32_t high_halves(uint32_t a, uint32_t b) {
    uint32_t word;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(word) : "r"(b), "r"(a));
    return word;
}

/* Two neighbours of four channels: a word in each plane. */
static inline void put_pair(uint32_t *to, uint32_t plane, nn_m4_four a, nn_m4_four b) {
    to[0] = low_halves(a.even, b.even);
    to[plane] = low_halves(a.odd, b.odd);
    to[2u * plane] = high_halves(a.even, b.even);
    to[3u * plane] = high_halves(a.odd, b.odd);
}

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* The planes of four channels of in, [H,W,C], less its zero point; the border is zero already. */
static void fill(const nn_layer *layer, const nn_tensor *from, const shape *of, const int8_t *in,
                 uint32_t *planes) {
    const int16x2_t more = (int16x2_t)nn_m4_pair(-from->zero_point, -from->zero_point);
    const nn_m4_four none = {0u, 0u};
    const uint32_t channels = from->channels, plane = of->words;
    /* A window may end before the input does. */
    const uint32_t rows = least(from->height, of->rows - layer->top);
    const uint32_t columns = least(from->width, of->columns - layer->left);

    for (uint32_t y = 0; y < rows; y++) {
        const int8_t *pixel = in + y * from->width * channels;
        uint32_t *to = planes + (y + layer->top) * of->columns / 2u;
        uint32_t left = columns;
        if (layer->left != 0u) {
            put_pair(to++, plane, none, nn_m4_widen(nn_m4_load(pixel), more));
            pixel += channels;
            left--;
        }
        for (uint32_t i = left / 2u; i > 0u; i--, pixel += 2u * channels) {
            const nn_m4_four a = nn_m4_widen(nn_m4_load(pixel), more);
            const nn_m4_four b = nn_m4_widen(nn_m4_load(pixel + channels), more);
            put_pair(to++, plane, a, b);
        }
        if (left % 2u != 0u) {
            put_pair(to, plane, nn_m4_widen(nn_m4_load(pixel), more), none);
        }
    }
}

static void set_channel(nn_m4_plane *plane, const nn_layer *layer, uint32_t channel) {
    const int8_t *weights = layer->weights + SIDE * SIDE * channel;
    for (uint32_t row = 0; row < SIDE; row++) {
        plane->two[row] = nn_m4_pair(weights[SIDE * row], weights[SIDE * row + 1u]);
    }
    plane->thirds = nn_m4_pair(weights[2], weights[5]);
    plane->third = nn_m4_pair(weights[8], 0);
    plane->bias = layer->bias[channel];
    plane->scaling = nn_m4_scaling_of(layer, channel, plane->zero_point);
}

/* Steps of one: two rows of outputs at a time, then the one that may be left. */
static void run_1(nn_m4_plane plane, const shape *of, uint32_t height, uint32_t row_bytes) {
    plane.rows = height / 2u;
    plane.lower = row_bytes;
    plane.out_skip = row_bytes;
    if (plane.rows != 0u) {
        nn_m4_plane_1(&plane);
    }
    if (height % 2u != 0u) {
        plane.window += plane.rows * of->columns;
        plane.out += plane.rows * 2u * row_bytes;
        plane.rows = 1u;
        plane.lower = 0u;
        nn_m4_plane_1(&plane);
    }
}

void nn_m4_depthwise(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                     uint32_t *work) {
    const nn_tensor *from = nn_input_of(model, layer), *to = nn_output_of(model, layer);
    const shape of = shape_of(layer, to);
    const uint32_t channels = to->channels, stride = layer->stride_rows;
    const uint32_t blocks = to->width / 2u + to->width % 2u;
    nn_m4_plane plane = {
        .row_bytes = sizeof(int16_t) * of.columns,
        .step = channels,
        .pairs = to->width / 2u,
        .odd = to->width % 2u,
        .rows = to->height,
        /* A block is two columns wide for each step; the next row of blocks is two rows below. */
        .in_skip = 2u * sizeof(int16_t) * of.columns - 2u * sizeof(int16_t) * stride * blocks,
        .zero_point = to->zero_point,
    };

    memset(work, 0, PLANES * sizeof(uint32_t) * of.words);
    for (uint32_t channel = 0; channel < channels; channel++) {
        if (channel % PLANES == 0u) {
            fill(layer, from, &of, in + channel, work);
        }
        set_channel(&plane, layer, channel);
        plane.window = work + channel % PLANES * of.words;
        plane.out = out + channel;
        if (stride == 1u) {
            run_1(plane, &of, to->height, to->width * channels);
        } else {
            nn_m4_plane_2(&plane);
        }
    }
}
