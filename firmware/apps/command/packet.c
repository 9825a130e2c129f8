#include "apps/command/packet.h"

#include "apps/command/command_cbor.h"
#include "apps/command/command_json.h"

#define COBS_WHOLE_GROUP 255u /* 254 bytes without a zero behind them */
#define CRC_START        0xFFFFu
#define CRC_POLYNOMIAL   0x1021u
#define CRC_TOP          0x8000u

/* CRC-16/IBM-3740. */
static uint16_t crc16(const uint8_t *data, uint32_t size_bytes) {
    uint32_t crc = CRC_START;
    for (uint32_t i = 0; i < size_bytes; i++) {
        crc ^= (uint32_t)data[i] << 8;
        for (uint32_t bit = 0; bit < 8u; bit++) {
            crc = (crc & CRC_TOP) ? (crc << 1) ^ CRC_POLYNOMIAL : crc << 1;
        }
    }
    return (uint16_t)crc;
}

/* Undoes COBS in place: what is written never overtakes what is read. */
static int unframe(uint8_t *frame, uint32_t size_bytes, uint32_t *unframed_bytes) {
    uint32_t from = 0;
    uint32_t to = 0;
    while (from < size_bytes) {
        uint32_t code = frame[from++];
        if (code == 0 || code - 1u > size_bytes - from) {
            return COMMAND_DAMAGED;
        }
        for (uint32_t i = 1; i < code; i++) {
            if (frame[from] == 0) {
                return COMMAND_DAMAGED;
            }
            frame[to++] = frame[from++];
        }
        if (code < COBS_WHOLE_GROUP && from < size_bytes) {
            frame[to++] = 0;
        }
    }
    *unframed_bytes = to;
    return 0;
}

static uint32_t counter_of(const uint8_t *raw) {
    return (uint32_t)raw[1] | (uint32_t)raw[2] << 8 | (uint32_t)raw[3] << 16 |
           (uint32_t)raw[4] << 24;
}

/* How long the MAC is; 0 for a packet that is none. */
static int find_mac(const uint8_t *raw, uint32_t sealed_bytes, uint32_t *mac_bytes) {
    uint32_t flags = PACKET_FLAG_JSON | PACKET_FLAG_LONG_MAC;
    if ((raw[0] & ~flags) != PACKET_VERSION) {
        return COMMAND_VERSION;
    }
    *mac_bytes = raw[0] & PACKET_FLAG_LONG_MAC ? PACKET_LONG_MAC : PACKET_SHORT_MAC;
    uint32_t least = PACKET_HEAD_BYTES + *mac_bytes;
    return sealed_bytes < least || sealed_bytes > least + PACKET_MOST_BODY ? COMMAND_TOO_LONG : 0;
}

static int check_counter(uint32_t counter, uint32_t last) {
    if (counter > last) {
        return 0;
    }
    return counter == last ? COMMAND_REPEATED : COMMAND_OLD;
}

static int check_crc(const uint8_t *raw, uint32_t raw_bytes) {
    if (raw_bytes < PACKET_HEAD_BYTES + PACKET_SHORT_MAC + PACKET_CRC_BYTES) {
        return COMMAND_DAMAGED;
    }
    const uint8_t *crc = &raw[raw_bytes - PACKET_CRC_BYTES];
    uint32_t expected = crc16(raw, raw_bytes - PACKET_CRC_BYTES);
    return expected == ((uint32_t)crc[0] | (uint32_t)crc[1] << 8) ? 0 : COMMAND_DAMAGED;
}

static int check_mac(const uint8_t *raw, uint32_t signed_bytes, uint32_t mac_bytes,
                     const uint8_t key[HMAC_KEY_BYTES]) {
    uint8_t mac[SHA256_DIGEST_BYTES];
    hmac_sha256(key, raw, signed_bytes, mac);
    return hmac_equal(mac, &raw[signed_bytes], mac_bytes) ? 0 : COMMAND_UNSIGNED;
}

int packet_decode(uint8_t *frame, uint32_t size_bytes, const uint8_t key[HMAC_KEY_BYTES],
                  uint32_t last, packet *decoded) {
    *decoded = (packet){0};
    if (size_bytes > PACKET_MOST_FRAME) {
        return COMMAND_TOO_LONG;
    }
    uint32_t raw_bytes;
    int err = unframe(frame, size_bytes, &raw_bytes);
    if (err) {
        return err;
    }
    err = check_crc(frame, raw_bytes);
    if (err) {
        return err;
    }
    uint32_t mac_bytes;
    err = find_mac(frame, raw_bytes - PACKET_CRC_BYTES, &mac_bytes);
    if (err) {
        return err;
    }
    uint32_t signed_bytes = raw_bytes - PACKET_CRC_BYTES - mac_bytes;
    err = check_mac(frame, signed_bytes, mac_bytes, key);
    if (err) {
        return err;
    }
    decoded->counter = counter_of(frame);
    err = check_counter(decoded->counter, last);
    if (err) {
        return err;
    }
    uint32_t body_bytes = signed_bytes - PACKET_HEAD_BYTES;
    const uint8_t *body = &frame[PACKET_HEAD_BYTES];
    return frame[0] & PACKET_FLAG_JSON ? command_json_decode(body, body_bytes, &decoded->command)
                                       : command_cbor_decode(body, body_bytes, &decoded->command);
}
