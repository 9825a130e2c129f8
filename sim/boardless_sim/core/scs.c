/* The private peripheral bus: NVIC and SCB registers, DBGMCU (DDI 0403E, B3.2 and B3.4;
 * RM0090 38.16 for DBGMCU). */
#include "armv7m.h"
#include "core.h"

enum {
    ICTR = 0xE000E004,
    ACTLR = 0xE000E008,
    SYST_CALIB = 0xE000E01C,
    NVIC_ISER = 0xE000E100,
    NVIC_ICER = 0xE000E180,
    NVIC_ISPR = 0xE000E200,
    NVIC_ICPR = 0xE000E280,
    NVIC_IABR = 0xE000E300,
    NVIC_IPR = 0xE000E400,
    SCB_CPUID = 0xE000ED00,
    SCB_ICSR = 0xE000ED04,
    SCB_VTOR = 0xE000ED08,
    SCB_AIRCR = 0xE000ED0C,
    SCB_SCR = 0xE000ED10,
    SCB_CCR = 0xE000ED14,
    SCB_SHPR1 = 0xE000ED18,
    SCB_SHCSR = 0xE000ED24,
    SCB_CFSR = 0xE000ED28,
    SCB_HFSR = 0xE000ED2C,
    SCB_DFSR = 0xE000ED30,
    SCB_MMFAR = 0xE000ED34,
    SCB_BFAR = 0xE000ED38,
    SCB_CPACR = 0xE000ED88,
    STIR = 0xE000EF00,
    DBGMCU_IDCODE = 0xE0042000,
    DBGMCU_CR = 0xE0042004,
};

#define NVIC_BANK_BYTES   0x10u /* four words: 128 interrupts */
#define CPUID_CORTEX_M4   0x410fc241u
#define ICSR_PENDSTCLR    (1u << 25)
#define ICSR_PENDSTSET    (1u << 26)
#define ICSR_PENDSVCLR    (1u << 27)
#define ICSR_PENDSVSET    (1u << 28)
#define ICSR_NMIPENDSET   (1u << 31)
#define ICSR_ISRPENDING   (1u << 22)
#define ICSR_RETTOBASE    (1u << 11)
#define AIRCR_KEY         0x05fau
#define AIRCR_KEY_READ    0xfa05u
#define AIRCR_PRIGROUP    0x700u
#define AIRCR_SYSRESETREQ (1u << 2)
#define SCR_SEVONPEND     (1u << 4)
#define SCR_WRITABLE      0x16u
#define CCR_WRITABLE      0x31bu
#define SHCSR_ENABLES     0x70000u

/* ---- NVIC banks: bit n of word w is interrupt 32*w + n, exception 16 higher ---- */

static uint32_t bank_read(const uint32_t *exceptions, uint32_t offset) {
    uint32_t word = (offset & 0xcu) / 4u;
    uint32_t high = word + 1u < CORE_WORDS ? exceptions[word + 1u] : 0;
    return (exceptions[word] >> 16) | (high << 16);
}

static void bank_enable(core *c, uint32_t offset, uint32_t bits, bool enable) {
    uint32_t first = EXC_IRQ0 + (offset & 0xcu) * 8u;
    for (; bits; bits &= bits - 1u) {
        uint32_t exception = first + (uint32_t)__builtin_ctz(bits);
        if (exception < CORE_EXCEPTIONS) {
            uint32_t bit = UINT32_C(1) << (exception & 31u);
            c->enabled[exception >> 5] =
                enable ? c->enabled[exception >> 5] | bit : c->enabled[exception >> 5] & ~bit;
        }
    }
    c->shared.deadline = 0;
}

static void bank_pend(core *c, uint32_t offset, uint32_t bits, bool pend) {
    uint32_t first = EXC_IRQ0 + (offset & 0xcu) * 8u;
    for (; bits; bits &= bits - 1u) {
        uint32_t exception = first + (uint32_t)__builtin_ctz(bits);
        if (exception >= CORE_EXCEPTIONS) {
            return;
        }
        bool held = (c->line[exception >> 5] >> (exception & 31u)) & 1u;
        if (pend) {
            nvic_pend(c, exception);
        } else if (!held) {
            nvic_unpend(c, exception);
        }
    }
}

static uint32_t bank_active(const core *c, uint32_t offset) {
    uint32_t exceptions[CORE_WORDS] = {0};
    for (uint32_t i = 0; i < c->active_count; i++) {
        exceptions[c->active[i] >> 5] |= UINT32_C(1) << (c->active[i] & 31u);
    }
    return bank_read(exceptions, offset);
}

static uint32_t priorities_read(const core *c, uint32_t first) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < 4 && first + i < CORE_EXCEPTIONS; i++) {
        value |= (uint32_t)c->priority[first + i] << (8u * i);
    }
    return value;
}

static void priorities_write(core *c, uint32_t first, uint32_t size, uint32_t value) {
    for (uint32_t i = 0; i < size && first + i < CORE_EXCEPTIONS; i++) {
        c->priority[first + i] = (uint8_t)((value >> (8u * i)) & c->priority_mask);
    }
    c->shared.deadline = 0;
}

/* ---- SCB ---- */

static bool is_pending(const core *c, uint32_t exception) {
    return (c->pending[exception >> 5] >> (exception & 31u)) & 1u;
}

static uint32_t icsr_read(const core *c) {
    int group_priority = 0;
    uint32_t best = c->any_pending ? nvic_best(c, &group_priority) : 0;
    return c->shared.active_exception | (c->active_count <= 1 ? ICSR_RETTOBASE : 0) | (best << 12) |
           (best >= EXC_IRQ0 ? ICSR_ISRPENDING : 0) |
           (is_pending(c, EXC_SYSTICK) ? ICSR_PENDSTSET : 0) |
           (is_pending(c, EXC_PENDSV) ? ICSR_PENDSVSET : 0);
}

static void icsr_write(core *c, uint32_t value) {
    if (value & ICSR_NMIPENDSET) {
        nvic_pend(c, EXC_NMI);
    }
    if (value & ICSR_PENDSVSET) {
        nvic_pend(c, EXC_PENDSV);
    } else if (value & ICSR_PENDSVCLR) {
        nvic_unpend(c, EXC_PENDSV);
    }
    if (value & ICSR_PENDSTSET) {
        nvic_pend(c, EXC_SYSTICK);
    } else if (value & ICSR_PENDSTCLR) {
        nvic_unpend(c, EXC_SYSTICK);
    }
}

static void aircr_write(core *c, uint32_t value) {
    if (value >> 16 != AIRCR_KEY) {
        return;
    }
    c->aircr = value & AIRCR_PRIGROUP;
    if (value & AIRCR_SYSRESETREQ) {
        c->shared.reset_requested = 1;
        c->shared.deadline = 0;
    }
}

static uint32_t shcsr_read(const core *c) {
    static const struct {
        uint8_t exception, bit;
    } ACTIVE[] = {{EXC_MEM_MANAGE, 0}, {EXC_BUS_FAULT, 1}, {EXC_USAGE_FAULT, 3},
                  {EXC_SVCALL, 7},     {EXC_PENDSV, 10},   {EXC_SYSTICK, 11}};
    uint32_t value = c->shcsr;
    for (uint32_t i = 0; i < c->active_count; i++) {
        for (size_t j = 0; j < sizeof ACTIVE / sizeof ACTIVE[0]; j++) {
            if (c->active[i] == ACTIVE[j].exception) {
                value |= UINT32_C(1) << ACTIVE[j].bit;
            }
        }
    }
    return value;
}

static bool scb_read(core *c, uint32_t address, uint32_t *value) {
    switch (address) {
    case SCB_CPUID:
        *value = CPUID_CORTEX_M4;
        return true;
    case SCB_ICSR:
        *value = icsr_read(c);
        return true;
    case SCB_VTOR:
        *value = c->vtor;
        return true;
    case SCB_AIRCR:
        *value = (AIRCR_KEY_READ << 16) | c->aircr;
        return true;
    case SCB_SCR:
        *value = c->scr;
        return true;
    case SCB_CCR:
        *value = c->ccr;
        return true;
    case SCB_SHCSR:
        *value = shcsr_read(c);
        return true;
    case SCB_CFSR:
        *value = c->cfsr;
        return true;
    case SCB_HFSR:
        *value = c->hfsr;
        return true;
    case SCB_DFSR:
        *value = c->dfsr;
        return true;
    case SCB_MMFAR:
        *value = c->mmfar;
        return true;
    case SCB_BFAR:
        *value = c->bfar;
        return true;
    case SCB_CPACR:
        *value = c->cpacr;
        return true;
    case ICTR:
        *value = 2;
        return true;
    case ACTLR:
        *value = 0;
        return true;
    case SYST_CALIB:
        *value = 0;
        return true;
    case DBGMCU_IDCODE:
        *value = c->idcode;
        return true;
    case DBGMCU_CR:
        *value = c->dbgmcu_cr;
        return true;
    default:
        return false;
    }
}

static bool scb_write(core *c, uint32_t address, uint32_t value) {
    switch (address) {
    case SCB_ICSR:
        icsr_write(c, value);
        return true;
    case SCB_VTOR:
        c->vtor = value & 0x3fffff80u;
        return true;
    case SCB_AIRCR:
        aircr_write(c, value);
        return true;
    case SCB_SCR:
        c->scr = value & SCR_WRITABLE;
        return !(value & SCR_SEVONPEND);
    case SCB_CCR:
        c->ccr = value & CCR_WRITABLE;
        c->api.ctl(c->uc, UC_CTL_WRITE(UC_CTL_TLB_FLUSH, 0)); /* USERSETMPEND: pages.c */
        c->shared.deadline = 0;                               /* UNALIGN_TRP: align.c */
        return true;
    case SCB_SHCSR:
        c->shcsr = value & SHCSR_ENABLES;
        return true;
    case SCB_CFSR:
        c->cfsr &= ~value;
        return true;
    case SCB_HFSR:
        c->hfsr &= ~value;
        return true;
    case SCB_DFSR:
        c->dfsr &= ~value;
        return true;
    case SCB_MMFAR:
        c->mmfar = value;
        return true;
    case SCB_BFAR:
        c->bfar = value;
        return true;
    case SCB_CPACR:
        c->cpacr = value & 0xf00000u;
        return true;
    case ACTLR:
        return true;
    case STIR:
        nvic_pend(c, EXC_IRQ0 + (value & 0x1ffu) % (CORE_EXCEPTIONS - EXC_IRQ0));
        return true;
    case DBGMCU_CR:
        c->dbgmcu_cr = value;
        return true;
    default:
        return false;
    }
}

static bool in_bank(uint32_t address, uint32_t bank) {
    return address >= bank && address < bank + NVIC_BANK_BYTES;
}

static bool word_read(core *c, uint32_t address, uint32_t *value) {
    if (address >= NVIC_IPR && address < NVIC_IPR + CORE_EXCEPTIONS - EXC_IRQ0) {
        *value = priorities_read(c, EXC_IRQ0 + (address - NVIC_IPR));
    } else if (address >= SCB_SHPR1 && address < SCB_SHCSR) {
        *value = priorities_read(c, EXC_MEM_MANAGE + (address - SCB_SHPR1));
    } else if (in_bank(address, NVIC_ISER) || in_bank(address, NVIC_ICER)) {
        *value = bank_read(c->enabled, address);
    } else if (in_bank(address, NVIC_ISPR) || in_bank(address, NVIC_ICPR)) {
        *value = bank_read(c->pending, address);
    } else if (in_bank(address, NVIC_IABR)) {
        *value = bank_active(c, address);
    } else {
        return counters_read(c, address, value) || fp_registers_read(c, address, value) ||
               mpu_registers_read(c, address, value) || scb_read(c, address, value);
    }
    return true;
}

/* False: not modelled, Python names it. Sub-word reads take their part of the word. */
bool scs_read(core *c, uint32_t address, uint32_t *value) {
    uint32_t word = 0;
    if (!word_read(c, address & ~3u, &word)) {
        return false;
    }
    *value = word >> (8u * (address & 3u));
    return true;
}

/* False: not modelled or modelled only in part, Python names it. */
bool scs_write(core *c, uint32_t address, uint32_t size, uint32_t value) {
    if (address >= NVIC_IPR && address < NVIC_IPR + CORE_EXCEPTIONS - EXC_IRQ0) {
        priorities_write(c, EXC_IRQ0 + (address - NVIC_IPR), size, value);
    } else if (address >= SCB_SHPR1 && address < SCB_SHCSR) {
        priorities_write(c, EXC_MEM_MANAGE + (address - SCB_SHPR1), size, value);
    } else if (in_bank(address, NVIC_ISER) || in_bank(address, NVIC_ICER)) {
        bank_enable(c, address, value, address < NVIC_ICER);
    } else if (in_bank(address, NVIC_ISPR) || in_bank(address, NVIC_ICPR)) {
        bank_pend(c, address, value, address < NVIC_ICPR);
    } else if (counters_write(c, address, value) || mpu_registers_write(c, address, size, value)) {
        return true;
    } else if (size < 4 && address >= SCB_SHCSR && address < SCB_MMFAR) {
        /* byte and halfword clears of the fault status registers are common */
        return scb_write(c, address & ~3u, value << (8u * (address & 3u)));
    } else {
        return fp_registers_write(c, address, value) || scb_write(c, address, value);
    }
    return true;
}
