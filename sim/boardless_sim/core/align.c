/* UsageFault UNALIGNED (DDI 0403E, A3.2.1): what must always be aligned, and with CCR.UNALIGN_TRP
 * everything. alignment.py says which registers of a block to look at.
 */
#include "armv7m.h"
#include "core.h"

/* Before an instruction that may have an access. */
static void look_at_access(uc_engine *uc, uint64_t address64, uint32_t size, void *user) {
    (void)uc, (void)size;
    core *c = user;
    uint32_t address = (uint32_t)address64;
    if (c->quiet || !c->block) {
        return;
    }
    const core_access *access = access_at(c, address);
    bool held = access && (access->must_align || (c->ccr & CCR_UNALIGN_TRP));
    if (held && (effective_address(c, access) & (access->width_bytes - 1u))) {
        abandon(c, ABANDON_UNALIGNED, address, 0);
    }
}

static void look_at(core *c, uint64_t first, uint64_t last, uc_hook *handle) {
    union {
        void (*function)(uc_engine *, uint64_t, uint32_t, void *);
        void *object; /* as Unicorn wants it */
    } callback = {.function = look_at_access};
    c->api.hook_add(c->uc, handle, UC_HOOK_CODE, callback.object, c, first, last);
}

/* For an access whose base tells nothing when its block begins. Called by Python. */
void core_look_at(core *c, uint32_t address) {
    uc_hook handle;
    look_at(c, address, address, &handle);
}

/* False: a base is odd. The accesses of the block get hooks, and it must be translated anew. */
bool bases_are_aligned(core *c, core_block *block, uint32_t address) {
    bool aligned = true;
    for (uint32_t left = block->aligned_bases; left; left &= left - 1u) {
        aligned = aligned && !(core_reg(c, CORE_GENERAL[__builtin_ctz(left)]) & 3u);
    }
    if (aligned) {
        return true;
    }
    const core_access *accesses = &c->accesses[block->first_access];
    for (uint32_t i = 0; i < block->accesses; i++) {
        if (accesses[i].must_align) {
            core_look_at(c, address + 2u * accesses[i].instruction);
        }
    }
    block->aligned_bases = 0;
    c->stale_address = address;
    c->stale_bytes = block->size_bytes;
    return false;
}

/* Between slices: while CCR.UNALIGN_TRP is set each instruction has a hook, and no translation with
 * one stays behind. */
void follow_unalign_trp(core *c) {
    bool wanted = (c->ccr & CCR_UNALIGN_TRP) != 0;
    if (wanted == c->traps_unaligned) {
        return;
    }
    c->traps_unaligned = wanted;
    if (wanted) {
        look_at(c, 1, 0, &c->trap_hook); /* everywhere */
    } else {
        c->api.hook_del(c->uc, c->trap_hook);
    }
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_FLUSH, 0));
}
