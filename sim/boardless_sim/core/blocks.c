/* The table of basic blocks that Python fills, one entry an instruction address. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

int32_t core_set_code(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes) {
    if (slot >= CORE_CODES) {
        return -1;
    }
    c->blocks[slot] = calloc(size_bytes / 2u, sizeof(core_block));
    c->lowest_msp[slot] = calloc(size_bytes / 2u, sizeof(uint32_t));
    c->code_base[slot] = base;
    c->code_size[slot] = size_bytes;
    return c->blocks[slot] && c->lowest_msp[slot] ? 0 : -1;
}

void blocks_destroy(core *c) {
    for (uint32_t i = 0; i < CORE_CODES; i++) {
        free(c->blocks[i]);
        free(c->lowest_msp[i]);
    }
    free(c->literals);
    free(c->accesses);
}

core_block *block_at(core *c, uint32_t address) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = address - c->code_base[slot];
        if (offset < c->code_size[slot]) {
            return &c->blocks[slot][offset >> 1];
        }
    }
    return &c->elsewhere;
}

/* Room for `more` items behind the `count` that an array has: the array, moved or not; NULL: none.
 */
static void *grown(void *array, size_t item_bytes, uint32_t count, uint32_t more,
                   uint32_t *capacity) {
    uint32_t needed = count + more;
    if (needed <= *capacity && array) {
        return array;
    }
    uint32_t wanted = needed * 2u + 1024u;
    void *moved = realloc(array, wanted * item_bytes);
    if (moved) {
        *capacity = wanted;
    }
    return moved;
}

/* The lines of the Flash that PC-relative loads of the block read, each once in a row. They are
 * counted here, so that their pages must not be counted by the load itself. */
static int32_t note_literals(core *c, core_block *block) {
    uint32_t *pool =
        grown(c->literals, sizeof *pool, c->literal_count, block->accesses, &c->literal_capacity);
    if (!pool) {
        return -1;
    }
    c->literals = pool;
    block->first_literal = c->literal_count;
    for (uint32_t i = 0; i < block->accesses; i++) {
        const core_access *access = &c->accesses[block->first_access + i];
        uint32_t offset = access->displacement - c->art.base;
        if (!access->is_load || access->base >= 0 || access->index >= 0 ||
            offset >= c->art.size_bytes) {
            continue;
        }
        note_code(c, &c->flash_holds_code[offset >> CORE_PAGE_BITS]);
        uint32_t line = offset >> ART_LINE_BITS;
        if (!block->literals || pool[c->literal_count - 1u] != line) {
            pool[c->literal_count++] = line;
            block->literals++;
        }
    }
    return 0;
}

int32_t core_set_block(core *c, uint32_t address, const core_block *block,
                       const core_access *accesses) {
    core_access *pool =
        grown(c->accesses, sizeof *pool, c->access_count, block->accesses, &c->access_capacity);
    if (!pool) {
        return -1;
    }
    c->accesses = pool;
    core_block *entry = block_at(c, address);
    if (!entry->size_bytes && debug_note_analysed(c, address)) {
        return -1;
    }
    *entry = *block;
    entry->first_access = c->access_count;
    uint32_t offset = address - c->art.base;
    entry->in_flash = offset < c->art.size_bytes;
    entry->code.first_line = offset >> ART_LINE_BITS;
    entry->code.last_line = (offset + block->size_bytes - 1u) >> ART_LINE_BITS;
    if (block->accesses) {
        memcpy(&pool[c->access_count], accesses, block->accesses * sizeof *accesses);
    }
    c->access_count += block->accesses;
    return note_literals(c, entry);
}

/* A block that is not yet analysed gets its mark from the analysis. */
void core_mark(core *c, uint32_t address, uint32_t marked) {
    core_block *block = block_at(c, address);
    if (block == &c->elsewhere || !block->size_bytes) {
        return;
    }
    block->flags = (uint8_t)(marked ? block->flags | BLOCK_MARKED : block->flags & ~BLOCK_MARKED);
}

/* How low code from `start` up to `end` took the main stack; 0: it never moved SP. */
uint32_t core_lowest_msp(const core *c, uint32_t start, uint32_t end) {
    uint32_t lowest = 0;
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = start - c->code_base[slot];
        for (; offset < c->code_size[slot] && c->code_base[slot] + offset < end; offset += 2u) {
            uint32_t sp = c->lowest_msp[slot][offset >> 1];
            if (sp && (!lowest || sp < lowest)) {
                lowest = sp;
            }
        }
    }
    return lowest;
}

void note_lowest_msp(core *c, uint32_t address, uint32_t sp) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = address - c->code_base[slot];
        if (offset < c->code_size[slot]) {
            uint32_t *lowest = &c->lowest_msp[slot][offset >> 1];
            *lowest = *lowest && *lowest < sp ? *lowest : sp;
            return;
        }
    }
}

/* For a reset: the stack begins again. */
void forget_lowest_msp(core *c) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        if (c->lowest_msp[slot]) {
            memset(c->lowest_msp[slot], 0, c->code_size[slot] / 2u * sizeof(uint32_t));
        }
    }
}
