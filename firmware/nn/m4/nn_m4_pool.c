#include "nn_m4.h"
#include "nn_scale.h"
#include "plain/nn_window.h"

#define LANES 4u /* channels of a word */

/* What a window sees: the exporter takes no more than 255 pixels, whose sum has 16 bits. */
typedef struct {
    uint32_t rows;
    uint32_t columns;
    uint32_t row_bytes; /* from one row of the tensor to the next */
    uint32_t step;      /* from one pixel to the next */
} field;

static void sum_lanes(const field *seen, const int8_t *from, int32_t *sums) {
    nn_m4_four four = {0u, 0u};
    for (uint32_t row = seen->rows; row > 0u; row--, from += seen->row_bytes) {
        const int8_t *pixel = from;
        for (uint32_t column = seen->columns; column > 0u; column--, pixel += seen->step) {
            const uint32_t bytes = nn_m4_load(pixel);
            four.even = (uint32_t)__sxtab16((int16x2_t)four.even, (int8x4_t)bytes);
            __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(four.odd) : "r"(bytes));
        }
    }
    sums[0] = (int16_t)four.even;
    sums[1] = (int16_t)four.odd;
    sums[2] = (int32_t)four.even >> 16;
    sums[3] = (int32_t)four.odd >> 16;
}

static void largest_lanes(const field *seen, const int8_t *from, int32_t *largest) {
    uint32_t most = 0x80808080u, less;
    for (uint32_t row = seen->rows; row > 0u; row--, from += seen->row_bytes) {
        const int8_t *pixel = from;
        for (uint32_t column = seen->columns; column > 0u; column--, pixel += seen->step) {
            /* SEL takes the bytes that SSUB8 found no less. */
            __asm__("ssub8 %1, %2, %0\n\tsel %0, %2, %0"
                    : "+r"(most), "=&r"(less)
                    : "r"(nn_m4_load(pixel))
                    : "cc");
        }
    }
    for (uint32_t k = 0; k < LANES; k++) {
        largest[k] = (int8_t)(most >> 8u * k);
    }
}

static int32_t mean(int32_t sum, int32_t count) {
    return sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
}

/* Every channel of one output. */
static void pool(const nn_model *model, const nn_layer *layer, const field *seen, const int8_t *in,
                 int8_t *out) {
    const nn_tensor *to = nn_output_of(model, layer);
    const int32_t count = (int32_t)(seen->rows * seen->columns);
    const int32_t less = count * nn_input_of(model, layer)->zero_point;

    for (uint32_t channel = 0; channel < to->channels; channel += LANES) {
        int32_t values[LANES];
        if (layer->kind == NN_MAX_POOL) {
            largest_lanes(seen, in + channel, values);
        } else {
            sum_lanes(seen, in + channel, values);
        }
        for (uint32_t k = 0; k < LANES; k++) {
            int32_t value = values[k];
            if (layer->kind == NN_AVERAGE_POOL) {
                value = mean(value, count);
            } else if (layer->kind == NN_MEAN) {
                value = to->zero_point + nn_scale((nn_rounding)model->rounding, value - less,
                                                  layer->multiplier[0], layer->exponent[0]);
            }
            out[channel + k] = (int8_t)nn_clamp(value, layer->least, layer->most);
        }
    }
}

void nn_m4_pool(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out) {
    const nn_tensor *from = nn_input_of(model, layer), *to = nn_output_of(model, layer);
    const bool all = layer->kind == NN_MEAN; /* one window over all pixels */
    const uint32_t high = all ? from->height : layer->rows;
    const uint32_t wide = all ? from->width : layer->columns;
    field seen = {.row_bytes = (uint32_t)from->width * from->channels, .step = from->channels};

    for (uint32_t y = 0; y < to->height; y++) {
        const nn_span rows = nn_span_of(y, layer->stride_rows, layer->top, high, from->height);
        for (uint32_t x = 0; x < to->width; x++, out += to->channels) {
            const nn_span columns =
                nn_span_of(x, layer->stride_columns, layer->left, wide, from->width);
            const int32_t first = (rows.start + rows.first) * from->width + columns.start;
            seen.rows = (uint32_t)(rows.end - rows.first);
            seen.columns = (uint32_t)(columns.end - columns.first);
            pool(model, layer, &seen, in + (first + columns.first) * from->channels, out);
        }
    }
}
