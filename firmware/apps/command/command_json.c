#include "apps/command/command_json.h"

#include <stdbool.h>

#define MOST_DIGITS 10u

typedef struct {
    const uint8_t *next;
    uint32_t left;
} reader;

static void skip_spaces(reader *from) {
    while (from->left > 0 && *from->next == ' ') {
        from->next++;
        from->left--;
    }
}

/* One character as a token. */
static bool take_mark(reader *from, char mark) {
    skip_spaces(from);
    if (from->left == 0 || *from->next != (uint8_t)mark) {
        return false;
    }
    from->next++;
    from->left--;
    return true;
}

/* Whether a text in quotes is this name; a name is taken, another text left where it is. */
static bool take_name(reader *from, const char *name) {
    skip_spaces(from);
    uint32_t size = 0;
    while (name[size] != '\0') {
        size++;
    }
    if (from->left < size + 2u || from->next[0] != '"' || from->next[size + 1u] != '"') {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        if (from->next[i + 1u] != (uint8_t)name[i]) {
            return false;
        }
    }
    from->next += size + 2u;
    from->left -= size + 2u;
    return true;
}

static int take_field(reader *from, uint32_t *field) {
    for (*field = 0; *field < COMMAND_FIELDS; ++*field) {
        if (take_name(from, command_field_name(*field))) {
            return 0;
        }
    }
    return COMMAND_MALFORMED;
}

static int take_kind(reader *from, uint32_t *kind) {
    for (*kind = 0; *kind < COMMAND_KINDS; ++*kind) {
        if (take_name(from, command_kind_name(*kind))) {
            return 0;
        }
    }
    return COMMAND_MALFORMED;
}

static bool is_digit(const reader *from) {
    return from->left > 0 && *from->next >= '0' && *from->next <= '9';
}

/* A whole number below 2^32 without a leading zero. */
static int take_number(reader *from, uint32_t *number) {
    skip_spaces(from);
    uint64_t value = 0;
    uint32_t digits = 0;
    bool leading_zero = from->left > 0 && *from->next == '0';
    while (is_digit(from) && digits < MOST_DIGITS) {
        value = value * 10u + (uint64_t)(*from->next - '0');
        from->next++;
        from->left--;
        digits++;
    }
    if (digits == 0 || is_digit(from) || (leading_zero && digits > 1u) || value > UINT32_MAX) {
        return COMMAND_MALFORMED;
    }
    *number = (uint32_t)value;
    return 0;
}

static int take_member(reader *from, command *decoded) {
    uint32_t field;
    uint32_t value;
    int err = take_field(from, &field);
    if (err || !take_mark(from, ':')) {
        return COMMAND_MALFORMED;
    }
    err = field == COMMAND_FIELD_CMD ? take_kind(from, &value) : take_number(from, &value);
    if (err) {
        return err;
    }
    return command_take(decoded, field, value);
}

int command_json_decode(const uint8_t *body, uint32_t size_bytes, command *decoded) {
    reader from = {body, size_bytes};
    *decoded = (command){0};
    if (!take_mark(&from, '{')) {
        return COMMAND_MALFORMED;
    }
    do {
        int err = take_member(&from, decoded);
        if (err) {
            return err;
        }
    } while (take_mark(&from, ','));
    bool closed = take_mark(&from, '}');
    skip_spaces(&from);
    return closed && from.left == 0 ? command_check(decoded) : COMMAND_MALFORMED;
}
