#include "boot/ed25519.h"

#include <monocypher.h>

#include "crypto/sha512.h"

#define POINT_BYTES 32u

bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES],
                    const uint8_t key[ED25519_KEY_BYTES], const uint8_t *message,
                    uint32_t size_bytes) {
    sha512_state state;
    uint8_t hash[SHA512_DIGEST_BYTES];
    uint8_t reduced[POINT_BYTES];
    sha512_start(&state);
    sha512_add(&state, signature, POINT_BYTES); /* R */
    sha512_add(&state, key, ED25519_KEY_BYTES); /* A */
    sha512_add(&state, message, size_bytes);    /* M */
    sha512_end(&state, hash);
    crypto_eddsa_reduce(reduced, hash);
    return crypto_eddsa_check_equation(signature, key, reduced) == 0;
}
