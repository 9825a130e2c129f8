#include "apps/classifier/layer_print.h"

#include "apps/classifier/crc32.h"
#include "apps/common/console.h"

#define CRC32_DIGITS   8u
#define BYTE_DIGITS    2u
#define DUMP_ROW_BYTES 32u

void layer_print_crc32(print_line *line, const void *data, uint32_t size_bytes) {
    print_text(line, " crc32=");
    print_hex(line, crc32(data, size_bytes), CRC32_DIGITS);
}

void layer_print_checksum(print_line *line, const void *data, uint32_t size_bytes) {
    print_field(line, "bytes", size_bytes);
    layer_print_crc32(line, data, size_bytes);
    console_end(line);
}

void layer_print(void *context, uint32_t layer, const int8_t *output, uint32_t size_bytes) {
    (void)context;
    print_line *line = console_begin();
    print_text(line, "l-");
    print_field(line, "layer", layer);
    layer_print_checksum(line, output, size_bytes);
}

static void dump_row(uint32_t layer, uint32_t offset, const int8_t *row, uint32_t size_bytes) {
    print_line *line = console_begin();
    print_text(line, "d-");
    print_field(line, "layer", layer);
    print_field(line, "offset", offset);
    print_text(line, " ");
    for (uint32_t i = 0; i < size_bytes; i++) {
        print_hex(line, (uint8_t)row[i], BYTE_DIGITS);
    }
    console_end(line);
}

void layer_dump(uint32_t layer, const int8_t *output, uint32_t size_bytes) {
    for (uint32_t offset = 0; offset < size_bytes; offset += DUMP_ROW_BYTES) {
        uint32_t left = size_bytes - offset;
        dump_row(layer, offset, &output[offset], left < DUMP_ROW_BYTES ? left : DUMP_ROW_BYTES);
    }
}
