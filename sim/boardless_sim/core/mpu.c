/* The MPU (DDI 0403E, B3.5): eight regions with subregions over a background region.
 *
 * Unicorn asks once for each page of 1 KiB what it may do (pages.c), and is made to ask again after
 * each change. A page that is not of one kind goes through guards.c.
 */
#include <string.h>

#include "armv7m.h"
#include "core.h"

enum {
    MPU_TYPE = 0xE000ED90,
    MPU_CTRL = 0xE000ED94,
    MPU_RNR = 0xE000ED98,
    MPU_RBAR = 0xE000ED9C,
    MPU_RASR = 0xE000EDA0,
    MPU_RASR_A3 = 0xE000EDB8,
};

#define TYPE_EIGHT_REGIONS  0x800u
#define CTRL_ENABLE         (1u << 0)
#define CTRL_HFNMIENA       (1u << 1)
#define CTRL_PRIVDEFENA     (1u << 2)
#define CTRL_WRITABLE       7u
#define RBAR_REGION         7u
#define RBAR_VALID          (1u << 4)
#define RASR_WRITABLE       0x173fff3fu
#define RASR_ENABLE         (1u << 0)
#define RASR_SIZE(rasr)     ((rasr) >> 1 & 31u)
#define RASR_SRD(rasr)      ((rasr) >> 8 & 0xffu)
#define RASR_AP(rasr)       ((rasr) >> 24 & 7u)
#define RASR_XN             (1u << 28)
#define LEAST_SIZE          4u /* 32 bytes */
#define LEAST_DIVIDED_BYTES 256u
#define SUBREGIONS          8u
#define PPB_BASE            0xe0000000u
#define PPB_BYTES           0x100000u

static void forget_pages(core *c) {
    memset(c->guards, 0, sizeof c->guards);
    c->mpu.mixed_code = c->mpu.mixed_devices = false;
    c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0));
    c->shared.deadline = 0;
}

/* After anything that may raise or lower the execution priority: without HFNMIENA the MPU is off
 * while it is negative, that is in HardFault and NMI and with FAULTMASK set (B3.5.3). */
void mpu_follow(core *c) {
    bool enabled = (c->mpu.ctrl & CTRL_ENABLE) != 0;
    bool live =
        enabled && ((c->mpu.ctrl & CTRL_HFNMIENA) || nvic_execution_priority(c, false) > -1);
    if (live != c->mpu.live) {
        c->mpu.live = live;
        forget_pages(c);
    }
}

void mpu_power_on(core *c) {
    memset(&c->mpu, 0, sizeof c->mpu);
    forget_pages(c);
}

typedef enum { PART_NONE, PART_SOME, PART_ALL } coverage;

/* How much of a range lies in the enabled parts of a region. */
static coverage covered(const core *c, uint32_t region, uint32_t address, uint32_t bytes) {
    uint32_t rasr = c->mpu.rasr[region];
    if (!(rasr & RASR_ENABLE) || RASR_SIZE(rasr) < LEAST_SIZE) {
        return PART_NONE;
    }
    uint64_t size = UINT64_C(2) << RASR_SIZE(rasr);
    uint64_t base = c->mpu.rbar[region] & ~(size - 1u);
    uint32_t disabled = size >= LEAST_DIVIDED_BYTES ? RASR_SRD(rasr) : 0u;
    uint64_t inside = 0;
    for (uint32_t i = 0; i < SUBREGIONS; i++) {
        uint64_t from = base + i * (size / SUBREGIONS), to = from + size / SUBREGIONS;
        if (!(disabled >> i & 1u)) {
            from = from > address ? from : address;
            to = to < (uint64_t)address + bytes ? to : (uint64_t)address + bytes;
            inside += to > from ? to - from : 0u;
        }
    }
    return inside == 0 ? PART_NONE : inside == bytes ? PART_ALL : PART_SOME;
}

/* RASR.AP and XN (B3.5.9, table B3-15) as UC_PROT_ bits. */
static uint32_t rights_of(uint32_t rasr, bool privileged) {
    static const uint8_t PRIVILEGED[8] = {0, 3, 3, 3, 0, 1, 1, 1};
    static const uint8_t USER[8] = {0, 0, 1, 3, 0, 0, 1, 1};
    uint32_t rights = privileged ? PRIVILEGED[RASR_AP(rasr)] : USER[RASR_AP(rasr)];
    return (rights & UC_PROT_READ) && !(rasr & RASR_XN) ? rights | UC_PROT_EXEC : rights;
}

/* What a range may do. False: its parts differ. Of regions that overlap the highest number counts.
 */
static bool rights_in(const core *c, uint32_t address, uint32_t bytes, bool privileged,
                      uint32_t *rights) {
    *rights = UC_PROT_ALL;
    if (address - PPB_BASE < PPB_BYTES) {
        return true;
    }
    for (uint32_t region = MPU_REGIONS; region-- > 0;) {
        coverage part = covered(c, region, address, bytes);
        if (part == PART_SOME) {
            return false;
        }
        if (part == PART_ALL) {
            *rights = rights_of(c->mpu.rasr[region], privileged);
            return true;
        }
    }
    *rights = privileged && (c->mpu.ctrl & CTRL_PRIVDEFENA) ? UC_PROT_ALL : 0u;
    return true;
}

bool mpu_allows(const core *c, uint32_t address, uint32_t bytes, bool privileged, uint32_t wanted) {
    uint32_t first = address / MPU_GRANULE_BYTES;
    uint32_t last = (address + bytes - 1u) / MPU_GRANULE_BYTES;
    for (uint32_t granule = first; c->mpu.live && granule <= last; granule++) {
        uint32_t rights = 0;
        rights_in(c, granule * MPU_GRANULE_BYTES, MPU_GRANULE_BYTES, privileged, &rights);
        if (!(rights & wanted)) {
            return false;
        }
    }
    return true;
}

mpu_verdict mpu_page(const core *c, uint32_t page, bool privileged, uint32_t wanted,
                     uint32_t *rights) {
    if (!rights_in(c, page, 1u << CORE_PAGE_BITS, privileged, rights)) {
        return MPU_MIXED;
    }
    return (*rights & wanted) ? MPU_ALLOWED : MPU_REFUSED;
}

bool mpu_registers_read(const core *c, uint32_t address, uint32_t *value) {
    switch (address) {
    case MPU_TYPE:
        *value = TYPE_EIGHT_REGIONS;
        return true;
    case MPU_CTRL:
        *value = c->mpu.ctrl;
        return true;
    case MPU_RNR:
        *value = c->mpu.number;
        return true;
    default:
        break;
    }
    if (address < MPU_RBAR || address > MPU_RASR_A3) {
        return false;
    }
    bool is_base = (address - MPU_RBAR) % 8u == 0; /* each of the pair has three aliases */
    *value = is_base ? c->mpu.rbar[c->mpu.number] | c->mpu.number : c->mpu.rasr[c->mpu.number];
    return true;
}

static void write_region(core *c, bool is_base, uint32_t value) {
    if (!is_base) {
        c->mpu.rasr[c->mpu.number] = value & RASR_WRITABLE;
    } else {
        if (value & RBAR_VALID) {
            c->mpu.number = value & RBAR_REGION;
        }
        c->mpu.rbar[c->mpu.number] = value & ~(MPU_GRANULE_BYTES - 1u);
    }
    forget_pages(c);
}

/* RASR can be written by halves (B3.5.9). False: no register of the MPU. */
bool mpu_registers_write(core *c, uint32_t address, uint32_t size, uint32_t value) {
    uint32_t word = address & ~3u, old = 0;
    if (!mpu_registers_read(c, word, &old)) {
        return false;
    }
    uint32_t shift = 8u * (address & 3u);
    uint32_t mask = (size >= 4 ? UINT32_MAX : (UINT32_C(1) << 8u * size) - 1u) << shift;
    value = (old & ~mask) | (value << shift & mask);
    switch (word) {
    case MPU_TYPE:
        break; /* read only */
    case MPU_CTRL:
        c->mpu.ctrl = value & CTRL_WRITABLE;
        mpu_follow(c);
        forget_pages(c);
        break;
    case MPU_RNR:
        c->mpu.number = value & RBAR_REGION;
        break;
    default:
        write_region(c, (word - MPU_RBAR) % 8u == 0, value);
    }
    return true;
}
