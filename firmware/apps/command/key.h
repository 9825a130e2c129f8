/*
 * The key that commands are signed with: 32 bytes in the one-time programmable area, block 0
 * (RM0090, 3.5.1). `boardless device key` makes it; it is never part of the image.
 */
#ifndef APP_KEY_H
#define APP_KEY_H

#include <stdbool.h>
#include <stdint.h>

/* False while the block is as the factory left it: no command is then acted on. */
bool key_is_there(void);

const uint8_t *key_bytes(void);

#endif
