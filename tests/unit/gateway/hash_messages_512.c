/* Messages in on stdin, their SHA-512 out on stdout as hex; see test_crypto.py. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/sha512.h"

int main(void) {
    uint32_t size;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *message = malloc(size + 1u);
        if (message == NULL || fread(message, 1, size, stdin) != size) {
            return 1;
        }
        uint8_t digest[SHA512_DIGEST_BYTES];
        sha512_state state;
        sha512_start(&state);
        sha512_add(&state, message, size / 3u);
        sha512_add(&state, message + size / 3u, size - size / 3u);
        sha512_end(&state, digest);
        for (uint32_t i = 0; i < sizeof digest; i++) {
            printf("%02x", digest[i]);
        }
        printf("\n");
        free(message);
    }
    return 0;
}
