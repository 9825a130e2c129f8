/* What a page may do, told to Unicorn when it first meets the page.
 *
 * After a store to a page that code may be fetched from, Unicorn looks whether it changed
 * translated code. An M-profile core may fetch from all of its RAM unless the MPU says no, so that
 * every store would be looked at. Here a page of RAM is for data until code is fetched from it.
 *
 * A page of the Flash is for data as long as well, and while the Flash has wait states each load
 * from it is told to the core. A store to it is one to the Flash interface. Where code and tables
 * share a page, only PC-relative loads are counted.
 */
#include "armv7m.h"
#include "core.h"

core_ram *ram_at(core *c, uint32_t address) {
    for (uint32_t slot = 0; slot < CORE_RAMS; slot++) {
        if (address - c->rams[slot].base < c->rams[slot].size_bytes) {
            return &c->rams[slot];
        }
    }
    return NULL;
}

/* Unicorn has set PC and the IT bits of EPSR to those of the instruction that met the page. The
 * rest of its block was translated with its conditions, and the block that follows must not have
 * them. */
static void forget_conditions(core *c) {
    if (core_reg(c, UC_ARM_REG_EPSR) != XPSR_THUMB) {
        core_set_reg(c, UC_ARM_REG_EPSR, XPSR_THUMB);
    }
}

/* What was stored to the page so far needed no look; from now on all of it does. */
void note_code(core *c, bool *holds_code) {
    if (!*holds_code) {
        *holds_code = true;
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0));
    }
}

/* Loads from a page of tables and constants go through core_on_flash_read() while they may wait. */
static void meet_flash(core *c, uint32_t offset, uc_mem_type type, uc_tlb_entry *entry) {
    bool *holds_code = &c->flash_holds_code[offset >> CORE_PAGE_BITS];
    if (type != UC_MEM_WRITE) {
        entry->perms &= ~(uint32_t)UC_PROT_WRITE; /* so that a store meets the page by itself */
    }
    if (type == UC_MEM_FETCH) {
        note_code(c, holds_code);
    } else if (type == UC_MEM_READ && c->art.wait_states && !*holds_code) {
        *entry =
            (uc_tlb_entry){.paddr = CORE_SLOW_FLASH + offset, .perms = entry->perms & UC_PROT_READ};
    } else if (type == UC_MEM_WRITE) {
        *entry = (uc_tlb_entry){.paddr = CORE_FLASH_STORES + offset, .perms = UC_PROT_WRITE};
    }
}

/* LDRT, STRT and their kin (DDI 0403E, A7.7.66): as if without privileges. PC is the instruction's.
 */
static bool is_unprivileged_access(core *c) {
    uint16_t code[2] = {0, 0};
    c->api.mem_read(c->uc, core_reg(c, UC_ARM_REG_PC) & ~1u, code, sizeof code);
    return (code[0] & 0xfe80u) == 0xf800u && (code[1] & 0xf00u) == 0xe00u;
}

static uint32_t rights_wanted(uc_mem_type type) {
    return type == UC_MEM_FETCH   ? UC_PROT_EXEC
           : type == UC_MEM_WRITE ? UC_PROT_WRITE
                                  : UC_PROT_READ;
}

#define PPB_BASE  0xe0000000u
#define PPB_BYTES 0x100000u
#define ITM_BYTES 0x1000u
#define STIR_PAGE 0xe000ec00u

/* "Unprivileged accesses to the PPB cause BusFault errors unless otherwise stated" (DDI 0403E,
 * B3.1.1): the ITM takes them, and CCR.USERSETMPEND opens STIR, of whose page mmio.c asks. */
static bool is_open_to_all(const core *c, uint32_t page) {
    return page - PPB_BASE >= PPB_BYTES || page - PPB_BASE < ITM_BYTES ||
           (page == STIR_PAGE && (c->ccr & CCR_USERSETMPEND));
}

/* What the MPU leaves of a page. False: not what is wanted now. */
static bool meet_mpu(core *c, uint32_t page, uc_mem_type type, bool privileged,
                     uc_tlb_entry *entry) {
    uint32_t wanted = rights_wanted(type), rights = UC_PROT_ALL;
    mpu_verdict verdict = mpu_page(c, page, privileged, wanted, &rights);
    if (verdict == MPU_REFUSED) {
        c->refused = wanted;
        c->bad_address = page;
        return false;
    }
    bool of_flash = page - c->art.base < c->art.size_bytes; /* a store to it fails in any case */
    bool has_alias = ram_at(c, page) || (of_flash && type == UC_MEM_READ);
    if (verdict == MPU_ALLOWED) {
        entry->perms = rights;
    } else if (type == UC_MEM_FETCH) {
        c->mpu.mixed_code = true;
        entry->perms = UC_PROT_EXEC; /* data of the page must not come in by this door */
    } else if (has_alias) {
        *entry = (uc_tlb_entry){.paddr = CORE_GUARDED + page,
                                .perms = UC_PROT_READ | (of_flash ? 0 : UC_PROT_WRITE)};
    } else {
        c->mpu.mixed_devices = !of_flash;
    }
    return true;
}

/* False: the access needs privileges, or the MPU refuses it. */
static bool may_meet(core *c, uint32_t page, uc_mem_type type, uc_tlb_entry *entry) {
    bool is_ppb = page - PPB_BASE < PPB_BYTES;
    if (!is_ppb && !c->mpu.live) {
        return true;
    }
    bool is_fetch = type == UC_MEM_FETCH;
    bool privileged = is_privileged(c) && (is_fetch || !is_unprivileged_access(c));
    if (!privileged && !is_fetch && !is_open_to_all(c, page)) {
        c->needs_privileges = true;
        c->bad_address = page;
        return false;
    }
    return is_ppb || meet_mpu(c, page, type, privileged, entry);
}

/* What the page may do for the sake of code in it: the MPU has had its say. */
static bool meet_memory(core *c, uint32_t address, uc_mem_type type, uc_tlb_entry *entry) {
    if (address - c->art.base < c->art.size_bytes) {
        meet_flash(c, address - c->art.base, type, entry);
        return true;
    }
    core_ram *ram = ram_at(c, address);
    if (!ram) {
        return true; /* Unicorn knows what is mapped there */
    }
    bool *holds_code = &ram->holds_code[(address - ram->base) >> CORE_PAGE_BITS];
    if (type == UC_MEM_FETCH && !ram->executable) {
        c->bad_access = c->bad_fetch = true;
        c->bad_address = address;
        return false;
    }
    if (type == UC_MEM_FETCH) {
        note_code(c, holds_code);
    }
    if (!*holds_code) {
        entry->perms &= UC_PROT_READ | UC_PROT_WRITE;
    }
    return true;
}

bool core_on_page(uc_engine *uc, uint64_t address64, uc_mem_type type, uc_tlb_entry *entry,
                  void *user) {
    (void)uc;
    core *c = user;
    uint32_t address = (uint32_t)address64;
    *entry = (uc_tlb_entry){.paddr = address, .perms = UC_PROT_ALL};
    if (c->abandoned.cause && type != UC_MEM_FETCH) {
        return false;
    }
    if (!may_meet(c, address, type, entry)) {
        return false;
    }
    if (type != UC_MEM_FETCH) {
        forget_conditions(c);
    }
    return entry->paddr >= CORE_GUARDED || meet_memory(c, address, type, entry);
}
