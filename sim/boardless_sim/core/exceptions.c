/* Exception entry, return and faults (DDI 0403E, B1.5.6 to B1.5.15). The frames: frames.c. */
#include <string.h>

#include "armv7m.h"
#include "core.h"

enum {
    ENTRY_CYCLES = 12, /* DDI 0439, 3.9: zero wait states */
    RETURN_CYCLES = 12,
    TAIL_CHAIN_CYCLES = 6,
};

static void note_first_fault(core *c, uint32_t taken) {
    if (c->shared.fault_number) {
        return;
    }
    c->shared.fault_number = taken;
    c->shared.fault_pc = c->shared.pc & ~1u;
    c->shared.fault_cfsr = c->cfsr;
    c->shared.fault_hfsr = c->hfsr;
    c->shared.fault_has_address = (c->cfsr & (CFSR_BFARVALID | CFSR_MMARVALID)) != 0;
    c->shared.fault_address = (c->cfsr & CFSR_BFARVALID) ? c->bfar : c->mmfar;
    c->shared.fault_sp = core_reg(c, UC_ARM_REG_SP);
    c->shared.fault_lr = core_reg(c, UC_ARM_REG_LR);
    for (uint32_t i = 0; i < 13u; i++) {
        c->shared.fault_registers[i] = core_reg(c, UC_ARM_REG_R0 + (int)i);
    }
}

/* What a fault is taken as: itself when enabled and of higher priority than what runs, else
 * HardFault (B1.5.14, priority escalation). 0: lockup. */
static uint32_t escalate(core *c, uint32_t exception) {
    int current = nvic_execution_priority(c, true);
    bool configurable = exception >= EXC_MEM_MANAGE && exception <= EXC_USAGE_FAULT;
    bool enabled = configurable && (c->shcsr & SHCSR_FAULT_ENABLE(exception));
    if (!enabled || nvic_group(c, nvic_priority(c, exception)) >= current) {
        if (exception != EXC_HARD_FAULT) {
            c->hfsr |= HFSR_FORCED;
        }
        exception = EXC_HARD_FAULT;
    }
    note_first_fault(c, exception);
    return exception != EXC_HARD_FAULT || current > -1 ? exception : 0;
}

/* The exception that a bit of CFSR belongs to (B3.2.15). */
static uint32_t fault_of(uint32_t cfsr_bit) {
    return cfsr_bit < CFSR_IBUSERR      ? EXC_MEM_MANAGE
           : cfsr_bit < CFSR_UNDEFINSTR ? EXC_BUS_FAULT
                                        : EXC_USAGE_FAULT;
}

/* A fault of the entry to an exception: the more urgent of the two comes first, the other stays
 * pending (B1.5.11, derived exceptions). 0: lockup. */
static uint32_t derived_exception(core *c, uint32_t original, uint32_t cfsr_bits) {
    c->cfsr |= cfsr_bits;
    uint32_t fault = escalate(c, fault_of(cfsr_bits));
    c->shared.fault_cfsr |= cfsr_bits; /* also where it adds to a fault already noted */
    if (fault && fault != original) {
        int group_priority = 0;
        nvic_pend(c, original);
        nvic_pend(c, fault);
        return nvic_best(c, &group_priority);
    }
    return fault;
}

/* The handler's address; where it cannot be read, HardFault's with HFSR.VECTTBL, and the exception
 * stays pending (B1.5.14). False: lockup. */
static bool find_handler(core *c, uint32_t *exception, uint32_t *handler) {
    if (!c->api.mem_read(c->uc, c->vtor + 4u * *exception, handler, 4)) {
        return true;
    }
    c->hfsr |= HFSR_VECTTBL;
    note_first_fault(c, EXC_HARD_FAULT);
    if (*exception <= EXC_HARD_FAULT) {
        return false;
    }
    nvic_pend(c, *exception);
    *exception = EXC_HARD_FAULT;
    return !c->api.mem_read(c->uc, c->vtor + 4u * *exception, handler, 4);
}

static void activate(core *c, uint32_t exception, uint32_t handler) {
    nvic_unpend(c, exception);
    if (!c->active_count) {
        c->shared.handler_since = c->shared.cycles;
    }
    c->active[c->active_count++] = (uint8_t)exception;
    c->shared.active_exception = exception;
    uint32_t place = (uint32_t)(c->shared.exceptions_taken++ % CORE_RECENT);
    c->shared.entered[place] = exception;
    c->shared.entered_at[place] = c->shared.cycles;
    if (exception < 32u && (c->debug.catches >> exception & 1u)) {
        c->debug.caught = exception;
    }
    if (c->debug.traces) { /* here and not at the entry: a tail-chain has none */
        trace_exception(c, TRACE_ENTER, exception);
    }
    c->event_register = true;
    mpu_follow(c);
    jump(c, handler);
}

/* False: it was not active. */
static bool deactivate(core *c, uint32_t exception) {
    for (uint32_t i = c->active_count; i-- > 0;) {
        if (c->active[i] == exception) {
            c->active_count--;
            memmove(&c->active[i], &c->active[i + 1u], c->active_count - i);
            if (!c->active_count) {
                c->shared.handler_cycles += c->shared.cycles - c->shared.handler_since;
            }
            return true;
        }
    }
    return false;
}

/* Handler mode, on the main stack (B1.5.6, ExceptionTaken). */
static void enter_handler_mode(core *c, uint32_t xpsr, uint32_t control, uint32_t exception) {
    bool from_handler = (xpsr & XPSR_EXCEPTION) != 0;
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, (xpsr & XPSR_FLAGS) | XPSR_THUMB | exception);
    if (!from_handler && (control & CONTROL_SPSEL)) {
        /* SPSEL reads 0 in a handler; it can be written only in thread mode, privileged */
        if (control & CONTROL_NPRIV) {
            core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        }
        core_set_reg(c, UC_ARM_REG_IPSR, 0);
        core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        core_set_reg(c, UC_ARM_REG_IPSR, exception);
    }
    core_set_reg(c, UC_ARM_REG_CONTROL, (control & CONTROL_NPRIV) | fp_active(c, false));
    c->on_process_stack = false;
}

/* False: lockup. A frame that cannot be stacked leads to the handler of that fault, which runs as
 * long as it does not touch that stack. */
bool exception_enter(core *c, uint32_t exception) {
    if (c->active_count >= CORE_EXCEPTIONS) {
        return false;
    }
    uint32_t xpsr = core_reg(c, UC_ARM_REG_XPSR) & ~(c->not_thumb ? XPSR_THUMB : 0u);
    uint32_t control = core_reg(c, UC_ARM_REG_CONTROL);
    bool extended = fp_is_stacked(c, control);
    uint32_t sp = core_reg(c, UC_ARM_REG_SP);
    bool is_first = !c->shared.fault_number;
    uint32_t refused = push_frame(c, xpsr, extended);
    if (refused) {
        exception = derived_exception(c, exception, refused);
        c->shared.fault_sp = is_first ? sp : c->shared.fault_sp;
    }
    uint32_t handler = 0;
    if (!exception || !find_handler(c, &exception, &handler)) {
        return false;
    }
    enter_handler_mode(c, xpsr, control, exception);
    uint32_t exc_return = (xpsr & XPSR_EXCEPTION)     ? EXC_RETURN_HANDLER
                          : (control & CONTROL_SPSEL) ? EXC_RETURN_PROCESS
                                                      : EXC_RETURN_MAIN;
    core_set_reg(c, UC_ARM_REG_LR, extended ? exc_return & ~EXC_RETURN_BASIC : exc_return);
    rebuild_flags(c);
    c->shared.cycles += ENTRY_CYCLES;
    activate(c, exception, handler);
    return true;
}

/* Exception return clears the exclusive monitor (B2.2.5 needs it, B1.5.8 does it). Unicorn has no
 * register for the monitor: only the instruction itself reaches it. */
static void clear_exclusive(core *c) {
    if (!c->exclusive_open || !c->clrex_address) {
        return;
    }
    c->exclusive_open = false;
    c->quiet = true;
    c->api.emu_start(c->uc, c->clrex_address | 1u, 0, 0, 1);
    c->quiet = false;
}

/* From one handler to the next, over the frame that is on the stack. False: lockup. */
static bool tail_chain(core *c, uint32_t next, uint32_t exc_return) {
    uint32_t handler = 0;
    if (!find_handler(c, &next, &handler)) {
        return false;
    }
    uint32_t npriv = core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_NPRIV;
    core_set_reg(c, UC_ARM_REG_CONTROL, npriv | fp_active(c, false));
    core_set_reg(c, UC_ARM_REG_IPSR, next);
    core_set_reg(c, UC_ARM_REG_LR, exc_return);
    rebuild_flags(c);
    c->shared.cycles += TAIL_CHAIN_CYCLES;
    activate(c, next, handler);
    return true;
}

/* A return that cannot be is a fault on the frame that is there (B1.5.8). False: lockup. */
static bool refuse_return(core *c, uint32_t exc_return, uint32_t cfsr_bits) {
    c->cfsr |= cfsr_bits;
    c->shared.pc = c->block_end - 2u; /* the branch, or its second half */
    uint32_t fault = escalate(c, fault_of(cfsr_bits));
    return fault && tail_chain(c, fault, exc_return);
}

/* EXC_RETURN is one of six values, and thread mode is where nothing else is active (B1.5.8). */
static bool is_exc_return(const core *c, uint32_t exc_return) {
    switch (exc_return | EXC_RETURN_BASIC) {
    case EXC_RETURN_HANDLER:
        return true;
    case EXC_RETURN_MAIN:
    case EXC_RETURN_PROCESS:
        return !c->active_count || (c->ccr & CCR_NONBASETHRDENA);
    default:
        return false;
    }
}

/* False: lockup. */
bool exception_return(core *c, uint32_t exc_return) {
    uint32_t leaving = core_reg(c, UC_ARM_REG_XPSR) & XPSR_EXCEPTION;
    bool was_active = deactivate(c, leaving);
    if (c->debug.traces) {
        trace_exception(c, TRACE_LEAVE, leaving);
    }
    clear_exclusive(c);
    c->shared.effects++;
    c->event_register = true;
    if (leaving != EXC_NMI && core_reg(c, UC_ARM_REG_FAULTMASK)) {
        core_set_reg(c, UC_ARM_REG_FAULTMASK, 0);
    }
    mpu_follow(c);
    if (was_active && (c->line[leaving >> 5] & (UINT32_C(1) << (leaving & 31u)))) {
        nvic_pend(c, leaving);
    }
    if (!was_active || !is_exc_return(c, exc_return)) {
        return refuse_return(c, exc_return, CFSR_INVPC);
    }
    int group_priority = 0;
    uint32_t next = c->any_pending ? nvic_best(c, &group_priority) : 0;
    if (next && group_priority < nvic_execution_priority(c, true)) {
        return tail_chain(c, next, exc_return);
    }
    uint32_t refused = pop_frame(c, exc_return);
    if (refused) {
        return refuse_return(c, exc_return, refused);
    }
    c->shared.cycles += RETURN_CYCLES;
    if ((c->scr & SCR_SLEEPONEXIT) && !c->active_count) {
        c->shared.sleeping = 1;
        c->waits_for_event = false;
    }
    return true;
}

/* A synchronous fault. False: lockup. */
bool exception_fault(core *c, uint32_t exception, uint32_t cfsr_bits) {
    c->shared.stack_left = 0; /* what was below the stack is no memory: nothing was overwritten */
    c->cfsr |= cfsr_bits;
    c->shared.effects++;
    uint32_t taken = escalate(c, exception);
    return taken && exception_enter(c, taken);
}
