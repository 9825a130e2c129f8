/* Coded pictures in on stdin, the pixels out on stdout as hex; see test_animation.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/command/animation.h"

const animation animations[] = {{.id = 7}};
const uint32_t animation_count = 1;

int main(void) {
    uint8_t head[4]; /* side, frame, size of the data */
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint32_t size = (uint32_t)head[2] | (uint32_t)head[3] << 8;
        uint8_t *data = malloc(size + 1u); /* of its own size: an overrun is found */
        uint32_t pixels_size = (uint32_t)head[0] * head[0] / 8u;
        uint8_t *pixels = calloc(pixels_size, 1);
        if (data == NULL || pixels == NULL || fread(data, 1, size, stdin) != size) {
            return 1;
        }
        const animation given = {.side = head[0], .size_bytes = (uint16_t)size, .data = data};
        printf("%d ", animation_decode(&given, head[1], pixels));
        for (uint32_t i = 0; i < pixels_size; i++) {
            printf("%02x", pixels[i]);
        }
        printf("\n");
        free(pixels);
        free(data);
    }
    return animation_find(7) == &animations[0] && animation_find(8) == NULL ? 0 : 1;
}
