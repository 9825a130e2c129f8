#include "boot/boot_image.h"

#include "boot/ed25519.h"
#include "crypto/hmac_sha256.h"

#define MAGIC           0x96F3B83Du
#define TLV_MAGIC       0x6907u
#define PROTECTED_MAGIC 0x6908u
#define TLV_KEY_HASH    0x01u
#define TLV_SHA256      0x10u
#define TLV_ED25519     0x24u
#define TLV_SECURITY    0x50u
#define INFO_BYTES      4u /* magic and size of an area; type and length of a TLV */
#define PROTECTED_BYTES (INFO_BYTES + INFO_BYTES + 4u)
#define TLVS_BYTES                                                                                 \
    (INFO_BYTES + 2u * (INFO_BYTES + SHA256_DIGEST_BYTES) + INFO_BYTES + ED25519_SIGNATURE_BYTES)
#define KEY_PREFIX_BYTES    (BOOT_PUBLIC_KEY_BYTES - ED25519_KEY_BYTES)
#define TRAILER_MAGIC_BYTES 16u
#define TRAILER_FIELD_BYTES 8u
#define TRAILER_BYTES       (TRAILER_MAGIC_BYTES + 2u * TRAILER_FIELD_BYTES)
#define FLAG_SET            0x01u
#define FLAG_UNSET          0xFFu

static const uint8_t trailer_magic[TRAILER_MAGIC_BYTES] = {
    0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80};

static uint32_t load16(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t load32(const uint8_t *bytes) {
    return load16(bytes) | load16(&bytes[2]) << 16;
}

/* The header's fields in their order: all that is not free must be what imgtool writes. */
static int check_header(const uint8_t *slot, uint32_t slot_bytes, uint32_t *body_bytes) {
    bool known = load32(slot) == MAGIC && load32(&slot[4]) == 0 &&
                 load16(&slot[8]) == BOOT_HEADER_BYTES && load16(&slot[10]) == PROTECTED_BYTES &&
                 load32(&slot[16]) == 0 && load32(&slot[28]) == 0;
    if (!known) {
        return BOOT_ERROR_HEADER;
    }
    *body_bytes = load32(&slot[12]);
    uint32_t room = slot_bytes - BOOT_HEADER_BYTES - PROTECTED_BYTES - TLVS_BYTES - TRAILER_BYTES;
    return *body_bytes == 0 || *body_bytes > room ? BOOT_ERROR_SIZE : 0;
}

static uint64_t version_of(const uint8_t *slot) {
    return (uint64_t)slot[20] << 56 | (uint64_t)slot[21] << 48 | (uint64_t)load16(&slot[22]) << 32 |
           load32(&slot[24]);
}

/* A TLV of exactly that type and length; its value, or NULL. */
static const uint8_t *take_tlv(const uint8_t **next, uint32_t type, uint32_t size_bytes) {
    const uint8_t *tlv = *next;
    if (load16(tlv) != type || load16(&tlv[2]) != size_bytes) {
        return 0;
    }
    *next = &tlv[INFO_BYTES + size_bytes];
    return &tlv[INFO_BYTES];
}

static bool take_area(const uint8_t **next, uint32_t magic, uint32_t size_bytes) {
    bool found = load16(*next) == magic && load16(*next + 2) == size_bytes;
    *next += INFO_BYTES;
    return found;
}

typedef struct {
    const uint8_t *counter;
    const uint8_t *digest;
    const uint8_t *key_hash;
    const uint8_t *signature;
} tlvs;

static int take_tlvs(const uint8_t *next, tlvs *taken) {
    if (!take_area(&next, PROTECTED_MAGIC, PROTECTED_BYTES)) {
        return BOOT_ERROR_TLV;
    }
    taken->counter = take_tlv(&next, TLV_SECURITY, 4);
    if (!taken->counter || !take_area(&next, TLV_MAGIC, TLVS_BYTES)) {
        return BOOT_ERROR_TLV;
    }
    taken->digest = take_tlv(&next, TLV_SHA256, SHA256_DIGEST_BYTES);
    if (!taken->digest) {
        return BOOT_ERROR_TLV;
    }
    taken->key_hash = take_tlv(&next, TLV_KEY_HASH, SHA256_DIGEST_BYTES);
    if (!taken->key_hash) {
        return BOOT_ERROR_TLV;
    }
    taken->signature = take_tlv(&next, TLV_ED25519, ED25519_SIGNATURE_BYTES);
    return taken->signature ? 0 : BOOT_ERROR_TLV;
}

static bool has_digest(const void *data, uint32_t size_bytes, const uint8_t *expected) {
    sha256_state state;
    uint8_t digest[SHA256_DIGEST_BYTES];
    sha256_start(&state);
    sha256_add(&state, data, size_bytes);
    sha256_end(&state, digest);
    return hmac_equal(digest, expected, sizeof digest);
}

static int check_trailer(const uint8_t *slot, uint32_t slot_bytes, bool *confirmed) {
    const uint8_t *magic = &slot[slot_bytes - TRAILER_MAGIC_BYTES];
    uint8_t image_ok = *(magic - TRAILER_FIELD_BYTES);
    uint8_t copy_done = *(magic - 2u * TRAILER_FIELD_BYTES);
    *confirmed = image_ok == FLAG_SET;
    bool is_new = copy_done == FLAG_UNSET && image_ok == FLAG_UNSET;
    bool marked = hmac_equal(magic, trailer_magic, sizeof trailer_magic);
    return marked && (*confirmed || is_new) ? 0 : BOOT_ERROR_TRAILER;
}

uint32_t boot_image_tried_offset(uint32_t slot_bytes) {
    return slot_bytes - TRAILER_BYTES;
}

int boot_image_check(const uint8_t *slot, uint32_t slot_bytes,
                     const uint8_t key[BOOT_PUBLIC_KEY_BYTES], boot_image *found) {
    uint32_t body_bytes;
    tlvs taken;
    int err = check_header(slot, slot_bytes, &body_bytes);
    if (err) {
        return err;
    }
    err = take_tlvs(&slot[BOOT_HEADER_BYTES + body_bytes], &taken);
    if (err) {
        return err;
    }
    err = check_trailer(slot, slot_bytes, &found->confirmed);
    if (err) {
        return err;
    }
    if (!has_digest(key, BOOT_PUBLIC_KEY_BYTES, taken.key_hash)) {
        return BOOT_ERROR_KEY;
    }
    if (!has_digest(slot, BOOT_HEADER_BYTES + body_bytes + PROTECTED_BYTES, taken.digest)) {
        return BOOT_ERROR_DIGEST;
    }
    if (!ed25519_verify(taken.signature, &key[KEY_PREFIX_BYTES], taken.digest,
                        SHA256_DIGEST_BYTES)) {
        return BOOT_ERROR_SIGNATURE;
    }
    found->version = version_of(slot);
    found->security_counter = load32(taken.counter);
    return 0;
}
