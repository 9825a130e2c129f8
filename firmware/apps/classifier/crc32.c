#include "apps/classifier/crc32.h"

/* The device's own CRC unit computes the same polynomial, but with the bits of a byte the other way
 * round. */
#define CRC32_POLYNOMIAL 0xEDB88320u
#define CRC32_INVERT     0xFFFFFFFFu
#define BITS_PER_BYTE    8u

uint32_t crc32(const void *data, uint32_t size_bytes) {
    const uint8_t *bytes = data;
    uint32_t crc = CRC32_INVERT;
    for (uint32_t i = 0; i < size_bytes; i++) {
        crc ^= bytes[i];
        for (uint32_t bit = 0; bit < BITS_PER_BYTE; bit++) {
            crc = (crc >> 1) ^ ((crc & 1u) ? CRC32_POLYNOMIAL : 0u);
        }
    }
    return crc ^ CRC32_INVERT;
}
