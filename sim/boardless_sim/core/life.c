/* The core's life: made, given its memories, powered on, freed. */
#include <stdlib.h>
#include <string.h>

#include "armv7m.h"
#include "core.h"

core *core_create(uc_engine *uc, const core_api *api, const core_callbacks *callbacks) {
    core *c = calloc(1, sizeof *c);
    if (c) {
        c->uc = uc;
        c->api = *api;
        c->callbacks = *callbacks;
        c->shared.effects = 1; /* no memo is valid yet */
        c->shared.train_due = CORE_NEVER;
        for (uint32_t i = 0; i < CORE_TRAINS; i++) {
            c->trains[i].due = CORE_NEVER;
        }
        c->debug.resumes_at = c->debug.passes = CORE_NOWHERE;
        c->debug.divided_at = c->debug.skips_divide = CORE_NOWHERE;
        c->debug.halt_at = CORE_NEVER;
    }
    return c;
}

void core_destroy(core *c) {
    blocks_destroy(c);
    debug_destroy(c);
    for (uint32_t i = 0; i < CORE_RAMS; i++) {
        free(c->rams[i].copy);
        free(c->rams[i].holds_code);
    }
    art_destroy(&c->art);
    free(c->flash_holds_code);
    free(c->stack_bounds);
    free(c);
}

/* Of the structures of shared.h, in the order of library.py's SHARED_STRUCTURES; 0 behind the last.
 */
uint32_t core_structure_bytes(uint32_t number) {
    static const size_t BYTES[] = {sizeof(core_shared), sizeof(art_code),       sizeof(core_block),
                                   sizeof(core_access), sizeof(core_callbacks), sizeof(core_api),
                                   sizeof(core_where),  sizeof(core_record),    sizeof(core_train)};
    return number < sizeof BYTES / sizeof BYTES[0] ? (uint32_t)BYTES[number] : 0;
}

int32_t core_set_flash(core *c, uint32_t base, uint32_t size_bytes, const uint8_t *memory) {
    c->flash = memory;
    c->flash_holds_code = calloc(size_bytes >> CORE_PAGE_BITS, sizeof(bool));
    return c->flash_holds_code && art_create(&c->art, base, size_bytes) ? 0 : -1;
}

/* Of a priority the upper bits are there (DDI 0403E, B1.5.4). */
void core_set_identity(core *c, uint32_t idcode, uint32_t priority_bits) {
    c->idcode = idcode;
    c->priority_mask = (uint8_t)(0xff00u >> priority_bits);
}

/* Pages of the Flash are met anew: what they may do depends on whether there are wait states. */
void core_set_flash_acr(core *c, uint32_t acr) {
    art_set_acr(&c->art, acr);
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0));
}

int32_t core_set_ram(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes, uint8_t *memory,
                     uint32_t executable) {
    if (slot >= CORE_RAMS) {
        return -1;
    }
    c->rams[slot] = (core_ram){
        .base = base,
        .size_bytes = size_bytes,
        .executable = executable != 0,
        .memory = memory,
        .copy = malloc(size_bytes),
        .holds_code = calloc(size_bytes >> CORE_PAGE_BITS, sizeof(bool)),
    };
    return c->rams[slot].copy && c->rams[slot].holds_code ? 0 : -1;
}

void core_set_clrex(core *c, uint32_t address) {
    c->clrex_address = address;
}

/* Power-on and every later reset. Virtual time goes on; analysed blocks stay. */
void core_power_on(core *c, uint32_t vector_table) {
    uint32_t stack_and_reset[2] = {0, 0};
    c->api.mem_read(c->uc, vector_table, stack_and_reset, sizeof stack_and_reset);
    memset(c->pending, 0, sizeof c->pending);
    memset(c->enabled, 0, sizeof c->enabled);
    memset(c->line, 0, sizeof c->line);
    memset(c->priority, 0, sizeof c->priority);
    c->any_pending = false;
    if (c->active_count) {
        c->shared.handler_cycles += c->shared.cycles - c->shared.handler_since;
    }
    c->active_count = 0;
    c->aircr = c->scr = c->shcsr = c->cfsr = c->hfsr = c->dfsr = c->mmfar = c->bfar = 0;
    c->abandoned.cause = ABANDON_NOTHING;
    c->cpacr = c->fpcar = c->fpdscr = 0;
    c->fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
    c->ccr = CCR_STKALIGN;
    c->vtor = vector_table;
    c->event_register = c->waits_for_event = false;
    c->systick_csr = c->systick_rvr = 0;
    c->systick_held = 0;
    c->shared.systick_at = CORE_NEVER;
    c->demcr = c->dwt_ctrl = c->dbgmcu_cr = 0;
    c->cyccnt_held = 0;
    c->block = NULL;
    art_power_on(&c->art);
    mpu_power_on(c);
    c->exclusive_open = false;
    c->on_process_stack = c->look_at_sp = c->look_at_control = false;
    c->watch.stage = WATCH_OFF;
    c->watch.pass = false;
    core_set_reg(c, UC_ARM_REG_IPSR, 0);
    core_set_reg(c, UC_ARM_REG_CONTROL, 0);
    core_set_reg(c, UC_ARM_REG_PRIMASK, 0);
    core_set_reg(c, UC_ARM_REG_FAULTMASK, 0);
    core_set_reg(c, UC_ARM_REG_BASEPRI, 0);
    core_set_reg(c, UC_ARM_REG_XPSR_NZCVQG, XPSR_THUMB);
    core_set_reg(c, UC_ARM_REG_SP, stack_and_reset[0] & ~3u);
    core_set_reg(c, UC_ARM_REG_LR, 0xffffffffu);
    core_set_reg(c, UC_ARM_REG_APSR_NZCV, 0);
    c->shared.pc = stack_and_reset[1];
    c->not_thumb = !(stack_and_reset[1] & 1u);
    c->block_end = c->shared.pc & ~1u;
    c->block_address = 0;
    c->debug.resumes_at = CORE_NOWHERE;
    c->shared.sleeping = 0;
    c->deep = c->told_asleep = false;
    c->shared.reset_requested = 0;
    c->shared.active_exception = 0;
    c->shared.lowest_msp = stack_and_reset[0] & ~3u;
    c->shared.lowest_msp_pc = c->shared.pc & ~1u;
    c->shared.lowest_psp = 0xffffffffu;
    c->shared.stack_left = 0;
    memset(c->stack_areas, 0, sizeof c->stack_areas);
    stack_is_at(c, (stack_and_reset[0] & ~3u) - 1u);
    if (c->shared.instructions) {
        forget_lowest_msp(c);
    }
    c->shared.effects++;
}
