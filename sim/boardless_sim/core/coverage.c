/* Which blocks ran, and which way each was left: a byte for each halfword where a block can begin.
 */
#include <stdlib.h>

#include "core.h"

enum {
    COVERED_RAN = 1u << 0,
    COVERED_FELL_THROUGH = 1u << 1,
    COVERED_BRANCHED = 1u << 2,
};

/* 0: there is room. */
int32_t core_cover(core *c, uint32_t wanted) {
    c->debug.covers = false;
    c->debug.covered_last = NULL;
    for (uint32_t slot = 0; wanted && slot < CORE_CODES; slot++) {
        if (!c->debug.covered[slot] && c->code_size[slot]) {
            c->debug.covered[slot] = calloc(c->code_size[slot] / 2u, 1);
            if (!c->debug.covered[slot]) {
                return -1;
            }
        }
    }
    c->debug.covers = wanted != 0;
    return 0;
}

/* Of the code memory that begins at `base`; NULL: none does, or nothing was covered. */
const uint8_t *core_covered(const core *c, uint32_t base) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        if (c->code_base[slot] == base && c->code_size[slot]) {
            return c->debug.covered[slot];
        }
    }
    return NULL;
}

void coverage_destroy(core *c) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        free(c->debug.covered[slot]);
    }
}

/* The block that ran last is left for `next`. */
void coverage_leave(core *c, uint32_t next) {
    if (c->debug.covered_last) {
        bool falls = next == c->block_end;
        *c->debug.covered_last |= falls ? COVERED_FELL_THROUGH : COVERED_BRANCHED;
        c->debug.covered_last = NULL;
    }
}

/* Before the block is counted. */
void coverage_enter(core *c, uint32_t address) {
    coverage_leave(c, address);
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = address - c->code_base[slot];
        if (offset < c->code_size[slot]) {
            c->debug.covered_last = &c->debug.covered[slot][offset >> 1];
            *c->debug.covered_last |= COVERED_RAN;
            return;
        }
    }
}
