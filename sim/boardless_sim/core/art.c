/* Misses: see art.h for what is modelled. */
#include "art.h"

#include <stdlib.h>
#include <string.h>

/* FLASH_ACR (RM0090, 3.9.1). */
#define ACR_LATENCY 0x7u
#define ACR_PRFTEN  (1u << 8)
#define ACR_ICEN    (1u << 9)
#define ACR_DCEN    (1u << 10)
#define ACR_ICRST   (1u << 11)
#define ACR_DCRST   (1u << 12)

/* Order of use: by cycle, within a block by line. */
static uint64_t stamp(uint64_t cycle, uint32_t position) {
    return (cycle + 1u) << 16 | position;
}

/* The lines learn when blocks ran that did not look at them. */
static void end_epoch(art *a) {
    for (uint32_t i = 0; i < a->ran_count; i++) {
        const art_code *code = a->ran[i];
        for (uint32_t line = code->first_line; line <= code->last_line; line++) {
            uint8_t way = a->instructions.way[line];
            uint64_t used = stamp(code->ran, line - code->first_line);
            if (way != ART_ABSENT && used > a->instructions.used[way]) {
                a->instructions.used[way] = used;
            }
        }
    }
    a->ran_count = 0;
    a->epoch++;
}

/* True: the instruction cache has all lines of the block, and will until the epoch ends. */
bool art_has(art *a, art_code *code) {
    if (!a->instructions.enabled) {
        return false;
    }
    for (uint32_t line = code->first_line; line <= code->last_line; line++) {
        if (a->instructions.way[line] == ART_ABSENT) {
            return false;
        }
    }
    if (a->ran_count == ART_MOST_RAN) {
        end_epoch(a);
    }
    code->epoch = a->epoch;
    a->ran[a->ran_count++] = code;
    return true;
}

static void forget(art_cache *cache) {
    for (uint32_t way = 0; way < cache->ways; way++) {
        if (cache->used[way]) {
            cache->way[cache->line[way]] = ART_ABSENT;
            cache->used[way] = 0;
        }
    }
}

static bool cache_create(art_cache *cache, uint32_t ways, uint32_t lines) {
    cache->ways = ways;
    cache->way = malloc(lines);
    if (cache->way) {
        memset(cache->way, ART_ABSENT, lines);
    }
    return cache->way != NULL;
}

bool art_create(art *a, uint32_t base, uint32_t size_bytes) {
    uint32_t lines = size_bytes >> ART_LINE_BITS;
    if (lines > ART_MOST_LINES) {
        return false;
    }
    a->base = base;
    a->size_bytes = size_bytes;
    a->line = ART_NO_LINE;
    a->epoch = 1;
    return cache_create(&a->instructions, ART_INSTRUCTION_LINES, lines) &&
           cache_create(&a->data, ART_DATA_LINES, lines);
}

void art_destroy(art *a) {
    free(a->instructions.way);
    free(a->data.way);
}

void art_power_on(art *a) {
    art_set_acr(a, 0);
    forget(&a->instructions);
    forget(&a->data);
    a->line = ART_NO_LINE;
}

static void set_cache(art_cache *cache, bool enabled, bool reset) {
    cache->enabled = enabled;
    if (reset && !enabled) { /* "can be written only when the cache is disabled" */
        forget(cache);
    }
}

void art_set_acr(art *a, uint32_t acr) {
    end_epoch(a);
    a->wait_states = acr & ACR_LATENCY;
    a->prefetch = (acr & ACR_PRFTEN) != 0;
    set_cache(&a->instructions, (acr & ACR_ICEN) != 0, (acr & ACR_ICRST) != 0);
    set_cache(&a->data, (acr & ACR_DCEN) != 0, (acr & ACR_DCRST) != 0);
}

/* Two passes: the first needs no branch that could be guessed wrong. */
static uint32_t least_recently_used(const art_cache *cache) {
    uint64_t least = cache->used[0];
    for (uint32_t way = 1; way < cache->ways; way++) {
        uint64_t used = cache->used[way];
        least = used < least ? used : least;
    }
    uint32_t way = 0;
    while (cache->used[way] != least) {
        way++;
    }
    return way;
}

/* True: the cache had the line. It has it now. */
static bool cache_use(art_cache *cache, uint32_t line, uint64_t used) {
    uint8_t way = cache->way[line];
    bool found = way != ART_ABSENT;
    if (!found) {
        way = (uint8_t)least_recently_used(cache);
        if (cache->used[way]) {
            cache->way[cache->line[way]] = ART_ABSENT;
        }
        cache->way[line] = way;
        cache->line[way] = line;
    }
    cache->used[way] = used;
    return found;
}

static uint32_t wait_for(const art *a, uint32_t line, uint64_t now) {
    if (line == a->line) {
        return 0;
    }
    if (!a->prefetch || line != a->line + 1u) {
        return a->wait_states;
    }
    uint64_t ready = a->since + a->wait_states + 1u;
    uint64_t wait = ready > now ? ready - now : 0;
    return wait < a->wait_states ? (uint32_t)wait : a->wait_states;
}

uint32_t art_fetch_slow(art *a, const art_code *code, uint64_t now) {
    uint32_t first = code->first_line, last = code->last_line;
    uint32_t waited = 0;
    end_epoch(a);
    for (uint32_t line = first; line <= last; line++) {
        uint32_t ran = line == first ? 0 : code->last_line_cycles * (line - first) / (last - first);
        uint64_t at = now + waited + ran;
        bool cached =
            a->instructions.enabled && cache_use(&a->instructions, line, stamp(now, line - first));
        uint32_t wait = cached ? 0 : wait_for(a, line, at);
        waited += wait;
        if (line != a->line) {
            a->line = line;
            a->since = at + wait;
        }
    }
    return waited;
}

uint32_t art_load_slow(art *a, uint32_t line) {
    if (a->data.enabled) {
        cache_use(&a->data, line, ++a->loads);
    }
    return a->wait_states;
}
