#include "nn_m4.h"
#include "nn_m4_requantise.h"

#define SIDE 3u

/* The weights of one channel: a row's first two together, its third in the low half. */
typedef struct {
    uint32_t two[SIDE];
    uint32_t third[SIDE];
} filter;

bool nn_m4_takes_depthwise(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer);
    const nn_tensor *out = nn_output_of(model, layer);
    return layer->kind == NN_DEPTHWISE && layer->rows == SIDE && layer->columns == SIDE &&
           layer->stride_rows == 1u && layer->stride_columns == 1u && layer->top == 1u &&
           layer->left == 1u && out->height == in->height && out->width == in->width &&
           out->channels == in->channels && nn_m4_can_requantise(model, layer, SIDE * SIDE);
}

/* Two pixels at a time: a row of the plane is even, with a border of one on either side. */
static uint32_t columns_of(const nn_tensor *tensor) {
    return tensor->width + 2u + tensor->width % 2u;
}

/* One channel's values with a border of zeros, as int16. */
uint32_t nn_m4_depthwise_bytes(const nn_model *model, const nn_layer *layer) {
    const nn_tensor *in = nn_input_of(model, layer);
    return sizeof(int16_t) * (in->height + 2u) * columns_of(in);
}

static void fill_plane(const nn_tensor *tensor, const int8_t *in, int16_t *plane) {
    const uint32_t columns = columns_of(tensor);
    for (uint32_t y = 0; y < tensor->height; y++) {
        int16_t *to = plane + (y + 1u) * columns + 1u;
        for (uint32_t x = 0; x < tensor->width; x++, in += tensor->channels) {
            to[x] = (int16_t)(*in - tensor->zero_point);
        }
    }
}

static filter filter_of(const int8_t *weights) {
    filter of;
    for (uint32_t row = 0; row < SIDE; row++, weights += SIDE) {
        of.two[row] = nn_m4_pair(weights[0], weights[1]);
        of.third[row] = nn_m4_pair(weights[2], 0);
    }
    return of;
}

/* The sums of two neighbouring pixels, whose windows are two words wide. */
static inline void add_windows(const filter *of, const uint32_t *words, uint32_t row_words,
                               int32_t *left, int32_t *right) {
    for (uint32_t row = 0; row < SIDE; row++, words += row_words) {
        const uint32_t first = words[0], last = words[1];
        const uint32_t middle = first >> 16 | last << 16;
        *left = __smlad((int16x2_t)first, (int16x2_t)of->two[row], *left);
        *right = __smlad((int16x2_t)middle, (int16x2_t)of->two[row], *right);
        *left = __smlabb((int32_t)last, (int32_t)of->third[row], *left);
        *right = __smlatb((int32_t)last, (int32_t)of->third[row], *right);
    }
}

/* A plane of one channel; to: its values, `channels` apart. The constants are copies: a byte that
 * is stored could, for all that the compiler knows, be one of theirs. */
static void run_plane(const nn_tensor *tensor, filter of, const uint32_t *words, int32_t bias,
                      nn_m4_scaling scaling, int32_t zero_point, int8_t *to) {
    const uint32_t row_words = columns_of(tensor) / 2u, channels = tensor->channels;
    const uint32_t height = tensor->height, width = tensor->width;
    for (uint32_t y = 0; y < height; y++, words += row_words) {
        for (uint32_t x = 0; x < width; x += 2u) {
            int32_t left = bias, right = bias;
            add_windows(&of, words + x / 2u, row_words, &left, &right);
            *to = nn_m4_requantise(left, &scaling, zero_point);
            to += channels;
            if (x + 1u < width) {
                *to = nn_m4_requantise(right, &scaling, zero_point);
                to += channels;
            }
        }
    }
}

void nn_m4_depthwise(const nn_model *model, const nn_layer *layer, const int8_t *in, int8_t *out,
                     uint32_t *work) {
    const nn_tensor *tensor = nn_input_of(model, layer);
    const int32_t zero_point = nn_output_of(model, layer)->zero_point;
    const uint32_t words = nn_m4_depthwise_bytes(model, layer) / sizeof(uint32_t);

    for (uint32_t i = 0; i < words; i++) {
        work[i] = 0u;
    }
    for (uint32_t channel = 0; channel < tensor->channels; channel++) {
        const filter of = filter_of(layer->weights + SIDE * SIDE * channel);
        const nn_m4_scaling scaling = nn_m4_scaling_of(layer, channel, zero_point);
        fill_plane(tensor, in + channel, (int16_t *)(void *)work);
        run_plane(tensor, of, work, layer->bias[channel], scaling, zero_point, out + channel);
    }
}
