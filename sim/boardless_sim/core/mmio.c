/* What an access to a device region does (when in its block it happens: access.c). */
#include <stdlib.h>
#include <string.h>

#include "armv7m.h"
#include "core.h"

#define SRAM_BASE    0x20000000u
#define SRAM_ALIAS   0x22000000u
#define DEVICE_BASE  0x40000000u
#define DEVICE_ALIAS 0x42000000u

core_region *core_region_create(core *c, uint32_t base, uint32_t kind) {
    core_region *region = malloc(sizeof *region);
    if (region) {
        *region = (core_region){.owner = c, .base = base, .kind = (region_kind)kind};
    }
    return region;
}

void core_region_destroy(core_region *region) {
    free(region);
}

/* Python counts an effect for every read that is not stable (see peripheral.py). A stable read
 * gives the same value until the next effect, so Python need not be asked again. */
static uint32_t device_read(core *c, uint32_t address, uint32_t size) {
    read_memo *memo = &c->memos[(address >> 2) % CORE_MEMOS];
    if (memo->address == address && memo->size_bytes == size &&
        memo->effects == c->shared.effects) {
        return memo->value;
    }
    uint64_t effects = c->shared.effects;
    uint32_t value = c->callbacks.device_read(address, size);
    if (effects == c->shared.effects) {
        *memo =
            (read_memo){.effects = effects, .address = address, .size_bytes = size, .value = value};
    }
    return value;
}

/* Bit-band (DDI 0403E, B3.1.1): word n of the alias is bit n of the region. */
static uint32_t aliased(uint32_t alias_offset, uint32_t base, uint32_t *bit) {
    *bit = (alias_offset >> 2) & 7u;
    return base + (alias_offset >> 5);
}

static uint32_t read_bit(core *c, const core_region *region, uint32_t offset) {
    uint32_t bit = 0;
    if (region->kind == REGION_DEVICE_ALIAS) {
        uint32_t address = aliased(offset, DEVICE_BASE, &bit);
        uint32_t word = device_read(c, address & ~3u, 4);
        return (word >> (8u * (address & 3u) + bit)) & 1u;
    }
    uint8_t byte = 0;
    uint32_t address = aliased(offset, SRAM_BASE, &bit);
    c->api.mem_read(c->uc, address, &byte, 1);
    return (byte >> bit) & 1u;
}

static void write_bit(core *c, const core_region *region, uint32_t offset, uint32_t value) {
    uint32_t bit = 0;
    if (region->kind == REGION_DEVICE_ALIAS) {
        uint32_t address = aliased(offset, DEVICE_BASE, &bit);
        uint32_t mask = UINT32_C(1) << (8u * (address & 3u) + bit);
        uint32_t word = device_read(c, address & ~3u, 4);
        c->callbacks.device_write(address & ~3u, 4, (value & 1u) ? word | mask : word & ~mask);
        return;
    }
    uint8_t byte = 0;
    uint32_t address = aliased(offset, SRAM_BASE, &bit);
    c->api.mem_read(c->uc, address, &byte, 1);
    uint32_t mask = UINT32_C(1) << bit;
    byte = (uint8_t)((value & 1u) ? byte | mask : byte & ~mask);
    c->api.mem_write(c->uc, address, &byte, 1);
}

#define SCB_PAGE 0xe000ec00u
#define STIR     0xe000ef00u

/* Of pages that are not of one kind; of all others pages.c has asked. False: the access must not
 * happen, and its instruction is left undone. */
static bool may_reach(core *c, uint32_t address, uint32_t size, uint32_t wanted) {
    bool beside_stir = (c->ccr & CCR_USERSETMPEND) && address - SCB_PAGE < 1u << CORE_PAGE_BITS;
    if (beside_stir && address != STIR && !is_privileged(c)) {
        abandon(c, ABANDON_BUS, access_pc(c), address);
        return false;
    }
    if (c->mpu.mixed_devices && !mpu_allows(c, address, size, is_privileged(c), wanted)) {
        abandon(c, ABANDON_DATA, access_pc(c), address);
        return false;
    }
    return true;
}

uint64_t core_on_read(uc_engine *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc;
    const core_region *region = user;
    core *c = region->owner;
    uint32_t address = region->base + (uint32_t)offset;
    uint32_t value = 0;
    access_begins(c, address, true);
    if (!may_reach(c, address, size, UC_PROT_READ)) {
        c->in_access = false;
        return 0;
    }
    if (region->kind == REGION_SRAM_ALIAS || region->kind == REGION_DEVICE_ALIAS) {
        value = read_bit(c, region, (uint32_t)offset);
    } else if (region->kind != REGION_PPB || !scs_read(c, address, &value)) {
        value = device_read(c, address, size);
    }
    if (c->debug.traces) {
        trace_access(c, TRACE_READ, size, value);
    }
    c->in_access = false;
    return size >= 4 ? value : value & ((UINT32_C(1) << (8u * size)) - 1u);
}

uint64_t core_on_flash_read(uc_engine *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc;
    core *c = user;
    uint32_t waited = art_load(&c->art, (uint32_t)offset >> ART_LINE_BITS);
    c->shared.cycles += waited;
    c->block_start_cycles += waited; /* so that the accesses behind it are as much later */
    uint64_t value = 0;
    memcpy(&value, c->flash + offset, size);
    return value;
}

void core_on_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user) {
    (void)uc;
    const core_region *region = user;
    core *c = region->owner;
    uint32_t address = region->base + (uint32_t)offset;
    access_begins(c, address, false);
    if (!may_reach(c, address, size, UC_PROT_WRITE)) {
        c->in_access = false;
        return;
    }
    if (c->debug.traces) {
        trace_access(c, TRACE_WRITE, size, (uint32_t)value);
    }
    if (region->kind == REGION_SRAM_ALIAS || region->kind == REGION_DEVICE_ALIAS) {
        write_bit(c, region, (uint32_t)offset, (uint32_t)value);
    } else if (region->kind != REGION_PPB || !scs_write(c, address, size, (uint32_t)value)) {
        c->callbacks.device_write(address, size, (uint32_t)value);
    }
    c->in_access = false;
    c->shared.effects++;
}

/* For who answers an access: nothing is there after all, and the instruction is left undone. */
void core_bus_error(core *c, uint32_t address) {
    abandon(c, ABANDON_BUS, access_pc(c), address);
}

/* For who answers an access: it takes so much longer, and what follows in its block is later. */
void core_stall(core *c, uint64_t cycles) {
    c->shared.cycles += cycles;
    c->block_start_cycles += cycles;
}
