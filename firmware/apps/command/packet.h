/*
 * Packets: a counter and a command, signed, with a CRC, framed by COBS.
 *
 *   version and flags 1 | counter 4, little-endian | body | MAC 16 or 32 | CRC 2, little-endian
 *
 * The MAC is HMAC-SHA256 over all that stands before it, cut to 16 bytes on a slow line. A frame
 * has no zero in it, and one behind it. The same in Python:
 * host_tools/boardless/gateway/packets.py.
 */
#ifndef APP_PACKET_H
#define APP_PACKET_H

#include "apps/command/command.h"
#include "crypto/hmac_sha256.h"

#define PACKET_VERSION       0x01u
#define PACKET_FLAG_JSON     0x10u
#define PACKET_FLAG_LONG_MAC 0x20u
#define PACKET_HEAD_BYTES    5u
#define PACKET_MOST_BODY     64u
#define PACKET_SHORT_MAC     16u
#define PACKET_LONG_MAC      32u
#define PACKET_CRC_BYTES     2u
/* Without the delimiter: COBS adds one byte to so few. */
#define PACKET_MOST_FRAME                                                                          \
    (PACKET_HEAD_BYTES + PACKET_MOST_BODY + PACKET_LONG_MAC + PACKET_CRC_BYTES + 1u)

typedef struct {
    uint32_t counter;
    command command;
} packet;

/*
 * Reads the frame of size_bytes in place: its buffer holds the bare packet afterwards. last is the
 * counter that was last acted on. A command_code; counter is the packet's where its MAC was right,
 * else 0, and command is whole only with COMMAND_OK.
 */
int packet_decode(uint8_t *frame, uint32_t size_bytes, const uint8_t key[HMAC_KEY_BYTES],
                  uint32_t last, packet *decoded);

#endif
