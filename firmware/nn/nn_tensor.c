#include "nn_tensor.h"

#include <stdbool.h>

/* Of the window that is unfolded. */
#define SIDE 3u

uint32_t nn_tensor_words(const nn_tensor *tensor) {
    const uint32_t rows = tensor->height + 2u;
    return rows * nn_tensor_row_words(tensor) + nn_tensor_pixel_words(tensor);
}

static nn_pair *clear(nn_pair *words, uint32_t count) {
    nn_pair *const end = words + count;
    while (words != end) {
        *words++ = 0u;
    }
    return end;
}

void nn_tensor_clear_border(const nn_tensor *tensor) {
    const uint32_t pixel = nn_tensor_pixel_words(tensor);
    const uint32_t row = nn_tensor_row_words(tensor);
    nn_pair *words = clear(tensor->words, row + pixel);

    /* The right border of one row and the left border of the next are neighbours. */
    for (uint32_t y = 0; y < tensor->height; y++) {
        words = clear(words + tensor->width * pixel, 2u * pixel);
    }
    clear(words, row);
}

/* The three rows of a line of windows; a row outside the frame reads as zeros. */
typedef struct {
    const uint8_t *row[SIDE];
    int32_t mask[SIDE];
} band;

/* A column of a window, from top to bottom. */
typedef struct {
    int32_t value[SIDE];
} column;

static band band_of(const nn_tensor *tensor, const uint8_t *frame, uint32_t y) {
    band rows;
    for (uint32_t i = 0; i < SIDE; i++) {
        /* Above the first row, y + i - 1 wraps to a very large number. */
        const bool inside = y + i - 1u < tensor->height;
        rows.row[i] = frame + (inside ? y + i - 1u : y) * tensor->width;
        rows.mask[i] = inside ? UINT8_MAX : 0;
    }
    return rows;
}

static inline column column_of(const band *rows, uint32_t x) {
    const column values = {{
        rows->row[0][x] & rows->mask[0],
        rows->row[1][x] & rows->mask[1],
        rows->row[2][x] & rows->mask[2],
    }};
    return values;
}

static inline void write_window(nn_pair *words, const column *left, const column *middle,
                                const column *right) {
    words[0] = nn_pack(left->value[0], middle->value[0]);
    words[1] = nn_pack(right->value[0], left->value[1]);
    words[2] = nn_pack(middle->value[1], right->value[1]);
    words[3] = nn_pack(left->value[2], middle->value[2]);
    words[4] = nn_pack(right->value[2], 0);
    words[5] = 0u;
}

void nn_tensor_unfold(const nn_tensor *tensor, const uint8_t *frame) {
    const column outside = {{0, 0, 0}};
    nn_pair *line = nn_tensor_origin(tensor);

    for (uint32_t y = 0; y < tensor->height; y++, line += nn_tensor_row_words(tensor)) {
        const band rows = band_of(tensor, frame, y);
        nn_pair *words = line;
        column left = outside;
        column middle = column_of(&rows, 0u);
        for (uint32_t x = 1; x < tensor->width; x++, words += NN_UNFOLD_CHANNELS / 2u) {
            const column right = column_of(&rows, x);
            write_window(words, &left, &middle, &right);
            left = middle;
            middle = right;
        }
        write_window(words, &left, &middle, &outside);
    }
}

void nn_tensor_store(const nn_tensor *tensor, int32_t zero_point, int8_t *output) {
    const uint32_t row = nn_tensor_row_words(tensor);
    const nn_pair *line = nn_tensor_origin(tensor);

    for (uint32_t y = 0; y < tensor->height; y++, line += row) {
        for (uint32_t i = 0; i < tensor->width * nn_tensor_pixel_words(tensor); i++) {
            *output++ = (int8_t)(nn_low(line[i]) + zero_point);
            *output++ = (int8_t)(nn_high(line[i]) + zero_point);
        }
    }
}
