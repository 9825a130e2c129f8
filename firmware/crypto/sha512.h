/* SHA-512 (FIPS 180-4), used as sha256.h is. */
#ifndef CRYPTO_SHA512_H
#define CRYPTO_SHA512_H

#include <stdint.h>

#define SHA512_DIGEST_BYTES 64u
#define SHA512_BLOCK_BYTES  128u

typedef struct {
    uint64_t hash[8];
    uint32_t size_bytes; /* taken so far: at most 512 MB */
    uint8_t block[SHA512_BLOCK_BYTES];
} sha512_state;

void sha512_start(sha512_state *state);
void sha512_add(sha512_state *state, const void *data, uint32_t size_bytes);
void sha512_end(sha512_state *state, uint8_t digest[SHA512_DIGEST_BYTES]);

#endif
