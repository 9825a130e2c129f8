/*
 * SHA-256 (FIPS 180-4).
 *
 *   sha256_state state;
 *   sha256_start(&state);
 *   sha256_add(&state, data, size);   as often as there is data
 *   sha256_end(&state, digest);
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stdint.h>

#define SHA256_DIGEST_BYTES 32u
#define SHA256_BLOCK_BYTES  64u

typedef struct {
    uint32_t hash[8];
    uint32_t size_bytes; /* taken so far: at most 512 MB */
    uint8_t block[SHA256_BLOCK_BYTES];
} sha256_state;

void sha256_start(sha256_state *state);
void sha256_add(sha256_state *state, const void *data, uint32_t size_bytes);
void sha256_end(sha256_state *state, uint8_t digest[SHA256_DIGEST_BYTES]);

#endif
