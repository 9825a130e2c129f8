#include "crypto/hmac_sha256.h"

#define INNER_PAD 0x36u
#define OUTER_PAD 0x5Cu

static void start_padded(sha256_state *state, const uint8_t key[HMAC_KEY_BYTES], uint8_t pad) {
    sha256_start(state);
    for (uint32_t i = 0; i < SHA256_BLOCK_BYTES; i++) {
        uint8_t byte = i < HMAC_KEY_BYTES ? key[i] ^ pad : pad;
        sha256_add(state, &byte, 1);
    }
}

void hmac_sha256(const uint8_t key[HMAC_KEY_BYTES], const void *data, uint32_t size_bytes,
                 uint8_t mac[SHA256_DIGEST_BYTES]) {
    sha256_state state;
    start_padded(&state, key, INNER_PAD);
    sha256_add(&state, data, size_bytes);
    sha256_end(&state, mac);
    start_padded(&state, key, OUTER_PAD);
    sha256_add(&state, mac, SHA256_DIGEST_BYTES);
    sha256_end(&state, mac);
}

bool hmac_equal(const uint8_t *first, const uint8_t *second, uint32_t size_bytes) {
    /* Volatile: no compiler may leave the loop at the first difference. */
    volatile uint8_t difference = 0;
    for (uint32_t i = 0; i < size_bytes; i++) {
        difference = difference | (uint8_t)(first[i] ^ second[i]);
    }
    return difference == 0;
}
