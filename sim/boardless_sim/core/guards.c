/* Pages that the MPU gives rights in part only: a guard of 32 bytes below a stack, an odd subregion.
 *
 * Unicorn knows the rights of whole pages. Such a page of memory is mapped to a place above 4 GiB
 * instead, where each load and store comes here. Of devices mmio.c asks, of code core_on_block().
 *
 * A LDRT or STRT by privileged code counts as privileged in such a page; elsewhere it does not.
 */
#include <string.h>

#include "core.h"

#define PAGE_BYTES (1u << CORE_PAGE_BITS)

static void learn(const core *c, core_guard *guard, uint32_t page, bool privileged)
{
    *guard = (core_guard){.known = true, .page = page, .privileged = privileged};
    for (uint32_t i = 0; i < PAGE_BYTES / MPU_GRANULE_BYTES; i++) {
        uint32_t at = page + i * MPU_GRANULE_BYTES;
        bool reads = mpu_allows(c, at, MPU_GRANULE_BYTES, privileged, UC_PROT_READ);
        bool writes = mpu_allows(c, at, MPU_GRANULE_BYTES, privileged, UC_PROT_WRITE);
        guard->readable |= (uint32_t)reads << i;
        guard->writable |= (uint32_t)writes << i;
    }
}

static bool allows(core *c, uint32_t address, unsigned size, bool is_load)
{
    bool privileged = is_privileged(c);
    uint32_t page = address & ~(PAGE_BYTES - 1u);
    core_guard *guard = &c->guards[(page >> CORE_PAGE_BITS) % CORE_GUARDS];
    if (!guard->known || guard->page != page || guard->privileged != privileged) {
        learn(c, guard, page, privileged);
    }
    uint32_t rights = is_load ? guard->readable : guard->writable;
    uint32_t first = (address - page) / MPU_GRANULE_BYTES;
    uint32_t last = (address - page + size - 1u) / MPU_GRANULE_BYTES;
    return (rights >> first & 1u) && (rights >> last & 1u);
}

/* Whether the access may go on; else its instruction is left undone. */
static bool passes(core *c, uint32_t address, unsigned size, bool is_load)
{
    if (allows(c, address, size, is_load)) {
        return true;
    }
    access_begins(c, address, is_load);
    abandon(c, ABANDON_DATA, access_pc(c), address);
    c->in_access = false;
    return false;
}

uint64_t core_on_guarded_read(uc_engine *uc, uint64_t offset, unsigned size, void *user)
{
    (void)uc;
    const core_region *region = user;
    core *c = region->owner;
    uint32_t address = region->base + (uint32_t)offset;
    uint64_t value = 0;
    if (passes(c, address, size, true)) {
        const core_ram *ram = ram_at(c, address);
        memcpy(&value, ram ? ram->memory + offset : c->flash + offset, size);
    }
    return value;
}

void core_on_guarded_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user)
{
    (void)uc;
    const core_region *region = user;
    core *c = region->owner;
    uint32_t address = region->base + (uint32_t)offset;
    const core_ram *ram = ram_at(c, address);
    if (!passes(c, address, size, false)) {
        return;
    }
    memcpy(ram->memory + offset, &value, size);
    if (ram->holds_code[offset >> CORE_PAGE_BITS]) { /* Unicorn did not see the store */
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2), (uint64_t)address,
                   (uint64_t)address + size);
    }
}
