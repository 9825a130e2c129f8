#include "apps/command/animation.h"

#include <stdbool.h>
#include <stddef.h>

#define REPEATED 0x80u

typedef struct {
    const uint8_t *next;
    const uint8_t *end;
} reader;

const animation *animation_find(uint32_t id) {
    for (uint32_t i = 0; i < animation_count; i++) {
        if (animations[i].id == id) {
            return &animations[i];
        }
    }
    return NULL;
}

/* One run of a picture that has room for `room` bytes more; how many it was, 0 for bad data. */
static uint32_t take_run(reader *from, uint8_t *pixels, uint32_t room) {
    if (from->next == from->end) {
        return 0;
    }
    uint32_t head = *from->next++;
    bool repeated = head >= REPEATED;
    uint32_t count = repeated ? head - REPEATED + 1u : head + 1u;
    uint32_t coded = repeated ? 1u : count;
    if (count > room || coded > (uint32_t)(from->end - from->next)) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        pixels[i] = repeated ? from->next[0] : from->next[i];
    }
    from->next += coded;
    return count;
}

static int take_picture(reader *from, uint8_t *pixels, uint32_t size_bytes) {
    uint32_t done = 0;
    while (done < size_bytes) {
        uint32_t run = take_run(from, &pixels[done], size_bytes - done);
        if (run == 0) {
            return ANIMATION_ERROR_DATA;
        }
        done += run;
    }
    return 0;
}

int animation_decode(const animation *source, uint32_t frame, uint8_t *pixels) {
    reader from = {source->data, source->data + source->size_bytes};
    uint32_t size_bytes = (uint32_t)source->side * source->side / 8u;
    /* Pictures are coded one behind the other: those before are decoded and forgotten. */
    for (uint32_t i = 0; i <= frame; i++) {
        int err = take_picture(&from, pixels, size_bytes);
        if (err) {
            return err;
        }
    }
    return 0;
}
