/* Stops for a debugger: before an instruction, after a count of them, at an access (see debug.h).
 */
#include "debug.h"

#include <stdlib.h>
#include <string.h>

#include "core.h"

#define THUMB_32_BIT_FIRST 0xe800u /* DDI 0403E, A5.1 */

/* 0: a room for the marks of every code memory. */
int32_t core_attach(core *c) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        if (!c->debug.breaks[slot] && c->code_size[slot]) {
            c->debug.breaks[slot] = calloc(c->code_size[slot] / 2u, 1);
            if (!c->debug.breaks[slot]) {
                return -1;
            }
        }
    }
    c->debug.attached = true;
    return 0;
}

/* Nothing stops any more. The rest of a block that was stopped in still goes on uncounted. */
void core_detach(core *c) {
    c->debug.attached = false;
    c->debug.steps = 0;
    c->debug.halt_at = CORE_NEVER;
    c->debug.watch_count = 0;
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        free(c->debug.breaks[slot]);
        c->debug.breaks[slot] = NULL;
    }
}

void debug_destroy(core *c) {
    core_detach(c);
    coverage_destroy(c);
    core_trace(c, 0);
    free(c->debug.analysed);
}

static uint8_t *mark_at(core *c, uint32_t address) {
    for (uint32_t slot = 0; slot < CORE_CODES; slot++) {
        uint32_t offset = address - c->code_base[slot];
        if (offset < c->code_size[slot] && c->debug.breaks[slot]) {
            return &c->debug.breaks[slot][offset >> 1];
        }
    }
    return NULL;
}

void core_break(core *c, uint32_t address, uint32_t wanted) {
    uint8_t *mark = mark_at(c, address);
    if (mark) {
        *mark = wanted != 0;
    }
}

void core_watch_access(core *c, uint32_t slot, uint32_t address, uint32_t size_bytes,
                       uint32_t kind) {
    c->debug.watches[slot] = (core_watchpoint){address, size_bytes, kind};
    c->debug.watch_count = 0;
    for (uint32_t i = 0; i < CORE_WATCHES; i++) {
        if (c->debug.watches[i].kind) {
            c->debug.watch_count = i + 1u;
        }
    }
}

/* The instruction at which the CPU stands has had its stop, unless its block has not begun. */
void core_go_on(core *c) {
    bool inside = c->debug.resumes_at != CORE_NOWHERE;
    c->debug.steps = 0;
    c->debug.passes = inside ? c->shared.pc & ~1u : CORE_NOWHERE;
    c->debug.hit_kind = 0;
    c->debug.caught = 0;
}

/* Stop after so many instructions; those of handlers deeper than `deepest` are not counted, nor are
 * those from `range_start` up to `range_end`. */
void core_step(core *c, uint64_t count, uint32_t deepest, uint32_t range_start,
               uint32_t range_end) {
    core_go_on(c);
    uint32_t pc = c->shared.pc & ~1u;
    bool is_counted = c->debug.passes == CORE_NOWHERE && !c->shared.sleeping &&
                      !(pc >= range_start && pc < range_end);
    c->debug.steps = count + is_counted; /* the first one is met before it is stepped */
    c->debug.deepest = deepest;
    c->debug.range_start = range_start;
    c->debug.range_end = range_end;
}

/* Stop before the very next instruction, whatever comes before it: events, an exception, sleep. */
void core_settle(core *c) {
    core_step(c, 0, UINT32_MAX, 0, 0);
    c->debug.steps = 1;
}

void core_mute(core *c, uint32_t muted) {
    c->debug.muted = muted != 0;
}

void core_catch(core *c, uint32_t exceptions) {
    c->debug.catches = exceptions;
}

void core_halt_at(core *c, uint64_t instructions) {
    c->debug.halt_at = instructions;
}

/* The one function that another thread may call. */
void core_want_stop(core *c, uint32_t wanted) {
    c->debug.stop_wanted = wanted;
}

/* PC leaves the block that was stopped in: what was counted of it beyond this place is taken back.
 */
void core_leave_block(core *c, uint64_t cycles, uint64_t instructions) {
    c->shared.cycles = cycles;
    c->shared.instructions = instructions;
    c->debug.resumes_at = CORE_NOWHERE;
    c->block_address = 0;
    c->block_end = c->shared.pc & ~1u;
}

void core_get_where(core *c, core_where *where) {
    bool inside = c->debug.resumes_at != CORE_NOWHERE;
    *where = (core_where){
        .block_cycles = inside ? c->block_start_cycles : c->shared.cycles,
        .block_instructions = c->shared.instructions - (inside ? c->block->instructions : 0u),
        .block_address = inside ? c->block_address : c->shared.pc & ~1u,
        .inside_block = inside,
        .watch_address = c->debug.hit_address,
        .watch_kind = c->debug.hit_kind,
        .active_count = c->active_count,
        .exceptions_taken = (uint32_t)c->shared.exceptions_taken,
        .caught = c->debug.caught,
        .block_count = inside ? c->block->instructions : 0u,
    };
}

/* A register of the System Control Space without the effects of reading it; false: it has none
 * there. */
uint32_t core_peek(core *c, uint32_t address, uint32_t *value) {
    uint32_t csr = c->systick_csr;
    uint64_t effects = c->shared.effects;
    bool found = scs_read(c, address, value);
    c->systick_csr = csr;
    c->shared.effects = effects;
    return found;
}

/* A store of the debugger's to the System Control Space: it needs no privileges. */
uint32_t core_poke(core *c, uint32_t address, uint32_t size, uint32_t value) {
    c->shared.effects++;
    return scs_write(c, address, size, value);
}

int32_t debug_note_analysed(core *c, uint32_t address) {
    core_debug *d = &c->debug;
    if (d->analysed_count == d->analysed_capacity) {
        uint32_t wanted = d->analysed_capacity * 2u + 1024u;
        uint32_t *moved = realloc(d->analysed, wanted * sizeof *moved);
        if (!moved) {
            return -1;
        }
        d->analysed = moved;
        d->analysed_capacity = wanted;
    }
    d->analysed[d->analysed_count++] = address;
    return 0;
}

uint32_t core_analysed(const core *c, const uint32_t **addresses) {
    *addresses = c->debug.analysed;
    return c->debug.analysed_count;
}

uint32_t core_block_bytes(core *c, uint32_t address) {
    return block_at(c, address)->size_bytes;
}

/* The code memories have other contents: every block is analysed and translated anew. */
void core_forget_code(core *c) {
    for (uint32_t i = 0; i < c->debug.analysed_count; i++) {
        block_at(c, c->debug.analysed[i])->size_bytes = 0;
    }
    c->debug.analysed_count = 0;
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_FLUSH, 0));
}

/* Before a block: the debugger wants to stand here. */
bool debug_wants(core *c, const core_block *block, uint32_t address) {
    (void)address;
    return c->shared.instructions + block->instructions > c->debug.halt_at;
}

/* A stop at a divide came after its hook, which is called again now: its cycles are counted. */
bool debug_counted_divide(core *c, uint32_t address) {
    if (c->debug.skips_divide == address) {
        c->debug.skips_divide = CORE_NOWHERE;
        return true;
    }
    c->debug.divided_at = address;
    return false;
}

/* Unicorn takes an IT block for one instruction, and so does this file. */
static void meet_it_block(core *c, uint32_t address) {
    uint16_t halfword = 0;
    c->api.mem_read(c->uc, address, &halfword, sizeof halfword);
    bool is_it = (halfword & 0xff00u) == 0xbf00u && (halfword & 0xfu);
    c->debug.it_start = is_it ? address : 0;
    c->debug.it_end = is_it ? address + 2u : 0;
    for (uint32_t left = is_it ? 4u - (uint32_t)__builtin_ctz(halfword & 0xfu) : 0; left; left--) {
        c->api.mem_read(c->uc, c->debug.it_end, &halfword, sizeof halfword);
        c->debug.it_end += halfword >= THUMB_32_BIT_FIRST ? 4u : 2u;
    }
}

static bool is_watched(core *c, const core_access *access) {
    uint32_t kind = access->is_load ? WATCH_READ : WATCH_WRITE;
    uint32_t address = effective_address(c, access);
    for (uint32_t i = 0; i < c->debug.watch_count; i++) {
        const core_watchpoint *watch = &c->debug.watches[i];
        if ((watch->kind & kind) && address < watch->address + watch->size_bytes &&
            watch->address < address + access->span_bytes) {
            c->debug.hit_address = watch->address;
            c->debug.hit_kind = kind;
            return true;
        }
    }
    return false;
}

/* The accesses of the instruction, or IT block, at `address` by the registers as they are now. */
static bool accesses_watched(core *c, uint32_t address) {
    if (!c->debug.watch_count || !c->block || address < c->block_address) {
        return false;
    }
    uint32_t end = c->debug.it_start == address ? c->debug.it_end : address + 2u;
    const core_access *accesses = &c->accesses[c->block->first_access];
    for (uint32_t i = 0; i < c->block->accesses; i++) {
        uint32_t at = c->block_address + 2u * accesses[i].instruction;
        if (at >= address && at < end && is_watched(c, &accesses[i])) {
            return true;
        }
    }
    return false;
}

static bool steps_here(core *c, uint32_t address) {
    core_debug *d = &c->debug;
    bool is_counted = d->steps && c->active_count <= d->deepest &&
                      !(address >= d->range_start && address < d->range_end);
    return is_counted && --d->steps == 0;
}

/* Before each instruction while stepping or watching, else before those with a breakpoint. */
void core_on_code(uc_engine *uc, uint64_t address64, uint32_t size, void *user) {
    (void)size;
    core *c = user;
    core_debug *d = &c->debug;
    uint32_t address = (uint32_t)address64;
    if (c->quiet || !d->attached || (address > d->it_start && address < d->it_end)) {
        return;
    }
    meet_it_block(c, address);
    bool had_its_stop = d->passes == address;
    d->passes = CORE_NOWHERE;
    uint32_t divided_at = d->divided_at;
    d->divided_at = CORE_NOWHERE;
    if (had_its_stop) {
        return;
    }
    bool wanted = steps_here(c, address);
    if (!d->muted) {
        const uint8_t *mark = mark_at(c, address);
        wanted = (mark && *mark) || wanted;
        wanted = accesses_watched(c, address) || wanted;
    }
    if (wanted) {
        d->skips_divide = divided_at == address ? address : CORE_NOWHERE;
        c->stop = STOP_INSTRUCTION;
        c->api.emu_stop(uc);
    }
}
