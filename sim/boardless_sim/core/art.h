/* What it costs that the Flash is slower than the core: wait states, and the ART accelerator before
 * it (RM0090, 3.5.1 and 3.5.2).
 *
 * The Flash is read in lines of 128 bits. A line that is at hand costs nothing: the one that the core
 * fetched last, one of the 64 of the instruction cache, or the next one in sequence when the prefetch
 * has it. Any other costs the wait states, and the caches replace what was used least recently. A load
 * relative to PC takes its line through the data cache of 8.
 *
 * The manual leaves open what follows. A prefetched line that the core takes goes into the
 * instruction cache too. The prefetch starts when the core takes the line before, and takes the wait
 * states and one cycle. Of a block only the time of its last line is known exactly, those between are
 * taken as evenly spaced. All waiting of a block comes before its first instruction.
 */
#ifndef BOARDLESS_ART_H
#define BOARDLESS_ART_H

#include <stdbool.h>
#include <stdint.h>

#define ART_LINE_BITS 4u
#define ART_INSTRUCTION_LINES 64u
#define ART_DATA_LINES 8u
#define ART_ABSENT 0xffu
#define ART_NO_LINE 0x80000000u /* nor is the one behind it any */

typedef struct {
    bool enabled;
    uint32_t ways;
    uint8_t *way; /* of each line of the Flash: which way holds it, ART_ABSENT: none */
    uint32_t line[ART_INSTRUCTION_LINES];
    uint64_t used[ART_INSTRUCTION_LINES]; /* 0: holds nothing */
} art_cache;

typedef struct {
    uint32_t base, size_bytes; /* of the Flash */
    uint32_t wait_states;
    bool prefetch;
    art_cache instructions, data;
    uint64_t clock; /* grows with every use of a line */
    uint32_t line;  /* that the core fetched last */
    uint64_t since; /* cycle at which it had that line */
} art;

/* The code of a block: where it starts in the Flash, and when its last line is first needed. */
typedef struct {
    uint32_t offset, size_bytes;
    uint32_t last_line_cycles;
} art_code;

bool art_create(art *a, uint32_t base, uint32_t size_bytes);
void art_destroy(art *a);
void art_power_on(art *a);
void art_set_acr(art *a, uint32_t acr);
uint32_t art_fetch_slow(art *a, const art_code *code, uint64_t now);
uint32_t art_load(art *a, const uint32_t *lines, uint32_t count);

/* Cycles that the core waits for a block's code. The block starts at `now`. */
static inline uint32_t art_fetch(art *a, const art_code *code, uint64_t now)
{
    uint32_t first = code->offset >> ART_LINE_BITS;
    uint32_t last = (code->offset + code->size_bytes - 1u) >> ART_LINE_BITS;
    if (!a->instructions.enabled) {
        return art_fetch_slow(a, code, now);
    }
    for (uint32_t line = first; line <= last; line++) {
        uint8_t way = a->instructions.way[line];
        if (way == ART_ABSENT) {
            return art_fetch_slow(a, code, now);
        }
        a->instructions.used[way] = ++a->clock;
    }
    if (first != a->line || last != first) {
        a->line = last;
        a->since = now + code->last_line_cycles;
    }
    return 0;
}

#endif
