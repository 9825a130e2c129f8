#include "nn_conv2d.h"

#include "nn_requantise.h"

/* The sums of two neighbouring pixels for one pair of output channels. */
typedef struct {
    int32_t left[2];
    int32_t right[2];
} block;

/* The windows of two neighbouring pixels: where they start and how they are walked. */
typedef struct {
    uint32_t rows;
    uint32_t words;  /* of one row of a window; even */
    uint32_t stride; /* words from one row of the tensor to the next */
    uint32_t pixel;  /* words from one pixel to the next */
} window;

/* What a pair of output channels needs for each of its pixels. */
typedef struct {
    int32_t bias[2];
    nn_scaling scaling[2];
    int32_t most; /* the largest output less its zero point */
} channels;

static window window_of(const nn_layer *layer, const nn_tensor *in) {
    const uint32_t pixel = nn_tensor_pixel_words(in);
    const window shape = {layer->kernel, layer->kernel * pixel, nn_tensor_row_words(in), pixel};
    return shape;
}

static channels channels_of(const nn_layer *layer, uint32_t first) {
    const channels pair = {
        {layer->bias[first], layer->bias[first + 1u]},
        {nn_scaling_of(layer->multiplier, layer->shift, first),
         nn_scaling_of(layer->multiplier, layer->shift, first + 1u)},
        INT8_MAX - layer->zero_point,
    };
    return pair;
}

/* The first word of the window around the pixel (0, 0). */
static const nn_pair *first_window(const nn_layer *layer, const nn_tensor *in) {
    return layer->kernel == 3u ? in->words : nn_tensor_origin(in);
}

uint32_t nn_conv2d_weight_words(const nn_layer *layer, uint32_t in_channels) {
    return (uint32_t)layer->kernel * layer->kernel * in_channels;
}

static const int8_t *expand_nibbles(const int8_t *stored, nn_pair *words, const nn_pair *end) {
    while (words != end) {
        const uint32_t word = nn_load_bytes(stored);
        stored += 4;
        for (uint32_t i = 0; i < 4u; i++) {
            *words++ = nn_nibbles(word, i);
        }
    }
    return stored;
}

/* The next two channels' weights as pairs of taps; returns where those of the next two begin. */
static const int8_t *expand(const nn_layer *layer, const int8_t *stored, nn_pair *words,
                            const nn_pair *end) {
    if (layer->bits == 4u) {
        return expand_nibbles(stored, words, end);
    }
    /* Two taps of two channels: a tap's channels are neighbours in memory, a word's taps are. */
    while (words != end) {
        const uint32_t bytes = nn_load_bytes(stored);
        stored += 4;
        *words++ = nn_even_bytes(bytes);
        *words++ = nn_odd_bytes(bytes);
    }
    return stored;
}

/* first: of the left pixel's window. weights: [taps/2, 2] nn_pair. */
static inline block multiply_windows(const window *shape, const nn_pair *first,
                                     const nn_pair *weights, const int32_t *bias) {
    int32_t left0 = bias[0], left1 = bias[1], right0 = bias[0], right1 = bias[1];

    const nn_pair *left = first;
    const nn_pair *right = first + shape->pixel;
    const nn_pair *const last = weights + 2u * shape->rows * shape->words;
    while (weights != last) {
        const nn_pair *const end = left + shape->words;
        /* Four sums, four pointers and six operands: every register that the core has. */
        do {
            const nn_two_pairs a = nn_take_pairs(&left);
            const nn_two_pairs b = nn_take_pairs(&right);
            const nn_two_pairs even = nn_take_pairs(&weights);
            left0 = nn_multiply_pairs(a.first, even.first, left0);
            left1 = nn_multiply_pairs(a.first, even.second, left1);
            right0 = nn_multiply_pairs(b.first, even.first, right0);
            right1 = nn_multiply_pairs(b.first, even.second, right1);
            const nn_two_pairs odd = nn_take_pairs(&weights);
            left0 = nn_multiply_pairs(a.second, odd.first, left0);
            left1 = nn_multiply_pairs(a.second, odd.second, left1);
            right0 = nn_multiply_pairs(b.second, odd.first, right0);
            right1 = nn_multiply_pairs(b.second, odd.second, right1);
        } while (left != end);
        left += shape->stride - shape->words;
        right += shape->stride - shape->words;
    }
    const block sums = {{left0, left1}, {right0, right1}};
    return sums;
}

/* Requantise, apply the ReLU, and put two channels of one pixel into a word. */
static inline nn_pair finish(const int32_t *sums, const channels *pair) {
    const int32_t low = nn_requantise(sums[0], &pair->scaling[0]);
    const int32_t high = nn_requantise(sums[1], &pair->scaling[1]);
    return nn_pack(nn_clamp(low, 0, pair->most), nn_clamp(high, 0, pair->most));
}

static inline int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

void nn_conv2d(const nn_layer *layer, const nn_tensor *in, nn_pair *weights, const nn_tensor *out) {
    const window shape = window_of(layer, in);
    const uint32_t step = nn_tensor_pixel_words(out);
    const nn_pair *const end = weights + nn_conv2d_weight_words(layer, in->channels);
    const int8_t *stored = layer->weights;
    nn_pair *plane = nn_tensor_origin(out);

    for (uint32_t channel = 0; channel < layer->out_channels; channel += 2u) {
        const channels pair = channels_of(layer, channel);
        stored = expand(layer, stored, weights, end);
        const nn_pair *line = first_window(layer, in);
        nn_pair *written = plane++;
        for (uint32_t y = 0; y < out->height; y++) {
            const nn_pair *left = line;
            nn_pair *pixel = written;
            for (uint32_t x = 0; x < out->width; x += 2u) {
                const block sums = multiply_windows(&shape, left, weights, pair.bias);
                pixel[0] = finish(sums.left, &pair);
                /* In an odd row the last block has no right pixel: it would be the border. */
                if (x + 1u < out->width) {
                    pixel[step] = finish(sums.right, &pair);
                }
                left += 2u * shape.pixel;
                pixel += 2u * step;
            }
            line += shape.stride;
            written += nn_tensor_row_words(out);
        }
    }
}

void nn_conv2d_pool(const nn_layer *layer, const nn_tensor *in, nn_pair *weights,
                    const nn_tensor *out) {
    const window shape = window_of(layer, in);
    const uint32_t step = nn_tensor_pixel_words(out);
    const nn_pair *const end = weights + nn_conv2d_weight_words(layer, in->channels);
    const int8_t *stored = layer->weights;
    nn_pair *plane = nn_tensor_origin(out);

    for (uint32_t channel = 0; channel < layer->out_channels; channel += 2u) {
        const channels pair = channels_of(layer, channel);
        stored = expand(layer, stored, weights, end);
        const nn_pair *line = first_window(layer, in);
        nn_pair *written = plane++;
        for (uint32_t y = 0; y < out->height; y++) {
            const nn_pair *left = line;
            nn_pair *pixel = written;
            for (uint32_t x = 0; x < out->width; x++) {
                const block upper = multiply_windows(&shape, left, weights, pair.bias);
                const block lower =
                    multiply_windows(&shape, left + shape.stride, weights, pair.bias);
                /* A larger sum never requantises to a smaller output, so the pool comes first. */
                const int32_t sums[2] = {
                    larger(larger(upper.left[0], upper.right[0]),
                           larger(lower.left[0], lower.right[0])),
                    larger(larger(upper.left[1], upper.right[1]),
                           larger(lower.left[1], lower.right[1])),
                };
                *pixel = finish(sums, &pair);
                left += 2u * shape.pixel;
                pixel += step;
            }
            line += 2u * shape.stride;
            written += nn_tensor_row_words(out);
        }
    }
}
