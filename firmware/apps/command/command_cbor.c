#include "apps/command/command_cbor.h"

#define MAJOR_SHIFT    5u
#define LOW_MASK       0x1Fu
#define MAJOR_UNSIGNED 0u
#define MAJOR_MAP      5u
/* Low bits up to 23 are the value; 24, 25, 26 say that it follows in 1, 2, 4 bytes. */
#define LOW_ONE_BYTE   24u
#define LOW_FOUR_BYTES 26u

typedef struct {
    const uint8_t *next;
    uint32_t left;
} reader;

/* A head in its shortest form. */
static int read_head(reader *from, uint32_t major, uint32_t *value) {
    if (from->left == 0 || (uint32_t)from->next[0] >> MAJOR_SHIFT != major) {
        return COMMAND_MALFORMED;
    }
    uint32_t low = from->next[0] & LOW_MASK;
    from->next++;
    from->left--;
    *value = low;
    if (low < LOW_ONE_BYTE) {
        return 0;
    }
    uint32_t width = 1u << (low - LOW_ONE_BYTE);
    if (low > LOW_FOUR_BYTES || from->left < width) {
        return COMMAND_MALFORMED;
    }
    *value = 0;
    for (uint32_t i = 0; i < width; i++) {
        *value = *value << 8 | from->next[i];
    }
    from->next += width;
    from->left -= width;
    static const uint32_t least[] = {LOW_ONE_BYTE, 0x100u, 0x10000u};
    return *value < least[low - LOW_ONE_BYTE] ? COMMAND_MALFORMED : 0;
}

static int read_entry(reader *from, command *decoded, uint32_t *key) {
    uint32_t value;
    int err = read_head(from, MAJOR_UNSIGNED, key);
    if (err) {
        return err;
    }
    err = read_head(from, MAJOR_UNSIGNED, &value);
    if (err) {
        return err;
    }
    return command_take(decoded, *key, value);
}

int command_cbor_decode(const uint8_t *body, uint32_t size_bytes, command *decoded) {
    reader from = {body, size_bytes};
    uint32_t count;
    int err = read_head(&from, MAJOR_MAP, &count);
    if (err) {
        return err;
    }
    uint32_t least_key = 0;
    *decoded = (command){0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key;
        err = read_entry(&from, decoded, &key);
        if (err || key < least_key) {
            return COMMAND_MALFORMED;
        }
        least_key = key + 1u;
    }
    return from.left > 0 ? COMMAND_MALFORMED : command_check(decoded);
}
