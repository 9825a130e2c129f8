/*
 * An image in MCUboot's format, signed by `imgtool sign` with Ed25519, in a slot of the Flash.
 *
 *   header 0x200 | body | protected TLVs: SEC_CNT | TLVs: SHA256, KEYHASH, ED25519
 *
 * The parser is strict: this header, these TLVs in this order, these lengths. What is signed is the
 * SHA-256 of header, body and protected TLVs. At the slot's end stand MCUboot's flags: magic,
 * image_ok (it was confirmed) and copy_done (it was tried).
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#define BOOT_HEADER_BYTES     0x200u
#define BOOT_PUBLIC_KEY_BYTES 44u /* DER: 12 bytes that say Ed25519, then the key */

enum boot_error {
    BOOT_ERROR_HEADER = -1,
    BOOT_ERROR_SIZE = -2,
    BOOT_ERROR_TLV = -3,
    BOOT_ERROR_DIGEST = -4,
    BOOT_ERROR_KEY = -5,
    BOOT_ERROR_SIGNATURE = -6,
    BOOT_ERROR_TRAILER = -7, /* no magic, or tried and never confirmed */
};

typedef struct {
    uint64_t version; /* comparable: major, minor, revision, build */
    uint32_t security_counter;
    bool confirmed;
} boot_image;

/* Checks a slot as far as it goes without writing. 0 or a boot_error; *found is whole only on 0. */
int boot_image_check(const uint8_t *slot, uint32_t slot_bytes,
                     const uint8_t key[BOOT_PUBLIC_KEY_BYTES], boot_image *found);

/* Where the word stands in a slot that says that its image was tried. */
uint32_t boot_image_tried_offset(uint32_t slot_bytes);

#endif
