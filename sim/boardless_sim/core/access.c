/* Which instruction of its block an access in progress belongs to, and so when it happens.
 *
 * Inside the callbacks of a device region Unicorn's PC is the start of the block, but r0-r14 are
 * current: the effective addresses of the block's accesses are compared in program order with the
 * address at hand.
 */
#include "core.h"

/* Where an access begins, by the registers as they are now. */
uint32_t effective_address(core *c, const core_access *access) {
    uint32_t address = access->displacement;
    if (access->base >= 0) {
        address += core_reg(c, CORE_GENERAL[access->base]);
    }
    if (access->index >= 0) {
        address += core_reg(c, CORE_GENERAL[access->index]) << access->shift;
    }
    return address;
}

static bool matches(core *c, const core_access *access) {
    return access->is_load == c->access_is_load &&
           c->access_address - effective_address(c, access) < access->span_bytes;
}

const core_access *access_at(const core *c, uint32_t pc) {
    const core_access *accesses = &c->accesses[c->block->first_access];
    for (uint32_t i = 0; i < c->block->accesses; i++) {
        if (c->block_address + 2u * accesses[i].instruction == pc) {
            return &accesses[i];
        }
    }
    return NULL;
}

/* Until c->in_access is false again. */
void access_begins(core *c, uint32_t address, bool is_load) {
    c->in_access = true;
    c->access_is_load = is_load;
    c->access_address = address;
}

/* The instruction that makes the access in progress. */
uint32_t access_pc(core *c) {
    const core_access *accesses = c->block ? &c->accesses[c->block->first_access] : NULL;
    for (uint32_t i = c->match_next; c->block && i < c->block->accesses; i++) {
        if (matches(c, &accesses[i])) {
            return c->block_address + 2u * accesses[i].instruction;
        }
    }
    return c->block_address;
}

/* Where the CPU is: at the access in progress, else where it goes on. */
uint32_t core_pc(core *c) {
    return c->in_access ? access_pc(c) : c->shared.pc & ~1u;
}

/* Cycle of the access in progress; the time of the CPU outside one. */
uint64_t core_now(core *c) {
    if (!c->in_access || !c->block) {
        return c->shared.cycles;
    }
    const core_access *accesses = &c->accesses[c->block->first_access];
    for (uint32_t i = c->match_next; i < c->block->accesses; i++) {
        if (matches(c, &accesses[i])) {
            c->match_next = accesses[i].span_bytes > 4 ? i : i + 1u;
            return c->block_start_cycles + accesses[i].cycles_before;
        }
    }
    return c->block_start_cycles;
}
