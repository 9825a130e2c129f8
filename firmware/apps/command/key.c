#include "apps/command/key.h"

#include "crypto/hmac_sha256.h"

#define OTP_BLOCK_0 0x1FFF7800u
#define ERASED      0xFFu

const uint8_t *key_bytes(void) {
    return (const uint8_t *)OTP_BLOCK_0;
}

bool key_is_there(void) {
    uint32_t erased = 0;
    uint32_t zero = 0;
    for (uint32_t i = 0; i < HMAC_KEY_BYTES; i++) {
        erased += key_bytes()[i] == ERASED ? 1u : 0u;
        zero += key_bytes()[i] == 0 ? 1u : 0u;
    }
    return erased < HMAC_KEY_BYTES && zero < HMAC_KEY_BYTES;
}
