/* What the core and Python share: library.py mirrors each structure and checks its size. */
#ifndef BOARDLESS_SHARED_H
#define BOARDLESS_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <unicorn/unicorn.h>

#include "art.h"

#define CORE_NEVER  (UINT64_C(1) << 62)
#define CORE_RECENT 8u /* exceptions of which it is kept when they were entered */

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
    CORE_BREAK = 9,    /* a debugger's stop */
    CORE_STACK = 10,   /* a stack pointer left where it began: shared.stack_left */
    CORE_DEEP = 11,    /* asleep with SLEEPDEEP: the chip may stop its clocks */
    CORE_AWAKE = 12,   /* awake from that, before anything runs */
    CORE_ASLEEP = 13,  /* asleep otherwise, and shared.tells_sleep; CORE_AWAKE follows too */
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
    BLOCK_LOOKS_AT_BASES = 1u << 7, /* aligned_bases says at which */
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
    uint8_t taken_cycles;   /* pipeline refill when the branch at its end is taken */
    uint8_t target_cycles;  /* extra fetch when it is the target of a taken branch */
    uint16_t aligned_bases; /* registers whose bits 1:0 must be 0 when it begins, as a mask */
    bool loop_keeps_bases;  /* they still are when it follows on itself */
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
    uint8_t width_bytes; /* of each transfer */
    bool must_align;     /* whatever CCR.UNALIGN_TRP says */
} core_access;

typedef struct {
    uc_err (*reg_read)(uc_engine *, int, void *);
    uc_err (*reg_write)(uc_engine *, int, const void *);
    uc_err (*mem_read)(uc_engine *, uint64_t, void *, uint64_t);
    uc_err (*mem_write)(uc_engine *, uint64_t, const void *, uint64_t);
    uc_err (*emu_start)(uc_engine *, uint64_t, uint64_t, uint64_t, size_t);
    uc_err (*emu_stop)(uc_engine *);
    uc_err (*ctl)(uc_engine *, uc_control_type, ...);
    uc_err (*hook_add)(uc_engine *, uc_hook *, int, void *, void *, uint64_t, uint64_t, ...);
    uc_err (*hook_del)(uc_engine *, uc_hook);
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

/* The part that Python sees, field by field (library.py mirrors it and checks the size). */
typedef struct {
    uint64_t cycles;         /* virtual time */
    uint64_t instructions;   /* executed, WFI time not included */
    uint64_t next_event;     /* cycle at which Python wants control */
    uint64_t deadline;       /* cycle at which the running slice stops */
    uint64_t effects;        /* grows with anything that could end a polling loop */
    uint64_t sleep_cycles;   /* spent in WFI or WFE */
    uint64_t skipped_cycles; /* polling loops not executed */
    uint64_t exceptions_taken;
    uint64_t systick_at;     /* next wrap of a running SysTick, else CORE_NEVER */
    uint64_t handler_cycles; /* spent in exceptions that have returned to thread mode */
    uint64_t handler_since;  /* when the exceptions that are active now began */
    uint64_t sequence;       /* of the last event that was scheduled, by whomever */
    uint64_t train_due;      /* when the first event of all trains is due, else CORE_NEVER */
    uint64_t
        entered_at[CORE_RECENT]; /* the last exceptions, by exceptions_taken modulo their number */
    uint32_t pc;
    uint32_t fast_forward;    /* bool */
    uint32_t callback_failed; /* bool, set by Python */
    uint32_t reset_requested; /* bool */
    uint32_t sleeping;        /* bool */
    uint32_t fault_number;    /* first fault: exception number taken, 0 none */
    uint32_t fault_pc;
    uint32_t fault_cfsr;
    uint32_t fault_hfsr;
    uint32_t fault_address;
    uint32_t fault_has_address;
    uint32_t fault_sp; /* of the faulting code, before anything was stacked */
    uint32_t fault_lr;
    uint32_t fault_registers[13]; /* r0 to r12 */
    uint32_t lowest_msp;
    uint32_t lowest_msp_pc;
    uint32_t lowest_psp;       /* 0xffffffff: the process stack was never used */
    uint32_t active_exception; /* IPSR */
    uint32_t interrupt_number; /* Unicorn's, when CORE_UNKNOWN */
    uint32_t probed_msp;       /* as lowest_msp and lowest_psp, but from when Python set them */
    uint32_t probed_psp;
    uint32_t stack_left; /* 0, or which stack: 1 main, 2 process */
    uint32_t stack_left_sp;
    uint32_t stack_left_pc;
    uint32_t stack_floor; /* below which it went */
    uint32_t trains_ran;  /* bool: Python's devices are behind */
    uint32_t tells_sleep; /* bool, set by Python: clocks stop in any sleep */
    uint32_t entered[CORE_RECENT];
} core_shared;

#define CORE_TRAINS      8u
#define TRAIN_SENT_BYTES 256u

/* Events of one device that follow on one another and that the core carries out itself: lines of a
 * camera into memory, or bytes from memory to a transmitter. */
typedef struct {
    uint64_t due;                             /* of the next one, in cycles; CORE_NEVER: no train */
    uint64_t sequence;                        /* its place among the events of its cycle */
    uint64_t due_ps;                          /* the same time by the device's own clock */
    uint64_t step_cycles;                     /* bytes: from one to the next */
    const uint64_t *steps_ns;                 /* lines: from each one's end to the next one's */
    uint64_t clock_cycle, clock_ps, clock_hz; /* what relates cycles and time */
    const uint8_t *source;
    uint8_t *target;
    uint32_t is_lines; /* bool */
    uint32_t ran;      /* events carried out since Python looked */
    uint32_t left;     /* events to carry out; the one behind them is Python's */
    uint32_t unmoved;  /* lines that come before the first that is copied */
    uint32_t line_bytes;
    uint32_t shifting, waiting; /* bytes: on its way out, and next */
    uint32_t last;              /* bytes: one that is Python's */
    uint8_t sent[TRAIN_SENT_BYTES];
} core_train;

#endif
