/* Pages that the MPU gives rights in part only: a guard of 32 bytes below a stack, an odd
 * subregion.
 *
 * Unicorn knows the rights of whole pages. Such a page of memory is met above 4 GiB
 * instead, where it stands without any right, so that each load and store comes here. Of
 * devices mmio.c asks, of code core_on_block().
 *
 * A LDRT or STRT by privileged code counts as privileged in such a page; elsewhere it does not.
 */
#include <string.h>

#include "core.h"

#define PAGE_BYTES (1u << CORE_PAGE_BITS)

static void learn(const core *c, core_guard *guard, uint32_t page, bool privileged) {
    *guard = (core_guard){.known = true, .page = page, .privileged = privileged};
    for (uint32_t i = 0; i < PAGE_BYTES / MPU_GRANULE_BYTES; i++) {
        uint32_t at = page + i * MPU_GRANULE_BYTES;
        bool reads = mpu_allows(c, at, MPU_GRANULE_BYTES, privileged, UC_PROT_READ);
        bool writes = mpu_allows(c, at, MPU_GRANULE_BYTES, privileged, UC_PROT_WRITE);
        guard->readable |= (uint32_t)reads << i;
        guard->writable |= (uint32_t)writes << i;
    }
}

/* The first byte that is refused, or `address + size`: none. */
static uint32_t refused_byte(core *c, uint32_t address, uint32_t size, bool is_load) {
    bool privileged = is_privileged(c);
    uint32_t page = address & ~(PAGE_BYTES - 1u);
    core_guard *guard = &c->guards[(page >> CORE_PAGE_BITS) % CORE_GUARDS];
    if (!guard->known || guard->page != page || guard->privileged != privileged) {
        learn(c, guard, page, privileged);
    }
    uint32_t rights = is_load ? guard->readable : guard->writable;
    uint32_t last =
        (address + size - 1u) & ~(MPU_GRANULE_BYTES - 1u); /* no access has three granules */
    if (!(rights >> (address - page) / MPU_GRANULE_BYTES & 1u)) {
        return address;
    }
    return last < address || last - page >= PAGE_BYTES ||
                   (rights >> (last - page) / MPU_GRANULE_BYTES & 1u)
               ? address + size
               : last;
}

/* What runs into UC_PROT_NONE. The access goes on where it is true; else its instruction ends here.
 */
bool core_on_guarded_access(uc_engine *uc, uc_mem_type type, uint64_t address64, int size,
                            int64_t value, void *user) {
    (void)uc, (void)value;
    core *c = user;
    uint32_t address = (uint32_t)address64; /* where it is really, below 4 GiB */
    bool is_load = type == UC_MEM_READ_PROT;
    uint32_t refused = refused_byte(c, address, (uint32_t)size, is_load);
    if (refused == address + (uint32_t)size) {
        return true;
    }
    c->refused = is_load ? UC_PROT_READ : UC_PROT_WRITE;
    c->refused_in_part = true;
    c->bad_address = refused;
    return false;
}

uint64_t core_on_guarded_read(uc_engine *uc, uint64_t offset, unsigned size, void *user) {
    (void)uc;
    const core_region *region = user;
    const core_ram *ram = ram_at(region->owner, region->base);
    uint64_t value = 0;
    memcpy(&value, (ram ? ram->memory : region->owner->flash) + offset, size);
    return value;
}

void core_on_guarded_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
                           void *user) {
    (void)uc;
    const core_region *region = user;
    core *c = region->owner;
    const core_ram *ram = ram_at(c, region->base);
    memcpy(ram->memory + offset, &value, size);
    if (ram->holds_code[offset >>
                        CORE_PAGE_BITS]) { /* Unicorn does not know that code was stored to */
        uint64_t address = region->base + offset;
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), address, address + size);
    }
}
