/* The core's whole state as bytes, to be put back into the same core.
 *
 * What only grows (analyses, pages that hold code) and what belongs to the host (hooks, buffers, a
 * debugger's wishes) stays as it is. Unicorn's registers and the devices are Python's to keep.
 */
#include <string.h>

#include "core.h"

/* Of an analysed block: when its lines were last used, and the stack. */
typedef struct {
    uint64_t ran;
    uint32_t epoch;
    uint32_t lowest_msp;
} block_state;

static uint32_t *lowest_msp_at(const core *c, uint32_t address) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = address - c->code_base[slot];
        if (offset < c->code_size[slot]) {
            return &c->lowest_msp[slot][offset >> 1];
        }
    }
    return NULL;
}

uint64_t core_snapshot_bytes(const core *c) {
    uint64_t bytes = sizeof *c + c->debug.analysed_count * sizeof(block_state);
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        bytes += c->rams[i].memory ? c->rams[i].size_bytes : 0;
    }
    return bytes;
}

static uint8_t *copy_out(uint8_t *to, const void *from, size_t bytes) {
    memcpy(to, from, bytes);
    return to + bytes;
}

void core_snapshot(const core *c, uint8_t *to) {
    to = copy_out(to, c, sizeof *c);
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        if (c->rams[i].memory) {
            to = copy_out(to, c->rams[i].memory, c->rams[i].size_bytes);
        }
    }
    for (uint32_t i = 0; i < c->debug.analysed_count; i++) {
        uint32_t address = c->debug.analysed[i];
        const core_block *block = block_at((core *)c, address);
        const uint32_t *lowest = lowest_msp_at(c, address);
        block_state state = {block->code.ran, block->code.epoch, lowest ? *lowest : 0};
        to = copy_out(to, &state, sizeof state);
    }
}

/* Code in a page that changes must be translated anew. */
static const uint8_t *restore_ram(core *c, core_ram *ram, const uint8_t *from) {
    const uint32_t page_bytes = 1u << CORE_PAGE_BITS;
    for (uint32_t page = 0; page << CORE_PAGE_BITS < ram->size_bytes; page++) {
        uint32_t offset = page << CORE_PAGE_BITS;
        if (ram->holds_code[page] && memcmp(ram->memory + offset, from + offset, page_bytes) != 0) {
            uint64_t start = (uint64_t)ram->base + offset;
            c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), start, start + page_bytes);
        }
    }
    memcpy(ram->memory, from, ram->size_bytes);
    return from + ram->size_bytes;
}

/* Blocks that were analysed since begin as if they had never run. */
static void restore_blocks(core *c, uint32_t count, const uint8_t *from) {
    for (uint32_t i = 0; i < c->debug.analysed_count; i++) {
        uint32_t address = c->debug.analysed[i];
        core_block *block = block_at(c, address);
        uint32_t *lowest = lowest_msp_at(c, address);
        block_state state = {0};
        if (i < count) {
            memcpy(&state, from + i * sizeof state, sizeof state);
        }
        block->code.ran = state.ran;
        block->code.epoch = state.epoch;
        if (lowest) {
            *lowest = state.lowest_msp;
        }
    }
}

/* `way`, the inverse of `line`, is the host's: from what it was to what the cache now has. */
static void restore_cache(art_cache *cache, const art_cache *kept) {
    for (uint32_t i = 0; i < kept->ways; i++) {
        if (kept->used[i]) {
            cache->way[kept->line[i]] = ART_ABSENT;
        }
    }
    for (uint32_t i = 0; i < cache->ways; i++) {
        if (cache->used[i]) {
            cache->way[cache->line[i]] = (uint8_t)i;
        }
    }
}

/* A debugger's wishes outlive the state; where it stood, and what was passed there, is part of it.
 */
static void restore_debug(core_debug *debug, const core_debug *kept) {
    core_debug then = *debug;
    *debug = *kept;
    debug->resumes_at = then.resumes_at;
    debug->it_start = then.it_start;
    debug->it_end = then.it_end;
    debug->divided_at = then.divided_at;
    debug->skips_divide = then.skips_divide;
    debug->passes = CORE_NOWHERE;
    debug->steps = 0;
    debug->covered_last = NULL;
    debug->hit_kind = 0;
    debug->caught = 0;
}

/* `kept` has the host's pointers and everything that only grows. */
static void restore_core(core *c, const uint8_t *from) {
    const core kept = *c;
    memcpy(c, from, sizeof *c);
    c->api = kept.api;
    c->callbacks = kept.callbacks;
    c->accesses = kept.accesses;
    c->access_count = kept.access_count;
    c->access_capacity = kept.access_capacity;
    c->literals = kept.literals;
    c->literal_count = kept.literal_count;
    c->literal_capacity = kept.literal_capacity;
    c->traps_unaligned = kept.traps_unaligned;
    c->trap_hook = kept.trap_hook;
    restore_cache(&c->art.instructions, &kept.art.instructions);
    restore_cache(&c->art.data, &kept.art.data);
    restore_debug(&c->debug, &kept.debug);
    /* The copy of RAM that a loop is compared with is not kept: begin to watch anew. */
    c->watch.stage = WATCH_OFF;
    c->watch.pass = false;
}

void core_restore(core *c, const uint8_t *from) {
    core_debug then_debug;
    memcpy(&then_debug, from + offsetof(core, debug), sizeof then_debug);
    restore_core(c, from);
    const uint8_t *at = from + sizeof *c;
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        if (c->rams[i].memory) {
            at = restore_ram(c, &c->rams[i], at);
        }
    }
    restore_blocks(c, then_debug.analysed_count, at);
    c->api.ctl(c->uc,
               UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0)); /* wait states and the MPU decide on pages */
    c->shared.effects++;
}
