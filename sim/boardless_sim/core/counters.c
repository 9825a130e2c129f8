/* The counters of the core: SysTick (DDI 0403E, B3.3) and the cycle counter of the DWT (C1.8). */
#include "armv7m.h"
#include "core.h"

enum {
    DWT_CTRL = 0xE0001000,
    DWT_CYCCNT = 0xE0001004,
    SYST_CSR = 0xE000E010,
    SYST_RVR = 0xE000E014,
    SYST_CVR = 0xE000E018,
    DCB_DEMCR = 0xE000EDFC,
};

#define SYST_ENABLE     (1u << 0)
#define SYST_TICKINT    (1u << 1)
#define SYST_CLKSOURCE  (1u << 2)
#define SYST_COUNTFLAG  (1u << 16)
#define SYST_WRITABLE   7u
#define SYST_COUNTER    0xffffffu
#define DEMCR_TRCENA    (1u << 24)
#define DWT_CYCCNTENA   (1u << 0)
#define DWT_COMPARATORS 0x40000000u /* four, none of them modelled */

/* ---- SysTick ---- */

static uint64_t systick_divider(const core *c) {
    return (c->systick_csr & SYST_CLKSOURCE) ? 1u : 8u;
}

static uint64_t systick_period(const core *c) {
    return ((uint64_t)c->systick_rvr + 1u) * systick_divider(c);
}

static void systick_set_deadline(core *c, uint64_t at) {
    c->shared.systick_at = at;
    if (at < c->shared.deadline) {
        c->shared.deadline = at;
    }
}

void systick_catch_up(core *c) {
    while (c->shared.systick_at <= c->shared.cycles) {
        c->systick_csr |= SYST_COUNTFLAG;
        c->shared.effects++;
        if (c->systick_csr & SYST_TICKINT) {
            nvic_pend(c, EXC_SYSTICK);
        }
        c->shared.systick_at += systick_period(c);
    }
}

static uint32_t systick_counter(core *c) {
    if (c->shared.systick_at == CORE_NEVER) {
        return c->systick_held; /* stopped: the value it held */
    }
    uint64_t now = core_now(c);
    uint64_t left = c->shared.systick_at > now ? c->shared.systick_at - now : 0;
    uint64_t divider = systick_divider(c);
    return (uint32_t)(((left + divider - 1u) / divider) % ((uint64_t)c->systick_rvr + 1u));
}

static void systick_run_from(core *c, uint32_t counter) {
    uint64_t ticks = counter ? counter : (uint64_t)c->systick_rvr + 1u;
    systick_set_deadline(c, core_now(c) + ticks * systick_divider(c));
}

static void systick_write_csr(core *c, uint32_t value) {
    uint32_t counter = systick_counter(c);
    c->systick_csr = (c->systick_csr & SYST_COUNTFLAG) | (value & SYST_WRITABLE);
    if ((value & SYST_ENABLE) && c->systick_rvr) {
        systick_run_from(c, counter);
    } else {
        c->shared.systick_at = CORE_NEVER;
        c->systick_held = counter;
    }
}

static void systick_write_rvr(core *c, uint32_t value) {
    c->systick_rvr = value & SYST_COUNTER;
    if ((c->systick_csr & SYST_ENABLE) && c->shared.systick_at == CORE_NEVER && c->systick_rvr) {
        systick_run_from(c, 0);
    }
}

static void systick_clear(core *c) {
    c->systick_csr &= ~SYST_COUNTFLAG;
    c->systick_held = 0;
    if (c->shared.systick_at != CORE_NEVER) {
        systick_run_from(c, 0);
    }
}

static uint32_t systick_read_csr(core *c) {
    uint32_t value = c->systick_csr;
    if (value & SYST_COUNTFLAG) {
        c->systick_csr &= ~SYST_COUNTFLAG;
        c->shared.effects++;
    }
    return value;
}

/* ---- DWT cycle counter: counts FCLK, which runs on in Sleep mode (DDI 0403E, C1.8.3: CYCCNT
 * includes the cycles of SLEEPCNT; RM0090, 38.16.1) ---- */

static bool cyccnt_runs(const core *c) {
    return (c->dwt_ctrl & DWT_CYCCNTENA) && (c->demcr & DEMCR_TRCENA);
}

static uint32_t cyccnt(core *c) {
    return cyccnt_runs(c) ? (uint32_t)(core_now(c) - c->cyccnt_base) : c->cyccnt_held;
}

static void cyccnt_set(core *c, uint32_t value) {
    c->cyccnt_held = value;
    c->cyccnt_base = core_now(c) - value;
}

static void cyccnt_write_control(core *c, uint32_t *control, uint32_t value) {
    uint32_t count = cyccnt(c);
    *control = value;
    cyccnt_set(c, count);
}

/* Without the core's clock neither of the two counts. */
void counters_stop(core *c) {
    c->deep_since = c->shared.cycles;
    c->systick_stopped = c->shared.systick_at;
    c->shared.systick_at = CORE_NEVER;
}

void counters_go_on(core *c) {
    uint64_t stood = c->shared.cycles - c->deep_since;
    if (c->systick_stopped != CORE_NEVER) {
        systick_set_deadline(c, c->systick_stopped + stood);
    }
    c->cyccnt_base += stood;
}

/* False: another register than theirs. */
bool counters_read(core *c, uint32_t address, uint32_t *value) {
    switch (address) {
    case SYST_CSR:
        *value = systick_read_csr(c);
        return true;
    case SYST_RVR:
        *value = c->systick_rvr;
        return true;
    case SYST_CVR:
        c->shared.effects++; /* counts with time */
        *value = systick_counter(c);
        return true;
    case DWT_CTRL:
        *value = DWT_COMPARATORS | c->dwt_ctrl;
        return true;
    case DWT_CYCCNT:
        c->shared.effects++;
        *value = cyccnt(c);
        return true;
    case DCB_DEMCR:
        *value = c->demcr;
        return true;
    default:
        return false;
    }
}

bool counters_write(core *c, uint32_t address, uint32_t value) {
    switch (address) {
    case SYST_CSR:
        systick_write_csr(c, value);
        return true;
    case SYST_RVR:
        systick_write_rvr(c, value);
        return true;
    case SYST_CVR:
        systick_clear(c);
        return true;
    case DWT_CTRL:
        cyccnt_write_control(c, &c->dwt_ctrl, value & DWT_CYCCNTENA);
        return true;
    case DWT_CYCCNT:
        cyccnt_set(c, value);
        return true;
    case DCB_DEMCR:
        cyccnt_write_control(c, &c->demcr, value);
        return true;
    default:
        return false;
    }
}
