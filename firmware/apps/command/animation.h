/*
 * Animations in the Flash: pictures of 16x16 or 32x32 in the display's order (a byte is eight rows
 * of one column, the upper one in bit 0), each run-length coded by itself.
 *
 * Coding: a byte n below 0x80 is followed by n + 1 bytes as they are; one from 0x80 on by one byte
 * that stands n - 0x7F times.
 */
#ifndef APP_ANIMATION_H
#define APP_ANIMATION_H

#include <stdint.h>

#define ANIMATION_MOST_SIDE  32u
#define ANIMATION_MOST_BYTES (ANIMATION_MOST_SIDE * ANIMATION_MOST_SIDE / 8u)

enum animation_error {
    ANIMATION_ERROR_DATA = -1, /* the coded bytes end early or give more than a picture */
};

typedef struct {
    uint8_t id;
    uint8_t side; /* 16 or 32 */
    uint8_t frames;
    uint16_t frame_ms;
    uint16_t size_bytes; /* of all frames, coded */
    const uint8_t *data;
} animation;

/* What is made by `boardless device animation`. */
extern const animation animations[];
extern const uint32_t animation_count;

/* The animation of that number, or NULL. */
const animation *animation_find(uint32_t id);

/* Decodes a frame, 0 to frames - 1, into side * side / 8 bytes. 0 or an animation_error. */
int animation_decode(const animation *source, uint32_t frame, uint8_t *pixels);

#endif
