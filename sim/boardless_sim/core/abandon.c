/* A fault that is found inside a hook or a callback of Unicorn, and leaves its instruction undone.
 *
 * Unicorn stops between instructions, but not within an IT block, and not within the instruction
 * that made the callback. A page that the core refuses, however, ends the instruction that asks for
 * it at once: every page is made to ask. What runs until then has no effect outside the registers,
 * and those are put back.
 */
#include "armv7m.h"
#include "core.h"

#define THUMB_32_BIT_FIRST 0xe800u /* A5.1 */

/* ITSTATE for the instruction at `address` of the block that runs (A7.3.3). */
static uint32_t it_state_at(core *c, uint32_t address) {
    uint32_t state = 0;
    for (uint32_t at = c->block_address; at < address;) {
        uint16_t halfword = 0;
        c->api.mem_read(c->uc, at, &halfword, sizeof halfword);
        bool is_it = (halfword & 0xff00u) == 0xbf00u && (halfword & 0xfu);
        uint32_t advanced = (state & 7u) ? (state & 0xe0u) | ((state << 1) & 0x1fu) : 0u;
        state = is_it ? halfword & 0xffu : advanced;
        at += halfword >= THUMB_32_BIT_FIRST ? 4u : 2u;
    }
    return state;
}

/* The instruction at `pc` ends in a fault. The first one counts. */
void abandon(core *c, abandon_cause cause, uint32_t pc, uint32_t address) {
    if (c->abandoned.cause) {
        return;
    }
    uint32_t it = it_state_at(c, pc);
    state_read(c, c->abandoned.state);
    uint32_t *xpsr = &c->abandoned.state[CORE_STATE_XPSR];
    *xpsr = (*xpsr & ~XPSR_IT) | (it >> 2) << 10 | (it & 3u) << 25;
    c->abandoned.cause = cause;
    c->abandoned.pc = pc;
    c->abandoned.address = address;
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0));
    c->api.emu_stop(c->uc);
}

/* False: lockup. */
bool abandoned_fault(core *c) {
    static const struct {
        uint32_t exception, cfsr_bits;
    } FAULTS[] = {
        [ABANDON_UNALIGNED] = {EXC_USAGE_FAULT, CFSR_UNALIGNED},
        [ABANDON_DIVIDE] = {EXC_USAGE_FAULT, CFSR_DIVBYZERO},
        [ABANDON_DATA] = {EXC_MEM_MANAGE, CFSR_DACCVIOL | CFSR_MMARVALID},
        [ABANDON_BUS] = {EXC_BUS_FAULT, CFSR_PRECISERR | CFSR_BFARVALID},
    };
    abandon_cause cause = c->abandoned.cause;
    c->abandoned.cause = ABANDON_NOTHING;
    state_write(c, c->abandoned.state);
    c->shared.pc = c->abandoned.pc;
    if (cause == ABANDON_DATA) {
        c->mmfar = c->abandoned.address;
    } else if (cause == ABANDON_BUS) {
        c->bfar = c->abandoned.address;
    }
    rewind_block(c);
    return exception_fault(c, FAULTS[cause].exception, FAULTS[cause].cfsr_bits);
}
