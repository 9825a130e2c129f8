/* The CPU's fast half: what must happen at every basic block, exception or core register access.
 *
 * Unicorn executes instructions. This core counts cycles by a table that Python fills (one entry a
 * basic block, see boardless_sim/timing.py), runs the NVIC, SysTick, DWT and the System Control
 * Space, enters and leaves exceptions as the ARMv7-M Architecture Reference Manual (DDI 0403E,
 * chapter B1) says, and jumps over time when the CPU sleeps or polls. Python owns every other
 * device and is called back for it.
 *
 * The library has no Python and no link-time Unicorn dependency: Python passes the addresses of the
 * Unicorn functions in `core_api`.
 */
#ifndef BOARDLESS_CORE_H
#define BOARDLESS_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "debug.h"
#include "shared.h"

#define CORE_EXCEPTIONS                                                                            \
    128u /* 16 system exceptions + 82 interrupts of the STM32F407, rounded up                      \
          */
#define CORE_WORDS (CORE_EXCEPTIONS / 32u)

#define CORE_HEADS       1024u
#define CORE_STATE_WORDS (17u + 32u + 1u) /* r0-r15, xpsr, d0-d15, fpscr */
#define CORE_STATE_XPSR  16u
#define FP_WORDS         17u /* s0-s15, fpscr: what an exception stacks */
#define CORE_RAMS        4u
#define CORE_PAGE_BITS   10u /* Unicorn's pages on an M-profile core */
#define CORE_SLOW_FLASH                                                                            \
    (UINT64_C(1) << 32)                       /* where Unicorn loads from a Flash with wait states \
                                               */
#define CORE_GUARDED      (UINT64_C(2) << 32) /* where it finds memory that guards.c looks after */
#define CORE_FLASH_STORES (UINT64_C(3) << 32) /* where a store to the Flash arrives: at the bus */
#define CORE_GUARDS       8u
#define MPU_REGIONS       8u
#define MPU_GRANULE_BYTES 32u

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
    uint8_t *memory;  /* on the host */
    uint8_t *copy;    /* compared to prove that a loop changes nothing */
    bool *holds_code; /* of each page: code was fetched from it */
} core_ram;

typedef enum {
    STOP_NONE,
    STOP_DEADLINE,
    STOP_NO_FPU,
    STOP_LAZY_FP,
    STOP_NO_EXECUTE,
    STOP_LOOP,
    STOP_CALLBACK,
    STOP_MARK,
    STOP_TRANSLATE,
    STOP_INSTRUCTION, /* a debugger's, before an instruction */
    STOP_HALT,        /* a debugger's, before a block */
} stop_cause;

#define CORE_NOWHERE 1u /* no block has an odd address */

/* Why an instruction is left undone. */
typedef enum {
    ABANDON_NOTHING,
    ABANDON_UNALIGNED,
    ABANDON_DIVIDE,
    ABANDON_DATA, /* the MPU refuses it */
    ABANDON_BUS,  /* it needs privileges, or a bus that is off */
} abandon_cause;

typedef struct {
    uint32_t ctrl, number, rbar[MPU_REGIONS], rasr[MPU_REGIONS];
    bool live;          /* it decides accesses now */
    bool mixed_code;    /* code was fetched from a page of which parts may not be */
    bool mixed_devices; /* a device was met in a page of which parts may not be */
} core_mpu;

typedef enum { MPU_ALLOWED, MPU_REFUSED, MPU_MIXED } mpu_verdict;

/* A page of different parts: a bit for each granule. */
typedef struct {
    uint32_t page, readable, writable;
    bool known, privileged;
} core_guard;

/* Where a stack may be: from its floor up to, not with, its top. */
typedef struct {
    uint32_t floor, top;
} stack_area;

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

    uint32_t code_base[CORE_CODES];
    uint32_t code_size[CORE_CODES];
    core_block *blocks[CORE_CODES];
    uint32_t *lowest_msp[CORE_CODES]; /* by halfword: SP at its lowest while at it; 0: never */
    uint32_t clrex_address;           /* where a CLREX stands */
    core_block elsewhere;             /* for code outside all of them */
    core_access *accesses;
    uint32_t access_count, access_capacity;
    uint32_t *literals; /* Flash lines */
    uint32_t literal_count, literal_capacity;
    art art;
    const uint8_t *flash;   /* on the host */
    bool *flash_holds_code; /* of each page: code was fetched from it, or it has literals */
    core_block *block;      /* the one that runs */
    uint32_t block_address, block_end;
    uint64_t block_start_cycles;
    uint32_t match_next; /* first access of the block not yet matched */
    bool in_access, access_is_load;
    uint32_t access_address;
    bool exclusive_open; /* a LDREX ran since the monitor was last cleared */
    uint32_t stopped_at; /* marked block that has had its stop: let it run; odd: none */
    bool quiet;          /* the core itself runs an instruction: no time passes */
    bool look_at_sp, look_at_control, on_process_stack;
    stack_area stack_areas[2]; /* where the main and the process stack may be */
    uint32_t *stack_bounds;
    uint32_t stack_bound_count;

    struct {
        abandon_cause cause; /* no access may follow: the slice ends in this fault */
        uint32_t pc;
        uint32_t address;                 /* of the access, for MMFAR and BFAR */
        uint32_t state[CORE_STATE_WORDS]; /* before the instruction */
    } abandoned;
    bool traps_unaligned; /* trap_hook is there */
    uc_hook trap_hook;

    stop_cause stop;
    uint32_t stale_address, stale_bytes; /* of STOP_TRANSLATE */
    uint32_t lazy_refused;               /* of STOP_LAZY_FP: bits of CFSR */
    uint32_t interrupt;                  /* Unicorn's number, 0 none */
    bool not_thumb;                      /* EPSR.T is 0: the next instruction is a fault */
    bool bad_instruction;
    bool bad_access, bad_fetch;
    uint32_t bad_address;
    uint32_t refused;      /* what the MPU refused, UC_PROT_; 0 nothing */
    bool refused_in_part;  /* at bad_address itself, not in all of its page */
    bool needs_privileges; /* the page is of the PPB */

    /* NVIC and System Control Space */
    uint32_t pending[CORE_WORDS], enabled[CORE_WORDS], line[CORE_WORDS];
    bool any_pending;
    uint8_t priority[CORE_EXCEPTIONS];
    uint8_t active[CORE_EXCEPTIONS];
    uint32_t active_count;
    uint32_t vtor, aircr, scr, ccr, shcsr, cfsr, hfsr, dfsr, mmfar, bfar, cpacr, fpccr, fpcar,
        fpdscr;
    bool event_register; /* WFE */
    bool waits_for_event;
    bool told_asleep;                     /* CORE_ASLEEP was returned, CORE_AWAKE not yet */
    bool deep;                            /* the core's own clock stands still */
    uint64_t deep_since, systick_stopped; /* systick_at of before */
    uint32_t systick_csr, systick_rvr;
    uint32_t systick_held; /* counter of a stopped SysTick */
    uint32_t demcr, dwt_ctrl, dbgmcu_cr;
    uint32_t idcode;       /* of the part (DBGMCU_IDCODE) */
    uint8_t priority_mask; /* the bits of a priority that the part implements */
    uint64_t cyccnt_base;
    uint32_t cyccnt_held;

    core_mpu mpu;
    core_guard guards[CORE_GUARDS];
    core_debug debug;

    read_memo memos[CORE_MEMOS];
    loop_watch watch;
    core_ram rams[CORE_RAMS];
    core_train trains[CORE_TRAINS];
};

/* life.c: called by Python */
core *core_create(uc_engine *uc, const core_api *api, const core_callbacks *callbacks);
void core_destroy(core *c);
uint32_t core_structure_bytes(uint32_t number);
int32_t core_set_flash(core *c, uint32_t base, uint32_t size_bytes, const uint8_t *memory);
void core_set_flash_acr(core *c, uint32_t acr);
void core_set_identity(core *c, uint32_t idcode, uint32_t priority_bits);
int32_t core_set_ram(core *c, uint32_t slot, uint32_t base, uint32_t size_bytes, uint8_t *memory,
                     uint32_t executable);
void core_set_clrex(core *c, uint32_t address);
void core_power_on(core *c, uint32_t vector_table);

/* run.c: called by Python */
core_reason core_run(core *c);
uint64_t next_stop(const core *c);
int32_t core_breakpoint_fault(core *c);
int32_t core_can_wake(const core *c);
void core_send_event(core *c);

/* hooks.c: registered by Python */
void core_on_block(uc_engine *uc, uint64_t address, uint32_t size, void *user);
void core_on_interrupt(uc_engine *uc, uint32_t number, void *user);
bool core_on_invalid_instruction(uc_engine *uc, void *user);
bool core_on_invalid_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                            int64_t value, void *user);

/* access.c: the first is called by Python too */
uint64_t core_now(core *c);
uint32_t core_pc(core *c);
uint32_t effective_address(core *c, const core_access *access);
const core_access *access_at(const core *c, uint32_t pc);
void access_begins(core *c, uint32_t address, bool is_load);
uint32_t access_pc(core *c);

/* abandon.c */
void abandon(core *c, abandon_cause cause, uint32_t pc, uint32_t address);
bool abandoned_fault(core *c);

/* align.c: the first is called by Python */
void core_look_at(core *c, uint32_t address);
bool bases_are_aligned(core *c, core_block *block, uint32_t address);
void follow_unalign_trp(core *c);

/* lazy_fp.c */
void fp_read(core *c, uint32_t words[FP_WORDS]);
void fp_write(core *c, const uint32_t words[FP_WORDS]);
bool fp_is_stacked(const core *c, uint32_t control);
uint32_t fp_active(const core *c, bool wanted);
void lazy_reserve(core *c, uint32_t address);
uint32_t lazy_save(core *c);
bool fp_registers_read(const core *c, uint32_t address, uint32_t *value);
bool fp_registers_write(core *c, uint32_t address, uint32_t value);

/* mpu.c */
void mpu_follow(core *c);
void mpu_power_on(core *c);
bool mpu_allows(const core *c, uint32_t address, uint32_t bytes, bool privileged, uint32_t wanted);
mpu_verdict mpu_page(const core *c, uint32_t page, bool privileged, uint32_t wanted,
                     uint32_t *rights);
bool mpu_registers_read(const core *c, uint32_t address, uint32_t *value);
bool mpu_registers_write(core *c, uint32_t address, uint32_t size, uint32_t value);

/* guards.c: a hook, registered by Python, and callbacks of uc_mmio_map, user is a core_region */
bool core_on_guarded_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size,
                            int64_t value, void *user);
uint64_t core_on_guarded_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);
void core_on_guarded_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value,
                           void *user);

/* stops.c */
core_reason what_stopped(core *c, uc_err error);
void rewind_block(core *c);

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

/* debug.c: all but the last five are called by Python */
int32_t core_attach(core *c);
void core_detach(core *c);
void core_break(core *c, uint32_t address, uint32_t wanted);
void core_watch_access(core *c, uint32_t slot, uint32_t address, uint32_t size_bytes,
                       uint32_t kind);
void core_step(core *c, uint64_t count, uint32_t deepest, uint32_t range_start, uint32_t range_end);
void core_settle(core *c);
void core_go_on(core *c);
void core_mute(core *c, uint32_t muted);
void core_catch(core *c, uint32_t exceptions);
uint32_t core_poke(core *c, uint32_t address, uint32_t size, uint32_t value);
void core_halt_at(core *c, uint64_t instructions);
void core_want_stop(core *c, uint32_t wanted);
void core_leave_block(core *c, uint64_t cycles, uint64_t instructions);
void core_get_where(core *c, core_where *where);
uint32_t core_peek(core *c, uint32_t address, uint32_t *value);
uint32_t core_analysed(const core *c, const uint32_t **addresses);
uint32_t core_block_bytes(core *c, uint32_t address);
void core_forget_code(core *c);
void core_on_code(uc_engine *uc, uint64_t address, uint32_t size, void *user);
bool debug_counted_divide(core *c, uint32_t address);
bool debug_wants(core *c, const core_block *block, uint32_t address);
int32_t debug_note_analysed(core *c, uint32_t address);
void debug_destroy(core *c);

/* coverage.c: the first two are called by Python */
int32_t core_cover(core *c, uint32_t wanted);
const uint8_t *core_covered(const core *c, uint32_t base);
void coverage_destroy(core *c);
void coverage_leave(core *c, uint32_t next);
void coverage_enter(core *c, uint32_t address);

/* trace.c: the first two are called by Python */
void core_trace(core *c, uint32_t wanted);
uint32_t core_traced(core *c, const core_record **records, uint64_t *lost);
void trace_add(core *c, core_record record);
void trace_access(core *c, uint32_t kind, uint32_t size_bytes, uint32_t value);
void trace_exception(core *c, uint32_t kind, uint32_t exception);

/* snapshot.c: called by Python */
uint64_t core_snapshot_bytes(const core *c);
void core_snapshot(const core *c, uint8_t *to);
void core_restore(core *c, const uint8_t *from);

/* trains.c: the first is called by Python */
core_train *core_train_at(core *c, uint32_t number);
bool trains_run(core *c);
bool trains_pass(core *c);

/* divide.c: a hook on each divide that a block has */
void core_on_divide(uc_engine *uc, uint64_t address, uint32_t size, void *user);

/* pages.c */
core_ram *ram_at(core *c, uint32_t address);
void note_code(core *c, bool *holds_code);
bool core_on_page(uc_engine *uc, uint64_t address, uc_mem_type type, uc_tlb_entry *entry,
                  void *user);

/* stacks.c: the first is called by Python */
int32_t core_set_stack_bounds(core *c, const uint32_t *bounds, uint32_t count);
void stack_is_at(core *c, uint32_t address);
void stack_look(core *c, uint32_t sp, uint32_t pc);

/* registers.c */
extern const int CORE_GENERAL[16]; /* Unicorn's numbers of r0 to r15 */
uint32_t core_reg(core *c, int reg);
bool is_privileged(core *c);
void core_set_reg(core *c, int reg, uint32_t value);
void state_read(core *c, uint32_t state[CORE_STATE_WORDS]);
void state_write(core *c, const uint32_t state[CORE_STATE_WORDS]);

/* nvic.c: the first is called by Python */
void core_set_line(core *c, uint32_t exception, uint32_t asserted);
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

/* frames.c: the CFSR bits of what went wrong, 0 nothing */
uint32_t push_frame(core *c, uint32_t xpsr, bool extended);
uint32_t pop_frame(core *c, uint32_t exc_return);
void rebuild_flags(core *c);
void jump(core *c, uint32_t pc);

/* scs.c */
bool scs_read(core *c, uint32_t address, uint32_t *value);
bool scs_write(core *c, uint32_t address, uint32_t size, uint32_t value);

/* counters.c */
bool counters_read(core *c, uint32_t address, uint32_t *value);
bool counters_write(core *c, uint32_t address, uint32_t value);
void systick_catch_up(core *c);
void counters_stop(core *c);
void counters_go_on(core *c);

/* mmio.c: callbacks of uc_mmio_map, user is a core_region */
core_region *core_region_create(core *c, uint32_t base, uint32_t kind);
void core_region_destroy(core_region *region);
uint64_t core_on_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);
void core_on_write(uc_engine *uc, uint64_t offset, unsigned size, uint64_t value, void *user);

/* mmio.c: callback of uc_mmio_map, user is the core */
void core_bus_error(core *c, uint32_t address);
void core_stall(core *c, uint64_t cycles);
uint64_t core_on_flash_read(uc_engine *uc, uint64_t offset, unsigned size, void *user);

/* fast_forward.c */
bool watch_backward_branch(core *c, uint32_t address);
void watch_examine(core *c);

#endif
