/*
 * A command as small JSON: {"cmd":"anim","id":5,"dur":1000}. Spaces may stand between tokens; no
 * escapes, signs, fractions, exponents, leading zeros or nesting.
 */
#ifndef APP_COMMAND_JSON_H
#define APP_COMMAND_JSON_H

#include "apps/command/command.h"

/* A command_code. */
int command_json_decode(const uint8_t *body, uint32_t size_bytes, command *decoded);

#endif
