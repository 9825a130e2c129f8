/* Core registers by Unicorn's numbers. */
#include "core.h"

const int CORE_GENERAL[16] = {
    UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2,  UC_ARM_REG_R3, UC_ARM_REG_R4,  UC_ARM_REG_R5,
    UC_ARM_REG_R6,  UC_ARM_REG_R7, UC_ARM_REG_R8,  UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11,
    UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR,  UC_ARM_REG_PC};

uint32_t core_reg(core *c, int reg)
{
    uint32_t value = 0;
    c->api.reg_read(c->uc, reg, &value);
    return value;
}

void core_set_reg(core *c, int reg, uint32_t value)
{
    c->api.reg_write(c->uc, reg, &value);
}
