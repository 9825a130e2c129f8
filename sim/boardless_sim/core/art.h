/* What it costs that the Flash is slower than the core: wait states, and the ART accelerator before
 * it (RM0090, 3.5.1 and 3.5.2).
 *
 * The Flash is read in lines of 128 bits. A line that is at hand costs nothing: the one that the
 * core fetched last, one of the 64 of the instruction cache, or the next one in sequence when the
 * prefetch has it. Any other costs the wait states, and the caches replace what was used least
 * recently. A load takes its line through the data cache of 8.
 *
 * The manual leaves open what follows. A prefetched line that the core takes goes into the
 * instruction cache too. The prefetch starts when the core takes the line before, and takes the
 * wait states and one cycle. Of a block only the time of its last line is known exactly, those
 * between are taken as evenly spaced. All waiting of a block comes before its first instruction.
 *
 * While nothing is replaced, a block whose lines were seen in the cache needs no look at them: it
 * notes when it ran, and its lines learn of it before the next is replaced.
 */
#ifndef BOARDLESS_ART_H
#define BOARDLESS_ART_H

#include <stdbool.h>
#include <stdint.h>

#define ART_LINE_BITS         4u
#define ART_INSTRUCTION_LINES 64u
#define ART_DATA_LINES        8u
#define ART_MOST_LINES        0x20000u /* 2 MiB */
#define ART_MOST_RAN          512u     /* a block starts at each halfword of each cached line */
#define ART_ABSENT            0xffu
#define ART_NO_LINE           0x80000000u /* nor is the one behind it any */

typedef struct {
    bool enabled;
    uint32_t ways;
    uint8_t *way; /* of each line of the Flash: which way holds it, ART_ABSENT: none */
    uint32_t line[ART_INSTRUCTION_LINES];
    uint64_t used[ART_INSTRUCTION_LINES]; /* when last, in order; 0: holds nothing */
} art_cache;

/* The code of a block: its lines, the cycles before the instruction that first needs the last one.
 */
typedef struct {
    uint64_t ran;   /* cycle at which it last ran, when all lines were cached */
    uint32_t epoch; /* in which that was */
    uint32_t first_line, last_line;
    uint16_t last_line_cycles;
} art_code;

typedef struct {
    uint32_t base, size_bytes; /* of the Flash */
    uint32_t wait_states;
    bool prefetch;
    art_cache instructions, data;
    uint32_t epoch; /* grows when a line of the instruction cache is replaced */
    uint32_t ran_count;
    const art_code *ran[ART_MOST_RAN]; /* in this epoch */
    uint64_t loads;                    /* grows with every use of a line of the data cache */
    uint32_t line;                     /* that the core fetched last */
    uint64_t since;                    /* cycle at which it had that line */
} art;

bool art_create(art *a, uint32_t base, uint32_t size_bytes);
void art_destroy(art *a);
void art_power_on(art *a);
void art_set_acr(art *a, uint32_t acr);
bool art_has(art *a, art_code *code);
uint32_t art_fetch_slow(art *a, const art_code *code, uint64_t now);
uint32_t art_load_slow(art *a, uint32_t line);

/* Cycles that the core waits for a block's code. The block starts at `now`. */
static inline uint32_t art_fetch(art *a, art_code *code, uint64_t now) {
    if (code->epoch != a->epoch && !art_has(a, code)) {
        return art_fetch_slow(a, code, now);
    }
    code->ran = now;
    if (code->first_line != a->line || code->last_line != code->first_line) {
        a->line = code->last_line;
        a->since = now + code->last_line_cycles;
    }
    return 0;
}

/* Cycles that the core waits for a load from a line. */
static inline uint32_t art_load(art *a, uint32_t line) {
    uint8_t way = a->data.way[line];
    if (way == ART_ABSENT || !a->data.enabled) {
        return art_load_slow(a, line);
    }
    a->data.used[way] = ++a->loads;
    return 0;
}

#endif
