/* CRC-32 as zlib and Ethernet compute it, so that a host can compare with zlib.crc32. */
#ifndef APP_CRC32_H
#define APP_CRC32_H

#include <stdint.h>

uint32_t crc32(const void *data, uint32_t size_bytes);

#endif
