/* Events that the core carries out without Python (see foreseen.py), each at its time and in its
 * place among all others.
 *
 * Python is asked again where more than memory would change: its devices are then brought up to
 * date, and go on as if they had carried out every event themselves.
 */
#include <string.h>

#include "core.h"

#define PS_PER_SECOND UINT64_C(1000000000000)
#define PS_PER_NS     1000u

__extension__ typedef unsigned __int128 wide; /* cycles times picoseconds */

core_train *core_train_at(core *c, uint32_t number) {
    return number < CORE_TRAINS ? &c->trains[number] : NULL;
}

static uint64_t to_ps(const core_train *t, uint64_t cycle) {
    return t->clock_ps + (uint64_t)((wide)(cycle - t->clock_cycle) * PS_PER_SECOND / t->clock_hz);
}

/* The first cycle that is not before a time. */
static uint64_t to_cycle(const core_train *t, uint64_t ps) {
    wide product = (wide)(ps - t->clock_ps) * t->clock_hz;
    return t->clock_cycle + (uint64_t)((product + PS_PER_SECOND - 1u) / PS_PER_SECOND);
}

static void line_ends(core_train *t) {
    if (t->unmoved) {
        t->unmoved--;
    } else {
        memcpy(t->target, t->source, t->line_bytes);
        t->source += t->line_bytes;
        t->target += t->line_bytes;
    }
    t->due_ps = to_ps(t, t->due) + *t->steps_ns++ * PS_PER_NS;
    t->due = to_cycle(t, t->due_ps);
}

static void byte_is_out(core_train *t) {
    t->sent[t->ran] = (uint8_t)t->shifting;
    t->shifting = t->waiting;
    t->waiting = *t->source++;
    t->due += t->step_cycles;
}

static bool is_pythons(const core_train *t) {
    return !t->left || (!t->is_lines && t->shifting == t->last);
}

static core_train *first_train(core *c) {
    core_train *first = c->trains;
    for (core_train *t = first + 1; t < c->trains + CORE_TRAINS; t++) {
        if (t->due < first->due || (t->due == first->due && t->sequence < first->sequence)) {
            first = t;
        }
    }
    return first;
}

/* False: it is Python's turn. An event of Python's in the same cycle is reason enough: Python knows
 * which of them was scheduled first. */
bool trains_run(core *c) {
    if (c->shared.train_due > c->shared.cycles) {
        return true;
    }
    c->shared.effects++;
    for (;;) {
        core_train *t = first_train(c);
        c->shared.train_due = t->due;
        if (t->due > c->shared.cycles) {
            return true;
        }
        if (t->due >= c->shared.next_event || is_pythons(t)) {
            return false;
        }
        (t->is_lines ? line_ends : byte_is_out)(t);
        t->sequence = ++c->shared.sequence;
        t->ran++;
        t->left--;
        c->shared.trains_ran = 1;
    }
}

/* A block is about to run and the slice is over: whether it may go on all the same, since
 * core_run() would find nothing else to do than to carry out trains. */
bool trains_pass(core *c) {
    if (!c->shared.deadline || c->shared.train_due > c->shared.cycles || c->any_pending ||
        c->debug.attached || c->shared.systick_at <= c->shared.cycles || !trains_run(c) ||
        next_stop(c) <= c->shared.cycles) {
        return false;
    }
    c->shared.deadline = next_stop(c);
    return true;
}
