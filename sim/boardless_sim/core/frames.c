/* The frame that an exception stacks (DDI 0403E, B1.5.6 to B1.5.8), by the MPU as everything else.
 *
 * Unicorn 2.1.4 does not enter exceptions on M-profile cores. Writing XPSR, CONTROL and LR and then
 * writing APSR again rebuilds its internal flags; without that last write it does not recognise
 * EXC_RETURN. FP context: lazy_fp.c.
 */
#include "armv7m.h"
#include "core.h"

#define BASIC_FRAME_BYTES    0x20u
#define EXTENDED_FRAME_BYTES 0x68u
#define BASIC_FRAME_WORDS    8u
#define EXTENDED_FRAME_WORDS 26u
#define FRAME_LR             5u
#define FRAME_PC             6u
#define FRAME_XPSR           7u
#define FRAME_S0             8u

static const int FRAME_REGISTERS[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                                       UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

void rebuild_flags(core *c) {
    core_set_reg(c, UC_ARM_REG_APSR_NZCV, core_reg(c, UC_ARM_REG_APSR_NZCV));
}

/* Control goes somewhere else without a branch: no refill, no loop. Bit 0 becomes EPSR.T. */
void jump(core *c, uint32_t pc) {
    coverage_leave(c, c->shared.pc & ~1u);
    c->shared.pc = pc;
    c->not_thumb = !(pc & 1u);
    c->block_end = pc & ~1u;
    c->block_address = 0;
}

/* SP moves even when the frame could not be written: the CFSR bits of that, 0 none. */
uint32_t push_frame(core *c, uint32_t xpsr, bool extended) {
    uint32_t frame[EXTENDED_FRAME_WORDS] = {0};
    uint32_t sp = core_reg(c, UC_ARM_REG_SP);
    uint32_t bytes = extended ? EXTENDED_FRAME_BYTES : BASIC_FRAME_BYTES;
    uint32_t new_sp = (sp - bytes) & ~7u;
    for (uint32_t i = 0; i < 6; i++) {
        frame[i] = core_reg(c, FRAME_REGISTERS[i]);
    }
    frame[FRAME_PC] = c->shared.pc & ~1u;
    frame[FRAME_XPSR] = (xpsr & ~XPSR_ALIGN) | ((sp & 4u) ? XPSR_ALIGN : 0u);
    core_set_reg(c, UC_ARM_REG_SP, new_sp);
    stack_look(c, new_sp, c->shared.pc);
    if (extended && (c->fpccr & FPCCR_LSPEN)) {
        lazy_reserve(c, new_sp + BASIC_FRAME_BYTES);
        bytes = BASIC_FRAME_BYTES;
    } else if (extended) {
        fp_read(c, &frame[FRAME_S0]);
    }
    if (!mpu_allows(c, new_sp, bytes, is_privileged(c), UC_PROT_WRITE)) {
        return CFSR_MSTKERR;
    }
    return c->api.mem_write(c->uc, new_sp, frame, bytes) ? CFSR_STKERR : 0u;
}

static void restore_registers(core *c, const uint32_t *frame, bool extended) {
    if (extended && (c->fpccr & FPCCR_LSPACT)) {
        c->fpccr &= ~FPCCR_LSPACT; /* no FP instruction has run: the registers are still its own */
    } else if (extended) {
        fp_write(c, &frame[FRAME_S0]);
    }
    for (uint32_t i = 0; i < 6; i++) {
        core_set_reg(c, FRAME_REGISTERS[i], frame[i]);
    }
}

/* The CFSR bits of a return that cannot be, 0 none. Nothing has changed then (B1.5.8, PopStack). */
uint32_t pop_frame(core *c, uint32_t exc_return) {
    bool to_thread = (exc_return | EXC_RETURN_BASIC) != EXC_RETURN_HANDLER;
    bool to_process = (exc_return | EXC_RETURN_BASIC) == EXC_RETURN_PROCESS;
    bool extended = !(exc_return & EXC_RETURN_BASIC);
    uint32_t bytes = extended ? EXTENDED_FRAME_BYTES : BASIC_FRAME_BYTES;
    uint32_t npriv = core_reg(c, UC_ARM_REG_CONTROL) & CONTROL_NPRIV;
    uint32_t sp = core_reg(c, to_process ? UC_ARM_REG_PSP : UC_ARM_REG_MSP);
    uint32_t frame[EXTENDED_FRAME_WORDS];
    if (!mpu_allows(c, sp, bytes, !to_thread || !npriv, UC_PROT_READ)) {
        return CFSR_MUNSTKERR;
    }
    if (c->api.mem_read(c->uc, sp, frame, bytes)) {
        return CFSR_UNSTKERR;
    }
    uint32_t xpsr = frame[FRAME_XPSR];
    if (to_thread != !(xpsr & XPSR_EXCEPTION)) {
        return CFSR_INVPC;
    }
    if (to_thread) {
        core_set_reg(c, UC_ARM_REG_CONTROL, 0);
        core_set_reg(c, UC_ARM_REG_IPSR, 0);
        core_set_reg(c, UC_ARM_REG_CONTROL, to_process ? CONTROL_SPSEL : 0);
    }
    restore_registers(c, frame, extended);
    core_set_reg(c, UC_ARM_REG_SP, (sp + bytes) | ((xpsr & XPSR_ALIGN) ? 4u : 0u));
    core_set_reg(c, UC_ARM_REG_CONTROL,
                 (to_process ? CONTROL_SPSEL : 0) | npriv | fp_active(c, extended));
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, xpsr & XPSR_RESTORED);
    rebuild_flags(c);
    c->on_process_stack = to_process;
    if (to_process) {
        stack_is_at(c, sp);
    }
    c->shared.active_exception = xpsr & XPSR_EXCEPTION;
    jump(c, (frame[FRAME_PC] & ~1u) | ((xpsr & XPSR_THUMB) ? 1u : 0u));
    return 0;
}
