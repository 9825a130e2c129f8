/* What a stop of Unicorn was: a fault, a call, sleep, or the core's own wish (DDI 0403E, B1.5.14).
 */
#include "armv7m.h"
#include "core.h"

/* Unicorn's interrupt numbers for an M-profile core. */
enum {
    UC_SWI = 2,
    UC_PREFETCH_ABORT = 3, /* code fetched from a device region */
    UC_DATA_ABORT = 4,     /* LDREX, LDREXH at an address that is not aligned */
    UC_BKPT = 7,
    UC_EXCEPTION_EXIT = 8,
    UC_INVSTATE = 18,
};

#define THUMB_YIELD 0xbf10u
#define THUMB_WFE   0xbf20u
#define THUMB_WFI   0xbf30u

/* WFE with the event register set wakes at once, in core_run(). */
static void fall_asleep(core *c, bool waits_for_event) {
    c->shared.sleeping = 1;
    c->waits_for_event = waits_for_event;
}

static bool is_thumb(core *c) {
    return (core_reg(c, UC_ARM_REG_XPSR) & XPSR_THUMB) != 0;
}

/* A faulting block did not run to its end: take back what came after the fault. */
void rewind_block(core *c) {
    if (!c->block) {
        return;
    }
    if (c->block_address == (c->shared.pc & ~1u)) {
        c->shared.cycles = c->block_start_cycles;
        c->shared.instructions -= c->block->instructions;
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

static bool is_execute_never(uint32_t address) {
    return address >= 0x40000000u && !(address >= 0x60000000u && address < 0xa0000000u);
}

static bool memory_fault(core *c) {
    rewind_block(c);
    if (c->bad_fetch) {
        return is_execute_never(c->bad_address) ? exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL)
                                                : exception_fault(c, EXC_BUS_FAULT, CFSR_IBUSERR);
    }
    c->bfar = c->bad_address;
    return exception_fault(c, EXC_BUS_FAULT, CFSR_PRECISERR | CFSR_BFARVALID);
}

/* Where the access began that was refused; bad_address is that of its page, or of the refused part.
 */
static uint32_t refused_address(core *c) {
    const core_access *access = c->block ? access_at(c, c->shared.pc & ~1u) : NULL;
    uint32_t address =
        access && !c->refused_in_part ? effective_address(c, access) : c->bad_address;
    bool same_page = address >> CORE_PAGE_BITS == c->bad_address >> CORE_PAGE_BITS;
    return same_page ? address : c->bad_address; /* it began in the page before */
}

static bool mpu_fault(core *c) {
    rewind_block(c);
    if (c->refused == UC_PROT_EXEC) {
        return exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL);
    }
    c->mmfar = refused_address(c);
    return exception_fault(c, EXC_MEM_MANAGE, CFSR_DACCVIOL | CFSR_MMARVALID);
}

static bool privilege_fault(core *c) {
    rewind_block(c);
    c->bfar = refused_address(c);
    return exception_fault(c, EXC_BUS_FAULT, CFSR_PRECISERR | CFSR_BFARVALID);
}

static uint16_t halfword_before_pc(core *c) {
    uint16_t halfword = 0;
    c->api.mem_read(c->uc, (c->shared.pc & ~1u) - 2u, &halfword, sizeof halfword);
    return halfword;
}

/* WFE and YIELD arrive as invalid instructions, with PC already behind them. */
static bool invalid_instruction(core *c) {
    switch (halfword_before_pc(c)) {
    case THUMB_WFE:
        fall_asleep(c, true);
        return true;
    case THUMB_YIELD:
        return true;
    default:
        break;
    }
    return exception_fault(c, EXC_USAGE_FAULT, is_thumb(c) ? CFSR_UNDEFINSTR : CFSR_INVSTATE);
}

static bool supervisor_call(core *c) {
    if (nvic_group(c, nvic_priority(c, EXC_SVCALL)) < nvic_execution_priority(c, true)) {
        return exception_enter(c, EXC_SVCALL);
    }
    return exception_fault(c, EXC_SVCALL, 0); /* escalates to HardFault */
}

static core_reason go_on_or_lock_up(bool going) {
    return going ? CORE_GO_ON : CORE_LOCKUP;
}

static core_reason after_interrupt(core *c) {
    bool going = true;
    switch (c->interrupt) {
    case UC_EXCEPTION_EXIT:
        going = exception_return(c, c->shared.pc | is_thumb(c));
        break;
    case UC_SWI:
        going = supervisor_call(c);
        break;
    case UC_BKPT:
        return CORE_DEBUG;
    case UC_PREFETCH_ABORT:
        going = exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL);
        break;
    case UC_DATA_ABORT:
        rewind_block(c);
        going = exception_fault(c, EXC_USAGE_FAULT, CFSR_UNALIGNED);
        break;
    case UC_INVSTATE:
        rewind_block(c);
        going = exception_fault(c, EXC_USAGE_FAULT, CFSR_INVSTATE);
        break;
    default:
        c->shared.interrupt_number = c->interrupt;
        return CORE_UNKNOWN;
    }
    return go_on_or_lock_up(going);
}

static bool refused_lazy_fp(core *c) {
    bool by_mpu = c->lazy_refused == CFSR_MLSPERR;
    return exception_fault(c, by_mpu ? EXC_MEM_MANAGE : EXC_BUS_FAULT, c->lazy_refused);
}

static core_reason own_stop(core *c) {
    if (!is_thumb(c)) {
        c->not_thumb = true; /* a branch to an even address: to start again would set the bit */
        return CORE_GO_ON;
    }
    switch (c->stop) {
    case STOP_LOOP:
        watch_examine(c);
        return CORE_GO_ON;
    case STOP_CALLBACK:
        return CORE_CALLBACK;
    case STOP_MARK:
        return CORE_MARK;
    case STOP_HALT:
        return CORE_BREAK;
    case STOP_INSTRUCTION:
        c->debug.resumes_at = c->shared.pc & ~1u;
        return CORE_BREAK;
    case STOP_TRANSLATE:
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), (uint64_t)c->stale_address,
                   (uint64_t)c->stale_address + c->stale_bytes);
        return CORE_GO_ON;
    case STOP_NO_FPU:
        return go_on_or_lock_up(exception_fault(c, EXC_USAGE_FAULT, CFSR_NOCP));
    case STOP_LAZY_FP:
        return go_on_or_lock_up(refused_lazy_fp(c));
    case STOP_NO_EXECUTE:
        return go_on_or_lock_up(exception_fault(c, EXC_MEM_MANAGE, CFSR_IACCVIOL));
    case STOP_DEADLINE:
    case STOP_NONE:
        break;
    }
    return CORE_GO_ON;
}

core_reason what_stopped(core *c, uc_err error) {
    c->shared.pc = core_reg(c, UC_ARM_REG_PC);
    if (c->abandoned.cause) {
        return go_on_or_lock_up(abandoned_fault(c));
    }
    if (c->needs_privileges) {
        return go_on_or_lock_up(privilege_fault(c));
    }
    if (c->refused) {
        return go_on_or_lock_up(mpu_fault(c));
    }
    if (c->bad_access) {
        return go_on_or_lock_up(memory_fault(c));
    }
    if (c->bad_instruction) {
        return go_on_or_lock_up(invalid_instruction(c));
    }
    if (c->interrupt) {
        return after_interrupt(c);
    }
    if (c->stop != STOP_NONE) {
        return own_stop(c);
    }
    if (!error && halfword_before_pc(c) == THUMB_WFI) {
        fall_asleep(c, false);
        return CORE_GO_ON;
    }
    c->shared.interrupt_number = (uint32_t)error;
    return CORE_UNKNOWN;
}
