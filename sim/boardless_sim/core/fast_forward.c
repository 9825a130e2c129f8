/* Time jumps over polling loops.
 *
 * The whole machine is a function of its state. When a loop comes back to its head with every core
 * register, every byte of SRAM and CCM unchanged, and in between no device was written, no register
 * with a side effect or of its own time was read, no exception was taken and no event ran, then it
 * will do exactly the same again until the next event. Whole iterations up to that event need not
 * be executed: cycles and instructions are added, and nothing else differs.
 *
 * Watching costs three stops: backward branches are counted by their target, and a target that
 * turns out to be an ordinary loop is looked at ever more rarely.
 */
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum {
    FIRST_THRESHOLD = 8,
    THRESHOLD_GROWTH = 4,
    LAST_THRESHOLD = 1 << 24,
    PATIENCE = 256,
};

static loop_head *head_of(core *c, uint32_t address) {
    return &c->watch.heads[(address >> 1) % CORE_HEADS];
}

static void give_up(core *c) {
    loop_head *head = head_of(c, c->watch.head);
    head->visits = 0;
    if (head->threshold < LAST_THRESHOLD) {
        head->threshold *= THRESHOLD_GROWTH;
    }
    c->watch.stage = WATCH_OFF;
}

/* True: stop before this block and examine. */
bool watch_backward_branch(core *c, uint32_t address) {
    loop_watch *watch = &c->watch;
    if (watch->pass) {
        watch->pass = false;
        return false;
    }
    if (watch->stage != WATCH_OFF) {
        if (address == watch->head) {
            return true;
        }
        if (--watch->patience == 0) {
            give_up(c);
        }
        return false;
    }
    loop_head *head = head_of(c, address);
    if (head->address != address) {
        *head = (loop_head){.address = address, .threshold = FIRST_THRESHOLD};
        return false;
    }
    if (++head->visits < head->threshold) {
        return false;
    }
    watch->head = address;
    return true;
}

static void remember(core *c, watch_stage stage) {
    loop_watch *watch = &c->watch;
    watch->stage = stage;
    watch->patience = PATIENCE;
    watch->effects = c->shared.effects;
    watch->cycles = c->shared.cycles;
    watch->instructions = c->shared.instructions;
}

static bool memory_unchanged(const core *c) {
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        const core_ram *ram = &c->rams[i];
        if (ram->memory && memcmp(ram->memory, ram->copy, ram->size_bytes) != 0) {
            return false;
        }
    }
    return true;
}

static void copy_memory(core *c) {
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        const core_ram *ram = &c->rams[i];
        if (ram->memory) {
            memcpy(ram->copy, ram->memory, ram->size_bytes);
        }
    }
}

/* How often the loop may turn before the instruction that a debugger wants to see. */
static uint64_t turns_until_halt(const core *c, uint64_t instructions) {
    if (!instructions || c->debug.halt_at == CORE_NEVER) {
        return UINT64_MAX;
    }
    uint64_t done = c->shared.instructions;
    return c->debug.halt_at > done ? (c->debug.halt_at - done) / instructions : 0;
}

/* Whole iterations that end before the deadline. */
static void skip(core *c) {
    uint64_t period = c->shared.cycles - c->watch.cycles;
    uint64_t instructions = c->shared.instructions - c->watch.instructions;
    if (period && c->shared.deadline > c->shared.cycles) {
        uint64_t times = (c->shared.deadline - 1u - c->shared.cycles) / period;
        uint64_t halted = turns_until_halt(c, instructions);
        times = times < halted ? times : halted;
        c->shared.cycles += times * period;
        c->shared.instructions += times * instructions;
        c->shared.skipped_cycles += times * period;
        c->art.since += times * period; /* the loop took its line in every turn */
    }
    loop_head *head = head_of(c, c->watch.head);
    *head = (loop_head){.address = c->watch.head, .threshold = FIRST_THRESHOLD};
    c->watch.stage = WATCH_OFF;
}

/* The CPU stands before the head of the watched loop. */
void watch_examine(core *c) {
    loop_watch *watch = &c->watch;
    uint32_t state[CORE_STATE_WORDS];
    watch->pass = true;
    state_read(c, state);
    bool same =
        watch->effects == c->shared.effects && memcmp(state, watch->state, sizeof state) == 0;
    if (watch->stage == WATCH_OFF) {
        memcpy(watch->state, state, sizeof state);
        remember(c, WATCH_REGISTERS);
    } else if (!same) {
        give_up(c);
    } else if (watch->stage == WATCH_REGISTERS) {
        copy_memory(c);
        remember(c, WATCH_MEMORY);
    } else if (memory_unchanged(c)) {
        skip(c);
    } else {
        give_up(c);
    }
}
