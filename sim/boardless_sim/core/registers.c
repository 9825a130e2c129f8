/* Core registers by Unicorn's numbers. */
#include "core.h"

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
