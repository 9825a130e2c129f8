/* The run loop and the hooks that Unicorn calls. */
#include <stdlib.h>
#include <string.h>

#include "core.h"

/* Unicorn's interrupt numbers for an M-profile core. */
enum {
    UC_SWI = 2,
    UC_PREFETCH_ABORT = 3, /* code fetched from a device region */
    UC_BKPT = 7,
    UC_EXCEPTION_EXIT = 8,
    UC_INVSTATE = 18,
};

#define CONTROL_SPSEL (1u << 1)
#define CPACR_FPU_FULL 0xf00000u
#define CFSR_IACCVIOL (1u << 0)
#define CFSR_IBUSERR (1u << 8)
#define CFSR_PRECISERR (1u << 9)
#define CFSR_BFARVALID (1u << 15)
#define CFSR_UNDEFINSTR (1u << 16)
#define CFSR_INVSTATE (1u << 17)
#define CFSR_INVPC (1u << 18)
#define CFSR_NOCP (1u << 19)
#define CCR_STKALIGN (1u << 9)
#define XPSR_THUMB (1u << 24)
#define NOWHERE 1u /* no block has an odd address */
#define THUMB_YIELD 0xbf10u
#define THUMB_WFE 0xbf20u
#define THUMB_WFI 0xbf30u

/* ---- life ---- */

core *core_create(uc_engine *uc, const core_api *api, const core_callbacks *callbacks)
{
    core *c = calloc(1, sizeof *c);
    if (c) {
        c->uc = uc;
        c->api = *api;
        c->callbacks = *callbacks;
        c->shared.effects = 1; /* no memo is valid yet */
    }
    return c;
}

void core_destroy(core *c)
{
    blocks_destroy(c);
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        free(c->rams[i].copy);
        free(c->rams[i].holds_code);
    }
    art_destroy(&c->art);
    free(c->flash_holds_code);
    free(c);
}

uint32_t core_shared_size(void)
{
    return (uint32_t)sizeof(core_shared);
}

int32_t core_set_flash(core *c, uint32_t base, uint32_t size_bytes, const uint8_t *memory)
{
    c->flash = memory;
    c->flash_holds_code = calloc(size_bytes >> CORE_PAGE_BITS, sizeof(bool));
    return c->flash_holds_code && art_create(&c->art, base, size_bytes) ? 0 : -1;
}

/* Pages of the Flash are met anew: what they may do depends on whether there are wait states. */
void core_set_flash_acr(core *c, uint32_t acr)
{
    art_set_acr(&c->art, acr);
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0));
}

int32_t core_set_ram(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes, uint8_t *memory,
                     uint32_t executable)
{
    if (slot >= CORE_RAMS) {
        return -1;
    }
    c->rams[slot] = (core_ram){
        .base = base,
        .size_bytes = size_bytes,
        .executable = executable != 0,
        .memory = memory,
        .copy = malloc(size_bytes),
        .holds_code = calloc(size_bytes >> CORE_PAGE_BITS, sizeof(bool)),
    };
    return c->rams[slot].copy && c->rams[slot].holds_code ? 0 : -1;
}

void core_set_clrex(core *c, uint32_t address)
{
    c->clrex_address = address;
}

/* Power-on and every later reset. Virtual time goes on; analysed blocks stay. */
void core_power_on(core *c, uint32_t vector_table)
{
    uint32_t stack_and_reset[2] = {0, 0};
    c->api.mem_read(c->uc, vector_table, stack_and_reset, sizeof stack_and_reset);
    memset(c->pending, 0, sizeof c->pending);
    memset(c->enabled, 0, sizeof c->enabled);
    memset(c->line, 0, sizeof c->line);
    memset(c->priority, 0, sizeof c->priority);
    c->any_pending = false;
    c->active_count = 0;
    c->aircr = c->scr = c->shcsr = c->cfsr = c->hfsr = c->dfsr = c->mmfar = c->bfar = 0;
    c->cpacr = c->fpcar = c->fpdscr = 0;
    c->fpccr = 0xc0000000u;
    c->ccr = CCR_STKALIGN;
    c->vtor = vector_table;
    c->event_register = c->waits_for_event = false;
    c->systick_csr = c->systick_rvr = 0;
    c->systick_held = 0;
    c->shared.systick_at = CORE_NEVER;
    c->demcr = c->dwt_ctrl = c->dbgmcu_cr = 0;
    c->cyccnt_held = 0;
    c->block = NULL;
    art_power_on(&c->art);
    c->exclusive_open = false;
    c->on_process_stack = c->look_at_sp = c->look_at_control = false;
    c->watch.stage = WATCH_OFF;
    c->watch.pass = false;
    core_set_reg(c, UC_ARM_REG_IPSR, 0);
    core_set_reg(c, UC_ARM_REG_CONTROL, 0);
    core_set_reg(c, UC_ARM_REG_PRIMASK, 0);
    core_set_reg(c, UC_ARM_REG_FAULTMASK, 0);
    core_set_reg(c, UC_ARM_REG_BASEPRI, 0);
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, UINT32_C(1) << 24);
    core_set_reg(c, UC_ARM_REG_SP, stack_and_reset[0] & ~3u);
    core_set_reg(c, UC_ARM_REG_LR, 0xffffffffu);
    core_set_reg(c, UC_ARM_REG_APSR_NZCV, 0);
    c->shared.pc = stack_and_reset[1];
    c->block_end = c->shared.pc & ~1u;
    c->block_address = 0;
    c->shared.sleeping = 0;
    c->shared.reset_requested = 0;
    c->shared.active_exception = 0;
    c->shared.lowest_msp = stack_and_reset[0] & ~3u;
    c->shared.lowest_msp_pc = c->shared.pc & ~1u;
    c->shared.lowest_psp = 0xffffffffu;
    if (c->shared.instructions) {
        forget_lowest_msp(c);
    }
    c->shared.effects++;
}

/* ---- hooks ---- */

static void stop(core *c, stop_cause cause)
{
    c->stop = cause;
    c->api.emu_stop(c->uc);
}

/* Code takes a stack down: its own doing, unlike the frame of an exception. */
static void note_sp(core *c, uint32_t sp, uint32_t address)
{
    stack_look(c, sp, address);
    if (!c->on_process_stack) {
        note_lowest_msp(c, address, sp);
    }
}

/* Stack pointers that the last block may have moved. */
static void look_back(core *c, uint32_t address)
{
    if (c->look_at_control) {
        c->look_at_control = false;
        c->on_process_stack = (core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_SPSEL) != 0;
    }
    if (c->look_at_sp) {
        c->look_at_sp = false;
        note_sp(c, core_reg(c, UC_ARM_REG_SP), address);
    }
}

/* False: the block must not run. */
static bool heed_flags(core *c, const core_block *block, uint32_t address)
{
    if ((block->flags & BLOCK_MARKED) && c->stopped_at != address) {
        c->stopped_at = address;
        stop(c, STOP_MARK);
        return false;
    }
    c->stopped_at = NOWHERE;
    if ((block->flags & BLOCK_HAS_FP) && (c->cpacr & CPACR_FPU_FULL) != CPACR_FPU_FULL) {
        stop(c, STOP_NO_FPU);
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
static bool analyse(core *c, uint32_t address, uint32_t size)
{
    switch ((core_analysis)c->callbacks.analyse(address, size)) {
    case ANALYSIS_DONE: return true;
    case ANALYSIS_HOOKED:
        c->stale_address = address;
        c->stale_bytes = size;
        stop(c, STOP_TRANSLATE);
        return false;
    default: stop(c, STOP_CALLBACK); return false;
    }
}

/* Cycles that a block waits for the Flash. */
static uint32_t wait_for_flash(core *c, core_block *block)
{
    uint32_t waited = art_fetch(&c->art, &block->code, c->shared.cycles);
    for (uint32_t i = 0; i < block->literals; i++) {
        waited += art_load(&c->art, c->literals[block->first_literal + i]);
    }
    return waited;
}

void core_on_block(uc_engine *uc, uint64_t address64, uint32_t size, void *user)
{
    (void)uc;
    core *c = user;
    uint32_t address = (uint32_t)address64;
    if (c->quiet) {
        return;
    }
    if (c->shared.cycles >= c->shared.deadline) {
        stop(c, STOP_DEADLINE);
        return;
    }
    if (c->look_at_sp || c->look_at_control) {
        look_back(c, address);
    }
    core_block *block = block_at(c, address);
    if (block->size_bytes != size || block == &c->elsewhere) {
        if (!analyse(c, address, size)) {
            return;
        }
    }
    if (address <= c->block_address && c->shared.fast_forward &&
        watch_backward_branch(c, address)) {
        stop(c, STOP_LOOP);
        return;
    }
    if (block->flags && !heed_flags(c, block, address)) {
        return;
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

void core_on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
    (void)uc;
    core *c = user;
    c->interrupt = number;
    c->api.emu_stop(c->uc);
}

bool core_on_invalid_instruction(uc_engine *uc, void *user)
{
    (void)uc;
    core *c = user;
    c->bad_instruction = true;
    return false;
}

bool core_on_invalid_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                            int64_t value, void *user)
{
    (void)uc, (void)size, (void)value;
    core *c = user;
    c->bad_access = true;
    c->bad_fetch = type == UC_MEM_FETCH_UNMAPPED || type == UC_MEM_FETCH_PROT;
    c->bad_address = (uint32_t)address;
    return false;
}

/* ---- the run loop ---- */

/* WFE with the event register set wakes at once, in core_run(). */
static void fall_asleep(core *c, bool waits_for_event)
{
    c->shared.sleeping = 1;
    c->waits_for_event = waits_for_event;
}

/* False: stacking failed. */
static bool take_pending(core *c)
{
    int group_priority = 0;
    uint32_t best = nvic_best(c, &group_priority);
    if (!best) {
        return true;
    }
    if (group_priority < nvic_execution_priority(c, true)) {
        c->shared.sleeping = 0;
        return exception_enter(c, best);
    }
    if (c->shared.sleeping && !c->waits_for_event &&
        group_priority < nvic_execution_priority(c, false)) {
        c->shared.sleeping = 0;
    }
    return true;
}

static void sleep_until(core *c, uint64_t time)
{
    if (time > c->shared.cycles) {
        c->shared.sleep_cycles += time - c->shared.cycles;
        c->shared.cycles = time;
    }
}

/* A faulting block did not run to its end: take back what came after the fault. */
static void rewind_block(core *c)
{
    if (!c->block) {
        return;
    }
    const core_access *accesses = &c->accesses[c->block->first_access];
    for (uint32_t i = 0; i < c->block->accesses; i++) {
        if (c->block_address + 2u * accesses[i].instruction == (c->shared.pc & ~1u)) {
            c->shared.cycles = c->block_start_cycles + accesses[i].cycles_before;
            return;
        }
    }
}

static bool is_execute_never(uint32_t address)
{
    return address >= 0x40000000u && !(address >= 0x60000000u && address < 0xa0000000u);
}

static bool memory_fault(core *c)
{
    rewind_block(c);
    if (c->bad_fetch) {
        c->shared.pc = c->bad_address;
        return is_execute_never(c->bad_address)
                   ? exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL)
                   : exception_fault(c, EXC_BUS_FAULT, CFSR_IBUSERR);
    }
    c->bfar = c->bad_address;
    return exception_fault(c, EXC_BUS_FAULT, CFSR_PRECISERR | CFSR_BFARVALID);
}

static uint16_t halfword_before_pc(core *c)
{
    uint16_t halfword = 0;
    c->api.mem_read(c->uc, (c->shared.pc & ~1u) - 2u, &halfword, sizeof halfword);
    return halfword;
}

/* WFE and YIELD arrive as invalid instructions, with PC already behind them. */
static bool invalid_instruction(core *c)
{
    switch (halfword_before_pc(c)) {
    case THUMB_WFE: fall_asleep(c, true); return true;
    case THUMB_YIELD: return true;
    default: break;
    }
    bool thumb = (core_reg(c, UC_ARM_REG_XPSR) & XPSR_THUMB) != 0;
    return exception_fault(c, EXC_USAGE_FAULT, thumb ? CFSR_UNDEFINSTR : CFSR_INVSTATE);
}

static bool supervisor_call(core *c)
{
    if (nvic_group(c, nvic_priority(c, EXC_SVCALL)) < nvic_execution_priority(c, true)) {
        return exception_enter(c, EXC_SVCALL);
    }
    return exception_fault(c, EXC_SVCALL, 0); /* escalates to HardFault */
}

static core_reason after_interrupt(core *c)
{
    bool going = true;
    switch (c->interrupt) {
    case UC_EXCEPTION_EXIT: going = exception_return(c, c->shared.pc | 0xf0000001u); break;
    case UC_SWI: going = supervisor_call(c); break;
    case UC_BKPT: return CORE_DEBUG;
    case UC_PREFETCH_ABORT: going = exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL); break;
    case UC_INVSTATE: going = exception_fault(c, EXC_USAGE_FAULT, CFSR_INVSTATE); break;
    default: c->shared.interrupt_number = c->interrupt; return CORE_UNKNOWN;
    }
    return going ? CORE_GO_ON : CORE_LOCKUP;
}

static core_reason run_slice(core *c, uint64_t deadline)
{
    c->shared.deadline = deadline;
    if (c->stopped_at != (c->shared.pc & ~1u)) {
        c->stopped_at = NOWHERE;
    }
    c->stop = STOP_NONE;
    c->interrupt = 0;
    c->bad_instruction = c->bad_access = false;
    uc_err error = c->api.emu_start(c->uc, c->shared.pc | 1u, 0, 0, 0);
    c->in_access = false;
    c->shared.pc = core_reg(c, UC_ARM_REG_PC);
    if (c->bad_access) {
        return memory_fault(c) ? CORE_GO_ON : CORE_LOCKUP;
    }
    if (c->bad_instruction) {
        return invalid_instruction(c) ? CORE_GO_ON : CORE_LOCKUP;
    }
    if (c->interrupt) {
        return after_interrupt(c);
    }
    switch (c->stop) {
    case STOP_DEADLINE: return CORE_GO_ON;
    case STOP_LOOP: watch_examine(c); return CORE_GO_ON;
    case STOP_CALLBACK: return CORE_CALLBACK;
    case STOP_MARK: return CORE_MARK;
    case STOP_TRANSLATE:
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), (uint64_t)c->stale_address,
                   (uint64_t)c->stale_address + c->stale_bytes);
        return CORE_GO_ON;
    case STOP_NO_FPU: return exception_fault(c, EXC_USAGE_FAULT, CFSR_NOCP) ? CORE_GO_ON : CORE_LOCKUP;
    default: break;
    }
    if (!error && halfword_before_pc(c) == THUMB_WFI) {
        fall_asleep(c, false);
        return CORE_GO_ON;
    }
    c->shared.interrupt_number = (uint32_t)error;
    return CORE_UNKNOWN;
}

core_reason core_run(core *c)
{
    for (;;) {
        if (c->shared.callback_failed) {
            return CORE_CALLBACK;
        }
        if (c->shared.reset_requested) {
            return CORE_RESET;
        }
        systick_catch_up(c);
        if (c->shared.next_event <= c->shared.cycles) {
            return CORE_EVENT;
        }
        if (c->any_pending && !take_pending(c)) {
            return CORE_LOCKUP;
        }
        uint64_t next =
            c->shared.next_event < c->shared.systick_at ? c->shared.next_event : c->shared.systick_at;
        if (c->shared.sleeping) {
            if (c->waits_for_event && c->event_register) {
                c->event_register = false;
                c->shared.sleeping = 0;
            } else if (next >= CORE_NEVER) {
                return CORE_IDLE;
            } else {
                sleep_until(c, next);
            }
            continue;
        }
        core_reason reason = run_slice(c, next);
        if (reason != CORE_GO_ON) {
            return reason;
        }
    }
}

/* Whether any interrupt could end a sleep: none is enabled, and SysTick raises none. */
int32_t core_can_wake(const core *c)
{
    uint32_t enabled = 0;
    for (uint32_t word = 0; word < CORE_WORDS; word++) {
        enabled |= c->enabled[word];
    }
    return enabled != 0 || c->shared.systick_at != CORE_NEVER;
}

/* BKPT without a debugger: HardFault with HFSR.DEBUGEVT (DDI 0403E, C1.6.4). 0: lockup. */
int32_t core_breakpoint_fault(core *c)
{
    c->hfsr |= UINT32_C(1) << 31;
    return exception_fault(c, EXC_HARD_FAULT, 0);
}
