/* Core registers by Unicorn's numbers. */
#include "armv7m.h"
#include "core.h"

const int CORE_GENERAL[16] = {UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3,
                              UC_ARM_REG_R4,  UC_ARM_REG_R5, UC_ARM_REG_R6,  UC_ARM_REG_R7,
                              UC_ARM_REG_R8,  UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11,
                              UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR,  UC_ARM_REG_PC};

uint32_t core_reg(core *c, int reg) {
    uint32_t value = 0;
    c->api.reg_read(c->uc, reg, &value);
    return value;
}

void core_set_reg(core *c, int reg, uint32_t value) {
    c->api.reg_write(c->uc, reg, &value);
}

bool is_privileged(core *c) {
    return c->shared.active_exception || !(core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_NPRIV);
}

#define FIRST_FP_WORD 17u
#define FPSCR_WORD    (CORE_STATE_WORDS - 1u)

void state_read(core *c, uint32_t state[CORE_STATE_WORDS]) {
    for (uint32_t i = 0; i < 16; i++) {
        state[i] = core_reg(c, CORE_GENERAL[i]);
        c->api.reg_read(c->uc, UC_ARM_REG_D0 + (int)i, &state[FIRST_FP_WORD + 2u * i]);
    }
    state[CORE_STATE_XPSR] = core_reg(c, UC_ARM_REG_XPSR);
    state[FPSCR_WORD] = core_reg(c, UC_ARM_REG_FPSCR);
}

/* All but PC. */
void state_write(core *c, const uint32_t state[CORE_STATE_WORDS]) {
    for (uint32_t i = 0; i < 15; i++) {
        core_set_reg(c, CORE_GENERAL[i], state[i]);
    }
    for (uint32_t i = 0; i < 16; i++) {
        c->api.reg_write(c->uc, UC_ARM_REG_D0 + (int)i, &state[FIRST_FP_WORD + 2u * i]);
    }
    core_set_reg(c, UC_ARM_REG_FPSCR, state[FPSCR_WORD]);
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, state[CORE_STATE_XPSR]);
}
