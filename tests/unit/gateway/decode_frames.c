/* Frames in on stdin, what the device's decoder says of each out on stdout; see test_device.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/command/packet.h"

int main(void) {
    uint8_t key[HMAC_KEY_BYTES];
    uint32_t head[2]; /* last counter, size */
    if (fread(key, sizeof key, 1, stdin) != 1) {
        return 1;
    }
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint8_t *frame = malloc(head[1] + 1u); /* of its own size: an overrun is found */
        if (frame == NULL || fread(frame, 1, head[1], stdin) != head[1]) {
            return 1;
        }
        packet decoded;
        int code = packet_decode(frame, head[1], key, head[0], &decoded);
        printf("%d %u %u", code, (unsigned)decoded.counter, (unsigned)decoded.command.present);
        for (uint32_t i = 0; i < COMMAND_FIELDS; i++) {
            printf(" %u", (unsigned)decoded.command.values[i]);
        }
        printf("\n");
        free(frame);
    }
    return 0;
}
