/* What an exception keeps of the FPU: FPCCR, and lazy stacking (DDI 0403E, B1.5.7 and B3.2.21).
 *
 * With FPCCR.LSPEN an exception only makes room for S0 to S15 and FPSCR. They are written when the
 * next FP instruction runs, and not at all when none does before the return.
 *
 * Unicorn sets CONTROL.FPCA with each use of the FPU, as with FPCCR.ASPEN. Without ASPEN nothing is
 * stacked and FPCA says nothing: it is left set, so that Unicorn sees no new FP context.
 */
#include "armv7m.h"
#include "core.h"

#define FPCCR_WRITABLE 0xc000017bu
#define FPCAR_WRITABLE 0xfffffff8u

enum {
    FPCCR = 0xE000EF34,
    FPCAR = 0xE000EF38,
    FPDSCR = 0xE000EF3C,
    MVFR0 = 0xE000EF40,
    MVFR1 = 0xE000EF44,
};

#define MVFR0_CORTEX_M4 0x10110021u /* DDI 0439, 7.2: single precision */
#define MVFR1_CORTEX_M4 0x11000011u

void fp_read(core *c, uint32_t words[FP_WORDS]) {
    for (uint32_t i = 0; i < FP_WORDS / 2u; i++) {
        c->api.reg_read(c->uc, UC_ARM_REG_D0 + (int)i, &words[2u * i]);
    }
    words[FP_WORDS - 1u] = core_reg(c, UC_ARM_REG_FPSCR);
}

void fp_write(core *c, const uint32_t words[FP_WORDS]) {
    for (uint32_t i = 0; i < FP_WORDS / 2u; i++) {
        c->api.reg_write(c->uc, UC_ARM_REG_D0 + (int)i, &words[2u * i]);
    }
    core_set_reg(c, UC_ARM_REG_FPSCR, words[FP_WORDS - 1u]);
}

bool fp_is_stacked(const core *c, uint32_t control) {
    return (control & CONTROL_FPCA) && (c->fpccr & FPCCR_ASPEN);
}

/* CONTROL.FPCA when `wanted` is what the architecture says, for Unicorn. */
uint32_t fp_active(const core *c, bool wanted) {
    return wanted || !(c->fpccr & FPCCR_ASPEN) ? CONTROL_FPCA : 0u;
}

static bool is_ready(const core *c, uint32_t exception, int current) {
    return (c->shcsr & SHCSR_FAULT_ENABLE(exception)) &&
           nvic_group(c, nvic_priority(c, exception)) < current;
}

/* The room is at `address` (UpdateFPCCR): who will be to blame when it cannot be written. */
void lazy_reserve(core *c, uint32_t address) {
    int current = nvic_execution_priority(c, true);
    bool thread = c->shared.active_exception == 0;
    c->fpcar = address & FPCAR_WRITABLE;
    c->fpccr = (c->fpccr & (FPCCR_ASPEN | FPCCR_LSPEN)) | FPCCR_LSPACT |
               (is_privileged(c) ? 0u : FPCCR_USER) | (thread ? FPCCR_THREAD : 0u) |
               (current > -1 ? FPCCR_HFRDY : 0u) |
               (is_ready(c, EXC_MEM_MANAGE, current) ? FPCCR_MMRDY : 0u) |
               (is_ready(c, EXC_BUS_FAULT, current) ? FPCCR_BFRDY : 0u);
}

/* Before an FP instruction (PreserveFPState): the CFSR bits of what went wrong, 0 nothing. */
uint32_t lazy_save(core *c) {
    uint32_t words[FP_WORDS];
    if (!mpu_allows(c, c->fpcar, sizeof words, !(c->fpccr & FPCCR_USER), UC_PROT_WRITE)) {
        return CFSR_MLSPERR;
    }
    fp_read(c, words);
    if (c->api.mem_write(c->uc, c->fpcar, words, sizeof words)) {
        return CFSR_LSPERR;
    }
    c->fpccr &= ~FPCCR_LSPACT;
    return 0;
}

bool fp_registers_read(const core *c, uint32_t address, uint32_t *value) {
    switch (address) {
    case FPCCR:
        *value = c->fpccr;
        return true;
    case FPCAR:
        *value = c->fpcar;
        return true;
    case FPDSCR:
        *value = c->fpdscr;
        return true;
    case MVFR0:
        *value = MVFR0_CORTEX_M4;
        return true;
    case MVFR1:
        *value = MVFR1_CORTEX_M4;
        return true;
    default:
        return false;
    }
}

/* False: no such register, or not modelled. */
bool fp_registers_write(core *c, uint32_t address, uint32_t value) {
    switch (address) {
    case FPCCR:
        c->fpccr = value & FPCCR_WRITABLE;
        return true;
    case FPCAR:
        c->fpcar = value & FPCAR_WRITABLE;
        return true;
    case FPDSCR:
        c->fpdscr = value;
        return value == 0;
    case MVFR0:
    case MVFR1:
        return true; /* read only */
    default:
        return false;
    }
}
