/* Exception entry, return and faults (DDI 0403E, B1.5.6 to B1.5.15).
 *
 * Unicorn 2.1.4 does not enter exceptions on M-profile cores. Writing XPSR, CONTROL and LR and then
 * writing APSR again rebuilds its internal flags; without that last write it does not recognise
 * EXC_RETURN. FP context is stacked at once; lazy stacking is not modelled.
 */
#include "armv7m.h"
#include "core.h"

enum {
    ENTRY_CYCLES = 12, /* DDI 0439, 3.9: zero wait states */
    RETURN_CYCLES = 12,
    TAIL_CHAIN_CYCLES = 6,
};

#define BASIC_FRAME_BYTES 0x20u
#define EXTENDED_FRAME_BYTES 0x68u
#define BASIC_FRAME_WORDS 8u
#define EXTENDED_FRAME_WORDS 26u
#define FRAME_LR 5u
#define FRAME_PC 6u
#define FRAME_XPSR 7u
#define FRAME_S0 8u
#define FRAME_FPSCR 24u

static const int FRAME_REGISTERS[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                                       UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

static void rebuild_flags(core *c)
{
    core_set_reg(c, UC_ARM_REG_APSR_NZCV, core_reg(c, UC_ARM_REG_APSR_NZCV));
}

/* Control goes somewhere else without a branch: no refill, no loop. */
static void jump(core *c, uint32_t pc)
{
    c->shared.pc = pc;
    c->block_end = pc & ~1u;
    c->block_address = 0;
}

void stack_look(core *c, uint32_t sp, uint32_t pc)
{
    uint32_t *probed = c->on_process_stack ? &c->shared.probed_psp : &c->shared.probed_msp;
    if (sp < *probed) {
        *probed = sp;
    }
    if (c->on_process_stack) {
        if (sp < c->shared.lowest_psp) {
            c->shared.lowest_psp = sp;
        }
    } else if (sp < c->shared.lowest_msp) {
        c->shared.lowest_msp = sp;
        c->shared.lowest_msp_pc = pc;
    }
}

static uint32_t vector(core *c, uint32_t exception)
{
    uint32_t address = 0;
    c->api.mem_read(c->uc, c->vtor + 4u * exception, &address, 4);
    return address;
}

static void activate(core *c, uint32_t exception)
{
    nvic_unpend(c, exception);
    c->active[c->active_count++] = (uint8_t)exception;
    c->shared.active_exception = exception;
    c->shared.exceptions_taken++;
    c->event_register = true;
    jump(c, vector(c, exception));
}

/* SP moves even when the frame could not be written: false. */
static bool push_frame(core *c, uint32_t xpsr, bool extended)
{
    uint32_t frame[EXTENDED_FRAME_WORDS] = {0};
    uint32_t sp = core_reg(c, UC_ARM_REG_SP);
    uint32_t bytes = extended ? EXTENDED_FRAME_BYTES : BASIC_FRAME_BYTES;
    uint32_t new_sp = (sp - bytes) & ~7u;
    for (uint32_t i = 0; i < 6; i++) {
        frame[i] = core_reg(c, FRAME_REGISTERS[i]);
    }
    frame[FRAME_PC] = c->shared.pc & ~1u;
    frame[FRAME_XPSR] = (xpsr & ~XPSR_ALIGN) | ((sp & 4u) ? XPSR_ALIGN : 0u);
    if (extended) {
        for (int i = 0; i < 8; i++) {
            c->api.reg_read(c->uc, UC_ARM_REG_D0 + i, &frame[FRAME_S0 + 2 * (uint32_t)i]);
        }
        frame[FRAME_FPSCR] = core_reg(c, UC_ARM_REG_FPSCR);
    }
    core_set_reg(c, UC_ARM_REG_SP, new_sp);
    stack_look(c, new_sp, c->shared.pc);
    return c->api.mem_write(c->uc, new_sp, frame, bytes) == UC_ERR_OK;
}

static void note_first_fault(core *c, uint32_t taken)
{
    if (c->shared.fault_number) {
        return;
    }
    c->shared.fault_number = taken;
    c->shared.fault_pc = c->shared.pc & ~1u;
    c->shared.fault_cfsr = c->cfsr;
    c->shared.fault_hfsr = c->hfsr;
    c->shared.fault_has_address = (c->cfsr & CFSR_BFARVALID) != 0;
    c->shared.fault_address = c->bfar;
}

/* False: too many nested exceptions. A frame that cannot be stacked leads to HardFault instead, whose
 * handler runs as long as it does not touch that stack. */
bool exception_enter(core *c, uint32_t exception)
{
    if (c->active_count >= CORE_EXCEPTIONS) {
        return false;
    }
    uint32_t xpsr = core_reg(c, UC_ARM_REG_XPSR);
    uint32_t control = core_reg(c, UC_ARM_REG_CONTROL);
    bool from_handler = (xpsr & XPSR_EXCEPTION) != 0;
    bool extended = (control & CONTROL_FPCA) != 0;
    if (!push_frame(c, xpsr, extended)) {
        c->cfsr |= CFSR_STKERR;
        c->hfsr |= HFSR_FORCED;
        note_first_fault(c, EXC_HARD_FAULT);
        c->shared.fault_cfsr |= CFSR_STKERR; /* also where it adds to a fault already noted */
        exception = EXC_HARD_FAULT;
    }
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, (xpsr & XPSR_FLAGS) | XPSR_THUMB | exception);
    if (!from_handler && (control & CONTROL_SPSEL)) {
        /* SPSEL reads 0 in a handler; it can be written only in thread mode, privileged */
        if (control & CONTROL_NPRIV) {
            core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        }
        core_set_reg(c, UC_ARM_REG_IPSR, 0);
        core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        core_set_reg(c, UC_ARM_REG_IPSR, exception);
    }
    core_set_reg(c, UC_ARM_REG_CONTROL, control & CONTROL_NPRIV);
    uint32_t exc_return = from_handler                ? EXC_RETURN_HANDLER
                          : (control & CONTROL_SPSEL) ? EXC_RETURN_PROCESS
                                                      : EXC_RETURN_MAIN;
    core_set_reg(c, UC_ARM_REG_LR, extended ? exc_return & ~EXC_RETURN_BASIC : exc_return);
    rebuild_flags(c);
    c->on_process_stack = false;
    c->shared.cycles += ENTRY_CYCLES;
    activate(c, exception);
    return true;
}

static bool pop_frame(core *c, uint32_t exc_return)
{
    bool to_thread = (exc_return & 15u) != (EXC_RETURN_HANDLER & 15u);
    bool to_process = (exc_return & 15u) == (EXC_RETURN_PROCESS & 15u);
    bool extended = !(exc_return & EXC_RETURN_BASIC);
    uint32_t bytes = extended ? EXTENDED_FRAME_BYTES : BASIC_FRAME_BYTES;
    uint32_t npriv = core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_NPRIV;
    uint32_t frame[EXTENDED_FRAME_WORDS];
    if (to_thread) {
        core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        core_set_reg(c, UC_ARM_REG_IPSR, 0);
        core_set_reg(c, UC_ARM_REG_CONTROL, to_process ? CONTROL_SPSEL : 0);
    }
    uint32_t sp = core_reg(c, UC_ARM_REG_SP);
    if (c->api.mem_read(c->uc, sp, frame, bytes)) {
        c->cfsr |= CFSR_UNSTKERR;
        c->shared.fault_cfsr = c->cfsr;
        return false;
    }
    if (extended) {
        for (int i = 0; i < 8; i++) {
            c->api.reg_write(c->uc, UC_ARM_REG_D0 + i, &frame[FRAME_S0 + 2 * (uint32_t)i]);
        }
        core_set_reg(c, UC_ARM_REG_FPSCR, frame[FRAME_FPSCR]);
    }
    for (uint32_t i = 0; i < 6; i++) {
        core_set_reg(c, FRAME_REGISTERS[i], frame[i]);
    }
    uint32_t xpsr = frame[FRAME_XPSR];
    core_set_reg(c, UC_ARM_REG_SP, (sp + bytes) | ((xpsr & XPSR_ALIGN) ? 4u : 0u));
    uint32_t control = (to_process ? CONTROL_SPSEL : 0) | npriv | (extended ? CONTROL_FPCA : 0);
    core_set_reg(c, UC_ARM_REG_CONTROL, control);
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, xpsr & XPSR_RESTORED);
    rebuild_flags(c);
    c->on_process_stack = to_process;
    jump(c, frame[FRAME_PC] | 1u);
    return true;
}

/* Exception return clears the exclusive monitor (B2.2.5 needs it, B1.5.8 does it). Unicorn has no
 * register for the monitor: only the instruction itself reaches it. */
static void clear_exclusive(core *c)
{
    if (!c->exclusive_open || !c->clrex_address) {
        return;
    }
    c->exclusive_open = false;
    c->quiet = true;
    c->api.emu_start(c->uc, c->clrex_address | 1u, 0, 0, 1);
    c->quiet = false;
}

/* False: the frame could not be read back. */
bool exception_return(core *c, uint32_t exc_return)
{
    if (!c->active_count) {
        return false;
    }
    uint32_t leaving = c->active[--c->active_count];
    clear_exclusive(c);
    c->shared.effects++;
    c->event_register = true;
    if (leaving != EXC_NMI && core_reg(c, UC_ARM_REG_FAULTMASK)) {
        core_set_reg(c, UC_ARM_REG_FAULTMASK, 0);
    }
    if (c->line[leaving >> 5] & (UINT32_C(1) << (leaving & 31u))) {
        nvic_pend(c, leaving);
    }
    c->shared.active_exception = c->active_count ? c->active[c->active_count - 1] : 0;
    int group_priority = 0;
    uint32_t next = c->any_pending ? nvic_best(c, &group_priority) : 0;
    if (next && group_priority < nvic_execution_priority(c, true)) {
        core_set_reg(c, UC_ARM_REG_CONTROL, core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_NPRIV);
        core_set_reg(c, UC_ARM_REG_IPSR, next);
        core_set_reg(c, UC_ARM_REG_LR, exc_return);
        rebuild_flags(c);
        c->shared.cycles += TAIL_CHAIN_CYCLES;
        activate(c, next);
        return true;
    }
    c->shared.cycles += RETURN_CYCLES;
    if (!pop_frame(c, exc_return)) {
        return false;
    }
    if ((c->scr & SCR_SLEEPONEXIT) && !c->active_count) {
        c->shared.sleeping = 1;
        c->waits_for_event = false;
    }
    return true;
}

/* A synchronous fault: taken as itself when enabled and of higher priority, else as HardFault.
 * False: lockup. */
bool exception_fault(core *c, uint32_t exception, uint32_t cfsr_bits)
{
    int current = nvic_execution_priority(c, true);
    c->cfsr |= cfsr_bits;
    c->shared.effects++;
    bool configurable = exception >= EXC_MEM_MANAGE && exception <= EXC_USAGE_FAULT;
    bool enabled = configurable && (c->shcsr & SHCSR_FAULT_ENABLE(exception));
    if (enabled && nvic_group(c, nvic_priority(c, exception)) < current) {
        note_first_fault(c, exception);
        return exception_enter(c, exception);
    }
    if (exception != EXC_HARD_FAULT) {
        c->hfsr |= HFSR_FORCED;
    }
    note_first_fault(c, EXC_HARD_FAULT);
    return current > -1 && exception_enter(c, EXC_HARD_FAULT);
}
