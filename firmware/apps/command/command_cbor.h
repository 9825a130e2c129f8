/*
 * A command as CBOR: one map of unsigned integers in deterministic encoding (RFC 8949, 4.2.1):
 * shortest form, ascending keys, nothing behind it. Anything else is COMMAND_MALFORMED.
 */
#ifndef APP_COMMAND_CBOR_H
#define APP_COMMAND_CBOR_H

#include "apps/command/command.h"

/* A command_code. */
int command_cbor_decode(const uint8_t *body, uint32_t size_bytes, command *decoded);

#endif
