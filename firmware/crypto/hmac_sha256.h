/* HMAC-SHA256 (RFC 2104) of a key of 32 bytes, and a comparison that takes the same time always. */
#ifndef CRYPTO_HMAC_SHA256_H
#define CRYPTO_HMAC_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/sha256.h"

#define HMAC_KEY_BYTES 32u

void hmac_sha256(const uint8_t key[HMAC_KEY_BYTES], const void *data, uint32_t size_bytes,
                 uint8_t mac[SHA256_DIGEST_BYTES]);

/* Whether two byte strings are the same; how long it takes tells nothing about them. */
bool hmac_equal(const uint8_t *first, const uint8_t *second, uint32_t size_bytes);

#endif
