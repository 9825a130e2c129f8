/* The NVIC: what is pending, at which priority (DDI 0403E, B1.5.4 and B3.4). */
#include "armv7m.h"
#include "core.h"

#define ALWAYS_ENABLED 0xffffu /* the system exceptions */

static void refresh_any(core *c) {
    uint32_t any = 0;
    for (uint32_t word = 0; word < CORE_WORDS; word++) {
        any |= c->pending[word];
    }
    c->any_pending = any != 0;
}

/* The slice must end at the next block, so that the exception is taken there. */
void nvic_pend(core *c, uint32_t exception) {
    c->pending[exception >> 5] |= UINT32_C(1) << (exception & 31u);
    c->any_pending = true;
    c->shared.deadline = 0;
    c->shared.effects++;
}

void nvic_unpend(core *c, uint32_t exception) {
    c->pending[exception >> 5] &= ~(UINT32_C(1) << (exception & 31u));
    refresh_any(c);
    c->shared.effects++;
}

int nvic_priority(const core *c, uint32_t exception) {
    if (exception == EXC_NMI) {
        return -2;
    }
    return exception == EXC_HARD_FAULT ? -1 : c->priority[exception];
}

/* The part of a priority that decides preemption: AIRCR.PRIGROUP cuts off the subpriority. */
int nvic_group(const core *c, int priority) {
    if (priority < 0) {
        return priority;
    }
    uint32_t subpriority_bits = ((c->aircr >> 8) & 7u) + 1u;
    return (int)((uint32_t)priority & ~((1u << subpriority_bits) - 1u));
}

/* The pending and enabled exception to take first: lowest priority value, then lowest number. */
uint32_t nvic_best(const core *c, int *group_priority) {
    uint32_t best = 0;
    int best_priority = 256;
    for (uint32_t word = 0; word < CORE_WORDS; word++) {
        uint32_t enabled = word == 0 ? c->enabled[0] | ALWAYS_ENABLED : c->enabled[word];
        uint32_t candidates = c->pending[word] & enabled;
        while (candidates) {
            uint32_t number = word * 32u + (uint32_t)__builtin_ctz(candidates);
            candidates &= candidates - 1u;
            int priority = nvic_priority(c, number);
            if (priority < best_priority) {
                best_priority = priority;
                best = number;
            }
        }
    }
    *group_priority = nvic_group(c, best_priority);
    return best;
}

/* WFI wakes for an exception that only PRIMASK holds back: ask without it. */
int nvic_execution_priority(core *c, bool with_primask) {
    int current = 256;
    for (uint32_t i = 0; i < c->active_count; i++) {
        int priority = nvic_group(c, nvic_priority(c, c->active[i]));
        if (priority < current) {
            current = priority;
        }
    }
    uint32_t basepri = core_reg(c, UC_ARM_REG_BASEPRI);
    if (basepri) {
        int masked = nvic_group(c, (int)basepri);
        if (masked < current) {
            current = masked;
        }
    }
    if (with_primask && core_reg(c, UC_ARM_REG_PRIMASK) && current > 0) {
        current = 0;
    }
    if (core_reg(c, UC_ARM_REG_FAULTMASK) && current > -1) {
        current = -1;
    }
    return current;
}

/* A level-sensitive line: rising pends, and return from the handler pends again while it is high.
 */
void core_set_line(core *c, uint32_t exception, uint32_t asserted) {
    if (exception >= CORE_EXCEPTIONS) {
        return;
    }
    uint32_t bit = UINT32_C(1) << (exception & 31u);
    uint32_t *word = &c->line[exception >> 5];
    if (asserted && !(*word & bit)) {
        *word |= bit;
        nvic_pend(c, exception);
    } else if (!asserted) {
        *word &= ~bit;
    }
}
