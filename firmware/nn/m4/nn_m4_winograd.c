#include <stddef.h>

#include "nn_m4.h"
#include "nn_m4_conv2d_row.h"
#include "nn_m4_winograd_sums.h"

#define SIDE         3u     /* of a window */
#define TILE         4u     /* of the values that two by two outputs need */
#define POSITIONS    16u    /* of a tile */
#define BATCH        8u     /* tiles */
#define PLANES_BYTES 16384u /* that the planes may take, unless one row of tiles needs more */
#define QUARTER      2      /* the weights are transformed to four times what they are */

_Static_assert(sizeof(nn_m4_products) == 20 && offsetof(nn_m4_products, tile_pairs) == 16,
               "nn_m4_winograd_sums.S takes nn_m4_products as five words");
_Static_assert(offsetof(nn_m4_channel, scaling) == 4 && offsetof(nn_m4_channel, zero_point) == 16,
               "nn_m4_winograd_outputs.S takes nn_m4_channel as five words");

/* The input as planes, and how the tiles lie in them. */
typedef struct {
    uint32_t pairs; /* of input channels */
    uint32_t band;  /* rows of tiles that have their planes at a time */
    uint32_t rows;  /* of planes */
    uint32_t columns;
    uint32_t tile_rows;
    uint32_t tile_columns;
} shape;

/* Where the parts of the work begin, in words; the planes, [rows, pairs, columns], come first. */
typedef struct {
    uint32_t weights; /* [groups of four channels, pairs, positions, 4] */
    uint32_t values;  /* [pairs of tiles, pairs, positions, 2] */
    uint32_t sums;    /* [tiles, 4, positions] */
    uint32_t end;
} room;

/* Inlined into one function, the loops would take each other's registers. */
#define OF_ITS_OWN __attribute__((noinline))

static shape shape_of(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer), *out = nn_output_of(model, layer);
    const uint32_t step = layer->pool == 2u ? 1u : 2u; /* outputs of a tile, in a row */
    shape of = {
        .pairs = in->channels / 2u,
        .tile_rows = (out->height + step - 1u) / step,
        .tile_columns = (out->width + step - 1u) / step,
    };
    of.columns = 2u * of.tile_columns + 2u;
    const uint32_t fitting = PLANES_BYTES / (sizeof(uint32_t) * of.pairs * of.columns);
    of.band = fitting < 4u ? 1u : (fitting - 2u) / 2u;
    of.band = of.band > of.tile_rows ? of.tile_rows : of.band;
    of.rows = 2u * of.band + 2u;
    return of;
}

static room room_of(const shape *of, const nn_tensor *out) {
    room parts;
    parts.weights = of->rows * of->pairs * of->columns;
    parts.values = parts.weights + POSITIONS * of->pairs * out->channels;
    parts.sums = parts.values + POSITIONS * of->pairs * BATCH;
    parts.end = parts.sums + POSITIONS * NN_M4_GROUP * BATCH;
    return parts;
}

uint32_t nn_m4_winograd_bytes(const nn_model *model, const nn_layer *layer) {
    const shape of = shape_of(model, layer);
    return sizeof(uint32_t) * room_of(&of, nn_output_of(model, layer)).end;
}

static uint32_t plus(uint32_t a, uint32_t b) {
    return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
}

static uint32_t minus(uint32_t a, uint32_t b) {
    return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
}

/* What the rows of tiles from the first on need of in, [H,W,C], less its zero point; the border and
 * what lies beyond the tensor is zero. */
static void fill_planes(const shape *of, const nn_tensor *tensor, const int8_t *in, uint32_t first,
                        uint32_t *words) {
    const uint32_t above = 2u * first; /* rows of the tensor, with its border, before the planes' */
    const int16x2_t more = (int16x2_t)nn_m4_pair(-tensor->zero_point, -tensor->zero_point);
    const uint32_t row = of->pairs * of->columns, channels = tensor->channels;

    for (uint32_t i = 0; i < of->rows * row; i++) {
        words[i] = 0u;
    }
    for (uint32_t y = above > 0u ? above - 1u : 0u; y < tensor->height && y + 1u < above + of->rows;
         y++) {
        for (uint32_t x = 0; x < tensor->width && x + 1u < of->columns; x++) {
            const int8_t *pixel = in + (y * tensor->width + x) * channels;
            uint32_t *to = words + (y + 1u - above) * row + x + 1u;
            for (const int8_t *const end = pixel + channels; pixel != end; pixel += 4) {
                const nn_m4_four four = nn_m4_widen(nn_m4_load(pixel), more);
                to[0] = four.even;
                to[of->columns] = four.odd;
                to += 2u * of->columns;
            }
        }
    }
}

/* 2G g (2G)', G as of F(2x2, 3x3): taps [3,3] to positions [4,4], four channels to each. */
static void transform_filter(const uint32_t *taps, uint32_t *to) {
    uint32_t rows[TILE][SIDE];
    for (uint32_t j = 0; j < SIDE; j++) {
        const uint32_t outer = plus(taps[j], taps[2u * SIDE + j]), inner = taps[SIDE + j];
        rows[0][j] = plus(taps[j], taps[j]);
        rows[1][j] = plus(outer, inner);
        rows[2][j] = minus(outer, inner);
        rows[3][j] = plus(taps[2u * SIDE + j], taps[2u * SIDE + j]);
    }
    for (uint32_t i = 0; i < TILE; i++, to += TILE * NN_M4_GROUP) {
        const uint32_t outer = plus(rows[i][0], rows[i][2]), inner = rows[i][1];
        to[0] = plus(rows[i][0], rows[i][0]);
        to[NN_M4_GROUP] = plus(outer, inner);
        to[2u * NN_M4_GROUP] = minus(outer, inner);
        to[3u * NN_M4_GROUP] = plus(rows[i][2], rows[i][2]);
    }
}

/* The filters of one output channel; to: of its place in the group. */
OF_ITS_OWN static void transform_channel(const nn_layer *layer, uint32_t pairs, uint32_t number,
                                         uint32_t *to) {
    const uint32_t bytes = layer->bits == 4u ? 2u : 4u; /* of four weights */
    const uint32_t tap_bytes = pairs / 2u * bytes;
    const int8_t *weights = layer->weights + number * SIDE * SIDE * tap_bytes;

    for (uint32_t chunk = 0; chunk < pairs / 2u; chunk++, weights += bytes) {
        uint32_t evens[SIDE * SIDE], odds[SIDE * SIDE];
        for (uint32_t tap = 0; tap < SIDE * SIDE; tap++) {
            const int8_t *from = weights + tap * tap_bytes;
            const nn_m4_four four = layer->bits == 4u ? nn_m4_widen_halves(nn_m4_load_halves(from))
                                                      : nn_m4_widen(nn_m4_load(from), 0);
            evens[tap] = four.even;
            odds[tap] = four.odd;
        }
        transform_filter(evens, to);
        transform_filter(odds, to + POSITIONS * NN_M4_GROUP);
        to += 2u * POSITIONS * NN_M4_GROUP;
    }
}

/* One row of B' d B, from the row of B' d; every other word is another tile's. */
static inline void put_row(uint32_t d0, uint32_t d1, uint32_t d2, uint32_t d3, uint32_t *to) {
    to[0] = minus(d0, d2);
    to[2] = plus(d1, d2);
    to[4] = minus(d2, d1);
    to[6] = minus(d1, d3);
}

static inline void put_difference(const uint32_t *row, const uint32_t *less, uint32_t *to) {
    put_row(minus(row[0], less[0]), minus(row[1], less[1]), minus(row[2], less[2]),
            minus(row[3], less[3]), to);
}

static inline void put_sum(const uint32_t *row, const uint32_t *more, uint32_t *to) {
    put_row(plus(row[0], more[0]), plus(row[1], more[1]), plus(row[2], more[2]),
            plus(row[3], more[3]), to);
}

/* B' d B, B as of F(2x2, 3x3), of every pair of channels of the tile at from; to: its place among
 * the values. */
OF_ITS_OWN static void transform_tile(const shape *of, const uint32_t *from, uint32_t *to) {
    const uint32_t columns = of->columns, row = of->pairs * columns;
    for (const uint32_t *const end = from + row; from != end; from += columns) {
        const uint32_t *second = from + row, *third = second + row, *fourth = third + row;
        put_difference(from, third, to);
        put_sum(second, third, to + 2u * TILE);
        put_difference(third, second, to + 4u * TILE);
        put_difference(second, fourth, to + 6u * TILE);
        to += 2u * POSITIONS;
    }
}

/* The values of `count` tiles from the first on, as the planes count them. */
static void transform_tiles(const shape *of, const uint32_t *planes, uint32_t first, uint32_t count,
                            uint32_t *values) {
    for (uint32_t tile = 0; tile < count; tile++) {
        const uint32_t y = (first + tile) / of->tile_columns;
        const uint32_t x = (first + tile) % of->tile_columns;
        const uint32_t *from = planes + 2u * (y * of->pairs * of->columns + x);
        transform_tile(of, from, values + tile / 2u * 2u * POSITIONS * of->pairs + tile % 2u);
    }
}

/* The sums of four output channels; of an odd count the last tile has a neighbour of no meaning. */
static void sum_products(const shape *of, const uint32_t *values, const uint32_t *weights,
                         uint32_t count, int32_t *sums) {
    const nn_m4_products products = {
        .values = values,
        .weights = weights,
        .sums = sums,
        .weight_bytes = sizeof(uint32_t) * NN_M4_GROUP * POSITIONS * of->pairs,
        .tile_pairs = (count + 1u) / 2u,
    };
    if (of->pairs == 8u) {
        nn_m4_winograd_sums8(&products);
    } else if (of->pairs == 12u) {
        nn_m4_winograd_sums12(&products);
    } else {
        nn_m4_winograd_sums(&products);
    }
}

/* The outputs of `count` tiles from the first on, without what lies outside the tensor. */
static void put_tiles(const shape *of, const nn_tensor *tensor, uint32_t first, uint32_t count,
                      const int8_t (*tiles)[4], int8_t *out) {
    const uint32_t step = tensor->channels, row = tensor->width * step;
    uint32_t y = first / of->tile_columns * 2u, x = first % of->tile_columns * 2u;
    for (const int8_t *tile = *tiles, *const end = tile + 4u * count; tile != end; tile += 4) {
        int8_t *const to = out + y * row + x * step;
        const bool right = x + 1u < tensor->width, below = y + 1u < tensor->height;
        to[0] = tile[0];
        if (right) {
            to[step] = tile[1];
        }
        if (below) {
            to[row] = tile[2];
        }
        if (right && below) {
            to[row + step] = tile[3];
        }
        x += 2u;
        if (x >= tensor->width) {
            x = 0u;
            y += 2u;
        }
    }
}

static void transform_weights(const nn_layer *layer, const shape *of, uint32_t channels,
                              uint32_t *weights) {
    for (uint32_t number = 0; number < channels; number++) {
        const uint32_t place = number % NN_M4_GROUP;
        transform_channel(layer, of->pairs, number,
                          weights + (number - place) * POSITIONS * of->pairs + place);
    }
}

/* One output channel of `count` tiles from the first on; sums: the four channels' that it is of. */
static void put_channel(const nn_layer *layer, const shape *of, const nn_tensor *tensor,
                        uint32_t number, uint32_t first, uint32_t count, const int32_t *sums,
                        int8_t *out) {
    const nn_m4_channel channel = {layer->bias[number],
                                   nn_m4_scaling_of(layer, number, tensor->zero_point),
                                   tensor->zero_point};
    int8_t outputs[BATCH][4];

    sums += number % NN_M4_GROUP * POSITIONS;
    out += number;
    if (layer->pool == 2u) {
        int8_t *const largest = outputs[0];
        nn_m4_winograd_largest(sums, count, &channel, largest);
        for (uint32_t i = 0; i < count; i++) {
            out[(first + i) * tensor->channels] = largest[i];
        }
    } else {
        nn_m4_winograd_outputs(sums, count, &channel, outputs);
        put_tiles(of, tensor, first, count, outputs, out);
    }
}

/* The rows of tiles whose planes are there, from the first on. */
static void run_band(const nn_layer *layer, const shape *of, const nn_tensor *to, uint32_t first,
                     uint32_t *work, int8_t *out) {
    const room parts = room_of(of, to);
    const uint32_t left = of->tile_rows - first;
    const uint32_t tiles = of->tile_columns * (left < of->band ? left : of->band);
    const uint32_t before = of->tile_columns * first;
    const uint32_t *const weights = work + parts.weights;
    uint32_t *const values = work + parts.values;
    int32_t *const sums = (int32_t *)(work + parts.sums);

    for (uint32_t at = 0; at < tiles; at += BATCH) {
        const uint32_t count = tiles - at < BATCH ? tiles - at : BATCH;
        transform_tiles(of, work, at, count, values);
        for (uint32_t number = 0; number < to->channels; number++) {
            if (number % NN_M4_GROUP == 0u) {
                sum_products(of, values, weights + number * POSITIONS * of->pairs, count, sums);
            }
            put_channel(layer, of, to, number, before + at, count, sums, out);
        }
    }
}

void nn_m4_winograd(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                    uint32_t *work) {
    const nn_tensor *to = nn_output_of(model, layer);
    const shape of = shape_of(model, layer);

    transform_weights(layer, &of, to->channels, work + room_of(&of, to).weights);
    for (uint32_t first = 0; first < of.tile_rows; first += of.band) {
        fill_planes(&of, nn_input_of(model, layer), in, first, work);
        run_band(layer, &of, to, first, work, out);
    }
}
