/* The CPU's fast half: what must happen at every basic block, exception or core register access.
 *
 * Unicorn executes instructions. This core counts cycles by a table that Python fills (one entry a
 * basic block, see boardless_sim/timing.py), runs the NVIC, SysTick, DWT and the System Control
 * Space, enters and leaves exceptions as the ARMv7-M Architecture Reference Manual (DDI 0403E,
 * chapter B1) says, and jumps over time when the CPU sleeps or polls. Python owns every other device
 * and is called back for it.
 *
 * The library has no Python and no link-time Unicorn dependency: Python passes the addresses of the
 * Unicorn functions in `core_api`.
 */
#ifndef BOARDLESS_CORE_H
#define BOARDLESS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unicorn/unicorn.h>

#include "art.h"

#define CORE_NEVER (UINT64_C(1) << 62)
#define CORE_EXCEPTIONS 128u /* 16 system exceptions + 82 interrupts of the STM32F407, rounded up */
#define CORE_WORDS (CORE_EXCEPTIONS / 32u)

/* Exception numbers (DDI 0403E, B1.5.2). */
enum {
    EXC_NMI = 2,
    EXC_HARD_FAULT = 3,
    EXC_MEM_MANAGE = 4,
    EXC_BUS_FAULT = 5,
    EXC_USAGE_FAULT = 6,
    EXC_SVCALL = 11,
    EXC_DEBUG_MONITOR = 12,
    EXC_PENDSV = 14,
    EXC_SYSTICK = 15,
    EXC_IRQ0 = 16,
};

/* Why core_run() came back. */
typedef enum {
    CORE_GO_ON = 0,    /* inside the core only */
    CORE_EVENT = 1,    /* next_event is due */
    CORE_IDLE = 2,     /* asleep, and nothing is scheduled that could wake it */
    CORE_LOCKUP = 3,   /* a fault inside HardFault or NMI, or stacking failed */
    CORE_DEBUG = 4,    /* BKPT: semihosting, or a breakpoint of the firmware's own */
    CORE_RESET = 5,    /* SYSRESETREQ, or a device asked for a reset */
    CORE_CALLBACK = 6, /* a Python callback failed; it kept the exception */
    CORE_UNKNOWN = 7,  /* Unicorn stopped for a reason this core does not know */
    CORE_MARK = 8,     /* a marked block is about to run */
} core_reason;

/* Block flags. */
enum {
    BLOCK_HAS_FP = 1u << 0,      /* an FPU instruction: faults when CPACR denies it */
    BLOCK_SETS_MASK = 1u << 1,   /* CPS, MSR or ISB: priorities may change, look again after it */
    BLOCK_LOWERS_SP = 1u << 2,   /* sp_drop says by how much */
    BLOCK_MOVES_SP = 1u << 3,    /* SP changes by an amount that is not static: look after it */
    BLOCK_SENDS_EVENT = 1u << 4, /* SEV */
    BLOCK_EXCLUSIVE = 1u << 5,   /* LDREX: the monitor must be cleared by the next exception */
    BLOCK_MARKED = 1u << 6,      /* stop before it */
};

/* One basic block, as analysed at first sight. size 0: not analysed. */
typedef struct {
    art_code code;
    uint32_t first_access;  /* index into the access pool */
    uint32_t first_literal; /* index into the literal pool */
    uint16_t size_bytes;
    uint16_t instructions;
    uint16_t cycles;
    uint16_t sp_drop_bytes;
    uint8_t accesses;
    uint8_t literals; /* Flash lines that its PC-relative loads read */
    bool in_flash;
    uint8_t flags;
    uint8_t taken_cycles;  /* pipeline refill when the branch at its end is taken */
    uint8_t target_cycles; /* extra fetch when it is the target of a taken branch */
} core_block;

/* One load or store of a block: enough to find which one performs an access, and when. */
typedef struct {
    uint32_t displacement; /* the address itself when base < 0 */
    uint16_t cycles_before;
    uint16_t span_bytes; /* 4 for LDR, 4*n for LDM */
    uint8_t instruction; /* halfwords from the start of the block */
    int8_t base;         /* register number, -1: displacement is absolute */
    int8_t index;        /* register number, -1: none */
    uint8_t shift;
    bool is_load;
} core_access;

typedef struct {
    uc_err (*reg_read)(uc_engine *, int, void *);
    uc_err (*reg_write)(uc_engine *, int, const void *);
    uc_err (*mem_read)(uc_engine *, uint64_t, void *, uint64_t);
    uc_err (*mem_write)(uc_engine *, uint64_t, const void *, uint64_t);
    uc_err (*emu_start)(uc_engine *, uint64_t, uint64_t, uint64_t, size_t);
    uc_err (*emu_stop)(uc_engine *);
    uc_err (*ctl)(uc_engine *, uc_control_type, ...);
} core_api;

/* What an analysis came to. */
typedef enum {
    ANALYSIS_DONE = 0,
    ANALYSIS_FAILED = 1,
    ANALYSIS_HOOKED = 2, /* the block got a hook, which Unicorn sees when it translates it anew */
} core_analysis;

typedef struct {
    int32_t (*analyse)(uint32_t address, uint32_t size_bytes); /* fills the block; core_analysis */
    uint32_t (*device_read)(uint32_t address, uint32_t size_bytes);
    void (*device_write)(uint32_t address, uint32_t size_bytes, uint32_t value);
} core_callbacks;

/* The part that Python sees, field by field (cpu.py mirrors it and checks the size). */
typedef struct {
    uint64_t cycles;           /* virtual time */
    uint64_t instructions;     /* executed, WFI time not included */
    uint64_t next_event;       /* cycle at which Python wants control */
    uint64_t deadline;         /* cycle at which the running slice stops */
    uint64_t effects;          /* grows with anything that could end a polling loop */
    uint64_t sleep_cycles;     /* spent in WFI or WFE */
    uint64_t skipped_cycles;   /* polling loops not executed */
    uint64_t exceptions_taken;
    uint64_t systick_at;       /* next wrap of a running SysTick, else CORE_NEVER */
    uint32_t pc;
    uint32_t fast_forward;     /* bool */
    uint32_t callback_failed;  /* bool, set by Python */
    uint32_t reset_requested;  /* bool */
    uint32_t sleeping;         /* bool */
    uint32_t fault_number;     /* first fault: exception number taken, 0 none */
    uint32_t fault_pc;
    uint32_t fault_cfsr;
    uint32_t fault_hfsr;
    uint32_t fault_address;
    uint32_t fault_has_address;
    uint32_t lowest_msp;
    uint32_t lowest_msp_pc;
    uint32_t lowest_psp;       /* 0xffffffff: the process stack was never used */
    uint32_t active_exception; /* IPSR */
    uint32_t interrupt_number; /* Unicorn's, when CORE_UNKNOWN */
    uint32_t probed_msp;       /* as lowest_msp and lowest_psp, but from when Python set them */
    uint32_t probed_psp;
} core_shared;

#define CORE_HEADS 1024u
#define CORE_STATE_WORDS (17u + 32u + 1u) /* r0-r15, xpsr, d0-d15, fpscr */
#define CORE_RAMS 4u
#define CORE_CODES 3u
#define CORE_PAGE_BITS 10u /* Unicorn's pages on an M-profile core */
#define CORE_SLOW_FLASH (UINT64_C(1) << 32) /* where Unicorn loads from a Flash with wait states */

/* A loop head: how often a backward branch came here, and how often to look closer. */
typedef struct {
    uint32_t address;
    uint32_t visits;
    uint32_t threshold;
} loop_head;

typedef enum { WATCH_OFF, WATCH_REGISTERS, WATCH_MEMORY } watch_stage;

typedef struct {
    watch_stage stage;
    uint32_t head;
    uint32_t patience; /* backward branches elsewhere before the watch is given up */
    bool pass;         /* the next visit of the head is the one that was just examined */
    uint64_t effects;
    uint64_t cycles;
    uint64_t instructions;
    uint32_t state[CORE_STATE_WORDS];
    loop_head heads[CORE_HEADS];
} loop_watch;

/* What a stable device register read as, for as long as nothing happened. */
typedef struct {
    uint64_t effects;
    uint32_t address, size_bytes, value;
} read_memo;

#define CORE_MEMOS 16u

/* Memory that is written: SRAM, CCM. */
typedef struct {
    uint32_t base, size_bytes;
    bool executable;
    uint8_t *memory;    /* on the host */
    uint8_t *copy;      /* compared to prove that a loop changes nothing */
    bool *holds_code;   /* of each page: code was fetched from it */
} core_ram;

typedef enum {
    STOP_NONE,
    STOP_DEADLINE,
    STOP_NO_FPU,
    STOP_LOOP,
    STOP_CALLBACK,
    STOP_MARK,
    STOP_TRANSLATE,
} stop_cause;

typedef struct core core;

typedef enum { REGION_DEVICE, REGION_PPB, REGION_SRAM_ALIAS, REGION_DEVICE_ALIAS } region_kind;

typedef struct {
    core *owner;
    uint32_t base;
    region_kind kind;
} core_region;

struct core {
    core_shared shared; /* first: Python maps it at the start */
    uc_engine *uc;
    core_api api;
    core_callbacks callbacks;

    uint32_t code_base[CORE_CODES]; /* Flash, system memory, SRAM */
    uint32_t code_size[CORE_CODES];
    core_block *blocks[CORE_CODES];
    uint32_t *lowest_msp[CORE_CODES]; /* by halfword: SP at its lowest while at it; 0: never */
    uint32_t clrex_address; /* where a CLREX stands */
    core_block elsewhere; /* for code outside both */
    core_access *accesses;
    uint32_t access_count, access_capacity;
    uint32_t *literals; /* Flash lines */
    uint32_t literal_count, literal_capacity;
    art art;
    const uint8_t *flash;   /* on the host */
    bool *flash_holds_code; /* of each page: code was fetched from it, or it has literals */
    core_block *block; /* the one that runs */
    uint32_t block_address, block_end;
    uint64_t block_start_cycles;
    uint32_t match_next; /* first access of the block not yet matched */
    bool in_access, access_is_load;
    uint32_t access_address;
    bool exclusive_open; /* a LDREX ran since the monitor was last cleared */
    uint32_t stopped_at; /* marked block that has had its stop: let it run; odd: none */
    bool quiet;          /* the core itself runs an instruction: no time passes */
    bool look_at_sp, look_at_control, on_process_stack;

    stop_cause stop;
    uint32_t stale_address, stale_bytes; /* of STOP_TRANSLATE */
    uint32_t interrupt; /* Unicorn's number, 0 none */
    bool bad_instruction;
    bool bad_access, bad_fetch;
    uint32_t bad_address;

    /* NVIC and System Control Space */
    uint32_t pending[CORE_WORDS], enabled[CORE_WORDS], line[CORE_WORDS];
    bool any_pending;
    uint8_t priority[CORE_EXCEPTIONS];
    uint8_t active[CORE_EXCEPTIONS];
    uint32_t active_count;
    uint32_t vtor, aircr, scr, ccr, shcsr, cfsr, hfsr, dfsr, mmfar, bfar, cpacr, fpccr, fpcar, fpdscr;
    bool event_register; /* WFE */
    bool waits_for_event;
    uint32_t systick_csr, systick_rvr;
    uint32_t systick_held; /* counter of a stopped SysTick */
    uint32_t demcr, dwt_ctrl, dbgmcu_cr;
    uint64_t cyccnt_base;
    uint32_t cyccnt_held;

    read_memo memos[CORE_MEMOS];
    loop_watch watch;
    core_ram rams[CORE_RAMS];
};

/* run.c: called by Python */
core *core_create(uc_engine *uc, const core_api *api, const core_callbacks *callbacks);
void core_destroy(core *c);
uint32_t core_shared_size(void);
int32_t core_set_flash(core *c, uint32_t base, uint32_t size_bytes, const uint8_t *memory);
void core_set_flash_acr(core *c, uint32_t acr);
int32_t core_set_ram(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes, uint8_t *memory,
                     uint32_t executable);
void core_power_on(core *c, uint32_t vector_table);
core_reason core_run(core *c);
uint64_t core_now(core *c);
void core_set_line(core *c, uint32_t exception, uint32_t asserted);
void core_set_clrex(core *c, uint32_t address);
int32_t core_breakpoint_fault(core *c);
int32_t core_can_wake(const core *c);

/* run.c: hooks, registered by Python */
void core_on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user);
void core_on_interrupt(uc_engine *uc, uint32_t number, void *user);
bool core_on_invalid_instruction(uc_engine *uc, void *user);
bool core_on_invalid_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                            int64_t value, void *user);

/* blocks.c: the first four are called by Python */
int32_t core_set_code(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes);
int32_t core_set_block(core *c, uint32_t address, const core_block *block,
                       const core_access *accesses);
void core_mark(core *c, uint32_t address, uint32_t marked);
uint32_t core_lowest_msp(const core *c, uint32_t start, uint32_t end);
void note_lowest_msp(core *c, uint32_t address, uint32_t sp);
void forget_lowest_msp(core *c);
core_block *block_at(core *c, uint32_t address);
void blocks_destroy(core *c);

/* divide.c: a hook on each divide that a block has */
void core_on_divide(uc_engine *uc, uint64_t address, uint32_t size, void *user);

/* pages.c */
void note_code(core *c, bool *holds_code);
bool core_on_page(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *entry, void *user);

/* registers.c */
extern const int CORE_GENERAL[16]; /* Unicorn's numbers of r0 to r15 */
uint32_t core_reg(core *c, int reg);
void core_set_reg(core *c, int reg, uint32_t value);

/* nvic.c */
void nvic_pend(core *c, uint32_t exception);
void nvic_unpend(core *c, uint32_t exception);
int nvic_priority(const core *c, uint32_t exception);
int nvic_group(const core *c, int priority);
uint32_t nvic_best(const core *c, int *group_priority);
int nvic_execution_priority(core *c, bool with_primask);

/* exceptions.c */
bool exception_enter(core *c, uint32_t exception);
bool exception_return(core *c, uint32_t exc_return);
bool exception_fault(core *c, uint32_t exception, uint32_t cfsr_bits);
void stack_look(core *c, uint32_t sp, uint32_t pc);

/* scs.c */
bool scs_read(core *c, uint32_t address, uint32_t *value);
bool scs_write(core *c, uint32_t address, uint32_t size, uint32_t value);
void systick_catch_up(core *c);

/* mmio.c: callbacks of uc_mmio_map, user is a core_region */
core_region *core_region_create(core *c, uint32_t base, uint32_t kind);
void core_region_destroy(core_region *region);
uint64_t core_on_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);
void core_on_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user);

/* mmio.c: callback of uc_mmio_map, user is the core */
uint64_t core_on_flash_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);

/* fast_forward.c */
bool watch_backward_branch(core *c, uint32_t address);
void watch_examine(core *c);

#endif
