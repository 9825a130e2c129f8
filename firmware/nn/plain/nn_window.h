/* nn_window: which rows and columns of a window lie inside its tensor; the border is skipped. */
#ifndef NN_WINDOW_H
#define NN_WINDOW_H

#include <stdint.h>

/* The window's places along one side: first <= place < end are inside. */
typedef struct {
    int32_t start; /* of the place 0, in pixels of the tensor; may be negative */
    int32_t first;
    int32_t end;
} nn_span;

static inline nn_span nn_span_of(uint32_t position, uint32_t stride, uint32_t border, uint32_t size,
                                 uint32_t extent) {
    const int32_t start = (int32_t)(position * stride) - (int32_t)border;
    const int32_t left = (int32_t)extent - start;
    const nn_span span = {
        start,
        start < 0 ? -start : 0,
        left < (int32_t)size ? left : (int32_t)size,
    };
    return span;
}

#endif
