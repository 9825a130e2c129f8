/* What a debugger, a snapshot, coverage and a trace keep in the core. All of it is off until asked
 * for: core_on_block() then looks at `attached` alone.
 *
 * A stop costs no virtual time. A block is counted as a whole when it begins; a stop inside it
 * leaves the count as it is, and the rest of the block goes on uncounted, with no event, interrupt
 * or deadline of its own: the run under stops is the run without.
 */
#ifndef BOARDLESS_DEBUG_H
#define BOARDLESS_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#define CORE_CODES   4u /* memories that code runs from: Flash and its alias, system memory, SRAM */
#define CORE_WATCHES 32u

/* What a watchpoint looks for, as bits. */
enum {
    WATCH_WRITE = 1u << 0,
    WATCH_READ = 1u << 1,
};

typedef struct {
    uint32_t address, size_bytes;
    uint32_t kind; /* 0: none */
} core_watchpoint;

/* What a debugger reads after a stop (library.py mirrors it and checks the size). */
typedef struct {
    uint64_t block_cycles;       /* when the block that runs began */
    uint64_t block_instructions; /* executed before that block */
    uint32_t block_address;
    uint32_t inside_block;  /* bool: stopped before an instruction of a block that is counted */
    uint32_t watch_address; /* of the watchpoint that was hit */
    uint32_t watch_kind;    /* WATCH_READ or WATCH_WRITE; 0: none was hit */
    uint32_t active_count;  /* exceptions */
    uint32_t exceptions_taken;
    uint32_t caught;      /* exception whose entry was waited for; 0: none */
    uint32_t block_count; /* instructions of the block that runs; 0 outside one */
} core_where;

/* What a trace is made of. */
enum {
    TRACE_READ = 0,
    TRACE_WRITE = 1,
    TRACE_ENTER = 2, /* an exception; its number is the address */
    TRACE_LEAVE = 3,
};

/* One happening (library.py mirrors it and checks the size). */
typedef struct {
    uint64_t cycles;
    uint32_t address, value;
    uint32_t pc; /* where the block begins that did it */
    uint16_t kind, size_bytes;
} core_record;

typedef struct {
    bool attached;
    uint32_t resumes_at; /* the rest of a counted block goes on here; odd: it does not */
    uint32_t passes;     /* this instruction had its stop; odd: none */
    uint64_t halt_at;    /* stop before the block with this instruction since power-on */
    uint64_t steps;      /* instructions left to step, 0: no stepping */
    uint32_t deepest;    /* with more active exceptions than these no step is counted */
    uint32_t range_start, range_end;   /* a step goes on in here */
    uint32_t it_start, it_end;         /* of the IT block that was met last */
    uint32_t divided_at, skips_divide; /* so that a stop at a divide does not time it twice */
    uint32_t watch_count;
    core_watchpoint watches[CORE_WATCHES];
    uint32_t hit_address, hit_kind;
    uint8_t *breaks[CORE_CODES]; /* of each code memory, by halfword */
    volatile uint32_t stop_wanted;
    bool muted;       /* breakpoints and watchpoints do not stop */
    uint32_t catches; /* exceptions to stop at the entry of, as bits; the first 32 only */
    uint32_t caught;
    bool traces;
    core_record *records;
    uint32_t record_count, record_capacity;
    uint64_t records_lost;
    bool covers;
    uint8_t *covered[CORE_CODES]; /* of each code memory, by halfword */
    uint8_t *covered_last;        /* of the block that runs */
    uint32_t *analysed;           /* addresses of the blocks that have an entry */
    uint32_t analysed_count, analysed_capacity;
} core_debug;

#endif
