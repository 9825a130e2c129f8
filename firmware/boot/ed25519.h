/*
 * Ed25519 (RFC 8032), verification only: Monocypher's curve with SHA-512, which its sources in the
 * package pymonocypher do not have.
 */
#ifndef BOOT_ED25519_H
#define BOOT_ED25519_H

#include <stdbool.h>
#include <stdint.h>

#define ED25519_KEY_BYTES       32u
#define ED25519_SIGNATURE_BYTES 64u

bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES],
                    const uint8_t key[ED25519_KEY_BYTES], const uint8_t *message,
                    uint32_t size_bytes);

#endif
