/*
 * What a layer gave, on the console:
 *
 *   l- layer=<i> bytes=<n> crc32=<8 hex digits>
 *   d- layer=<i> offset=<n> <two hex digits a byte>    as many lines as the output needs
 */
#ifndef APP_LAYER_PRINT_H
#define APP_LAYER_PRINT_H

#include <stdint.h>

#include "apps/common/print.h"

/* Appends the checksum of some bytes. */
void layer_print_crc32(print_line *line, const void *data, uint32_t size_bytes);

/* Ends a line with the size and the checksum of some bytes. */
void layer_print_checksum(print_line *line, const void *data, uint32_t size_bytes);

/* An nn_observer that prints the l- line; it needs no context. */
void layer_print(void *context, uint32_t layer, const int8_t *output, uint32_t size_bytes);

/* Prints the d- lines. */
void layer_dump(uint32_t layer, const int8_t *output, uint32_t size_bytes);

#endif
