/* Messages in on stdin, their digests and MACs out on stdout as hex; see test_crypto.py. */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hmac_sha256.h"

static void print_digest(const uint8_t *digest, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        printf("%02x", digest[i]);
    }
    printf("\n");
}

int main(void) {
    uint8_t key[HMAC_KEY_BYTES];
    uint32_t size;
    if (fread(key, sizeof key, 1, stdin) != 1) {
        return 1;
    }
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *message = malloc(size + 1u);
        if (message == NULL || fread(message, 1, size, stdin) != size) {
            return 1;
        }
        uint8_t digest[SHA256_DIGEST_BYTES];
        sha256_state state;
        sha256_start(&state);
        sha256_add(&state, message, size / 3u); /* in two unequal pieces */
        sha256_add(&state, message + size / 3u, size - size / 3u);
        sha256_end(&state, digest);
        print_digest(digest, sizeof digest);
        hmac_sha256(key, message, size, digest);
        print_digest(digest, sizeof digest);
        free(message);
    }
    return 0;
}
