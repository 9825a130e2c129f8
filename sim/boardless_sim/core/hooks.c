/* The hooks that Unicorn calls. */
#include "armv7m.h"
#include "core.h"

static void stop(core *c, stop_cause cause) {
    c->stop = cause;
    c->api.emu_stop(c->uc);
}

/* Code takes a stack down: its own doing, unlike the frame of an exception. */
static void note_sp(core *c, uint32_t sp, uint32_t address) {
    stack_look(c, sp, address);
    if (!c->on_process_stack) {
        note_lowest_msp(c, address, sp);
    }
}

/* Stack pointers that the last block may have moved. */
__attribute__((noinline)) static void look_back(core *c, uint32_t address) {
    if (c->look_at_control) {
        c->look_at_control = false;
        c->on_process_stack = (core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_SPSEL) != 0;
        mpu_follow(c);
        stack_is_at(c, core_reg(c, UC_ARM_REG_SP) - 1u); /* MSR may have set it */
    }
    if (c->look_at_sp) {
        c->look_at_sp = false;
        note_sp(c, core_reg(c, UC_ARM_REG_SP), address);
    }
}

/* False: the block must not run. Out of line: most blocks have no flag, and core_on_block() is hot.
 */
__attribute__((noinline)) static bool heed_flags(core *c, core_block *block, uint32_t address) {
    if ((block->flags & BLOCK_MARKED) && c->stopped_at != address) {
        c->stopped_at = address;
        stop(c, STOP_MARK);
        return false;
    }
    c->stopped_at = CORE_NOWHERE;
    if ((block->flags & BLOCK_HAS_FP) && (c->cpacr & CPACR_FPU_FULL) != CPACR_FPU_FULL) {
        stop(c, STOP_NO_FPU);
        return false;
    }
    if ((block->flags & BLOCK_HAS_FP) && (c->fpccr & FPCCR_LSPACT)) {
        c->lazy_refused = lazy_save(c);
        if (c->lazy_refused) {
            stop(c, STOP_LAZY_FP);
            return false;
        }
    }
    if ((block->flags & BLOCK_LOOKS_AT_BASES) &&
        !(block->loop_keeps_bases && address == c->block_address) &&
        !bases_are_aligned(c, block, address)) {
        stop(c, STOP_TRANSLATE);
        return false;
    }
    if (block->flags & BLOCK_LOWERS_SP) {
        note_sp(c, core_reg(c, UC_ARM_REG_SP) - block->sp_drop_bytes, address);
    }
    if (block->flags & BLOCK_MOVES_SP) {
        c->look_at_sp = true;
    }
    if (block->flags & BLOCK_SETS_MASK) {
        c->look_at_control = true;
        if (c->any_pending) {
            c->shared.deadline = 0;
        }
    }
    if (block->flags & BLOCK_EXCLUSIVE) {
        c->exclusive_open = true;
    }
    if (block->flags & BLOCK_SENDS_EVENT) {
        c->event_register = true;
    }
    return true;
}

/* Python filled the block, or it must not run now: false. */
__attribute__((noinline)) static bool analyse(core *c, uint32_t address, uint32_t size) {
    if (!(core_reg(c, UC_ARM_REG_XPSR) & XPSR_THUMB)) {
        stop(c, STOP_DEADLINE); /* no code that could be analysed: own_stop() sees it too */
        return false;
    }
    switch ((core_analysis)c->callbacks.analyse(address, size)) {
    case ANALYSIS_DONE:
        return true;
    case ANALYSIS_HOOKED:
        c->stale_address = address;
        c->stale_bytes = size;
        stop(c, STOP_TRANSLATE);
        return false;
    default:
        stop(c, STOP_CALLBACK);
        return false;
    }
}

/* Cycles that a block waits for the Flash. */
static uint32_t wait_for_flash(core *c, core_block *block) {
    uint32_t waited = art_fetch(&c->art, &block->code, c->shared.cycles);
    for (uint32_t i = 0; i < block->literals; i++) {
        waited += art_load(&c->art, c->literals[block->first_literal + i]);
    }
    return waited;
}

/* Hooks make a translation shorter: without them the rest of a block that was stopped in may go on
 * further than was counted. */
static void count_beyond(core *c, uint32_t end) {
    uint32_t address = c->block_end, size = end - address;
    core_block *block = block_at(c, address);
    if (block->size_bytes != size && c->callbacks.analyse(address, size) == ANALYSIS_FAILED) {
        stop(c, STOP_CALLBACK);
        return;
    }
    c->block_start_cycles = c->shared.cycles;
    c->shared.cycles += block->cycles;
    c->shared.instructions += block->instructions;
    c->block = block;
    c->block_address = address;
    c->block_end = end;
}

void core_on_block(uc_engine *uc, uint64_t address64, uint32_t size, void *user) {
    (void)uc;
    core *c = user;
    uint32_t address = (uint32_t)address64;
    if (c->quiet) {
        return;
    }
    if (c->debug.resumes_at == address) {
        c->debug.resumes_at = CORE_NOWHERE;
        if (address + size > c->block_end) {
            count_beyond(c, address + size);
        }
        return;
    }
    if (c->shared.cycles >= c->shared.deadline && !trains_pass(c)) {
        stop(c, STOP_DEADLINE);
        return;
    }
    if (c->look_at_sp || c->look_at_control) {
        look_back(c, address);
    }
    if (c->mpu.mixed_code && !mpu_allows(c, address, size, is_privileged(c), UC_PROT_EXEC)) {
        stop(c, STOP_NO_EXECUTE);
        return;
    }
    core_block *block = block_at(c, address);
    if (block->size_bytes != size || block == &c->elsewhere) {
        if (!analyse(c, address, size)) {
            return;
        }
    }
    if (c->debug.attached && debug_wants(c, block, address)) {
        stop(c, STOP_HALT);
        return;
    }
    if (address <= c->block_address && c->shared.fast_forward &&
        watch_backward_branch(c, address)) {
        stop(c, STOP_LOOP);
        return;
    }
    if (block->flags && !heed_flags(c, block, address)) {
        return;
    }
    if (c->debug.covers) {
        coverage_enter(c, address);
    }
    if (address != c->block_end) {
        c->shared.cycles += c->block ? c->block->taken_cycles : 0u;
        c->shared.cycles += block->target_cycles;
    }
    if (c->art.wait_states && block->in_flash) {
        c->shared.cycles += wait_for_flash(c, block);
    }
    c->block_start_cycles = c->shared.cycles;
    c->shared.cycles += block->cycles;
    c->shared.instructions += block->instructions;
    c->block = block;
    c->block_address = address;
    c->block_end = address + size;
    c->match_next = 0;
}

void core_on_interrupt(uc_engine *uc, uint32_t number, void *user) {
    (void)uc;
    core *c = user;
    c->interrupt = number;
    c->api.emu_stop(c->uc);
}

bool core_on_invalid_instruction(uc_engine *uc, void *user) {
    (void)uc;
    core *c = user;
    c->bad_instruction = true;
    return false;
}

bool core_on_invalid_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                            int64_t value, void *user) {
    (void)uc, (void)size, (void)value;
    core *c = user;
    c->bad_access = true;
    c->bad_fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
    c->bad_address = (uint32_t)address;
    return false;
}
