#include "apps/common/print.h"

#define DECIMAL_DIGITS 10u /* of 4294967295 */
#define WORD_DIGITS    8u

static void print_character(print_line *line, char character) {
    if (line->size_bytes < line->capacity) {
        line->text[line->size_bytes++] = character;
    }
}

void print_text(print_line *line, const char *text) {
    while (*text != '\0') {
        print_character(line, *text++);
    }
}

void print_unsigned(print_line *line, uint32_t value) {
    char digits[DECIMAL_DIGITS];
    uint32_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value > 0);
    while (count > 0) {
        print_character(line, digits[--count]);
    }
}

void print_signed(print_line *line, int32_t value) {
    if (value < 0) {
        print_character(line, '-');
        print_unsigned(line, 0u - (uint32_t)value);
    } else {
        print_unsigned(line, (uint32_t)value);
    }
}

void print_hex(print_line *line, uint32_t value, uint32_t digits) {
    while (digits > 0) {
        digits--;
        print_character(line, "0123456789abcdef"[(value >> (4u * digits)) & 0xFu]);
    }
}

static void print_name(print_line *line, const char *name) {
    print_character(line, ' ');
    print_text(line, name);
    print_character(line, '=');
}

void print_field(print_line *line, const char *name, uint32_t value) {
    print_name(line, name);
    print_unsigned(line, value);
}

void print_field_hex(print_line *line, const char *name, uint32_t value) {
    print_name(line, name);
    print_text(line, "0x");
    print_hex(line, value, WORD_DIGITS);
}
