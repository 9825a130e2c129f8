/* Text into a caller's buffer. What does not fit is dropped: a cut line is seen, an overrun is not.
 */
#ifndef APP_PRINT_H
#define APP_PRINT_H

#include <stdint.h>

typedef struct {
    char *text;
    uint32_t capacity;
    uint32_t size_bytes; /* used so far */
} print_line;

void print_text(print_line *line, const char *text);
void print_unsigned(print_line *line, uint32_t value);
void print_signed(print_line *line, int32_t value);

/* digits: 1 to 8, leading zeros kept, lower case, no prefix. */
void print_hex(print_line *line, uint32_t value, uint32_t digits);

/* " name=value" and " name=0xvalue", the shapes of every field on the console. */
void print_field(print_line *line, const char *name, uint32_t value);
void print_field_hex(print_line *line, const char *name, uint32_t value);

#endif
