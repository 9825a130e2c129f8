/* The run loop: slices of execution between events, exceptions and sleep. */
#include "armv7m.h"
#include "core.h"

/* False: stacking failed. */
static bool take_pending(core *c) {
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

static void sleep_until(core *c, uint64_t time) {
    if (time > c->shared.cycles) {
        c->shared.sleep_cycles += time - c->shared.cycles;
        c->shared.cycles = time;
    }
}

static core_reason run_slice(core *c, uint64_t deadline) {
    if (c->not_thumb) {
        return exception_fault(c, EXC_USAGE_FAULT, CFSR_INVSTATE) ? CORE_GO_ON : CORE_LOCKUP;
    }
    c->shared.deadline = deadline;
    if (c->stopped_at != (c->shared.pc & ~1u)) {
        c->stopped_at = CORE_NOWHERE;
    }
    c->stop = STOP_NONE;
    c->interrupt = 0;
    c->bad_instruction = c->bad_access = false;
    c->refused_in_part = c->needs_privileges = false;
    c->refused = 0;
    uc_err error = c->api.emu_start(c->uc, c->shared.pc | 1u, 0, 0, 0);
    c->in_access = false;
    return what_stopped(c, error);
}

/* SLEEPDEEP (DDI 0403E, B3.2.7): whoever owns the clocks hears of it, and again before the first
 * instruction or handler. */
static core_reason deep_sleep(core *c) {
    bool wakes = c->waits_for_event && c->event_register;
    if (c->shared.sleeping && !wakes && !c->deep && (c->scr & SCR_SLEEPDEEP)) {
        c->deep = true;
        counters_stop(c);
        return CORE_DEEP;
    }
    if (!c->shared.sleeping && c->deep) {
        c->deep = false;
        counters_go_on(c);
        return CORE_AWAKE;
    }
    if (c->shared.sleeping && !wakes && !c->deep && !c->told_asleep && c->shared.tells_sleep) {
        c->told_asleep = true;
        return CORE_ASLEEP;
    }
    if (!c->shared.sleeping && c->told_asleep) {
        c->told_asleep = false;
        return CORE_AWAKE;
    }
    return CORE_GO_ON;
}

/* When the core must look up at the latest. */
uint64_t next_stop(const core *c) {
    uint64_t next = c->shared.next_event;
    next = c->shared.systick_at < next ? c->shared.systick_at : next;
    return c->shared.train_due < next ? c->shared.train_due : next;
}

core_reason core_run(core *c) {
    for (;;) {
        if (c->shared.callback_failed) {
            return CORE_CALLBACK;
        }
        if (c->debug.stop_wanted || (c->debug.caught && !c->debug.muted)) {
            return CORE_BREAK;
        }
        if (c->debug.resumes_at == (c->shared.pc & ~1u)) { /* nothing comes inside a block */
            core_reason reason = run_slice(c, c->shared.deadline);
            if (reason != CORE_GO_ON) {
                return reason;
            }
            continue;
        }
        if (c->shared.reset_requested) {
            return CORE_RESET;
        }
        if (c->shared.stack_left) {
            return CORE_STACK;
        }
        systick_catch_up(c);
        if (!trains_run(c) || c->shared.next_event <= c->shared.cycles) {
            return CORE_EVENT;
        }
        if (c->any_pending && !take_pending(c)) {
            return CORE_LOCKUP;
        }
        uint64_t next = next_stop(c);
        if (c->shared.sleeping || c->deep || c->told_asleep) {
            core_reason reason = deep_sleep(c);
            if (reason != CORE_GO_ON) {
                return reason;
            }
        }
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
        follow_unalign_trp(c);
        core_reason reason = run_slice(c, next);
        if (reason != CORE_GO_ON) {
            return reason;
        }
    }
}

/* Whether any interrupt could end a sleep: none is enabled, and SysTick raises none. */
int32_t core_can_wake(const core *c) {
    uint32_t enabled = 0;
    for (uint32_t word = 0; word < CORE_WORDS; word++) {
        enabled |= c->enabled[word];
    }
    return enabled != 0 || c->shared.systick_at != CORE_NEVER;
}

/* BKPT without a debugger: HardFault with HFSR.DEBUGEVT (DDI 0403E, C1.6.4). 0: lockup. */
int32_t core_breakpoint_fault(core *c) {
    c->hfsr |= HFSR_DEBUGEVT;
    return exception_fault(c, EXC_HARD_FAULT, 0);
}

/* An event from outside, for WFE. */
void core_send_event(core *c) {
    c->event_register = true;
}
