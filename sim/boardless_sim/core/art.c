/* Misses: see art.h for what is modelled. */
#include "art.h"

#include <stdlib.h>
#include <string.h>

/* FLASH_ACR (RM0090, 3.9.1). */
#define ACR_LATENCY 0x7u
#define ACR_PRFTEN (1u << 8)
#define ACR_ICEN (1u << 9)
#define ACR_DCEN (1u << 10)
#define ACR_ICRST (1u << 11)
#define ACR_DCRST (1u << 12)

static void forget(art_cache *cache)
{
    for (uint32_t way = 0; way < cache->ways; way++) {
        if (cache->used[way]) {
            cache->way[cache->line[way]] = ART_ABSENT;
            cache->used[way] = 0;
        }
    }
}

static bool cache_create(art_cache *cache, uint32_t ways, uint32_t lines)
{
    cache->ways = ways;
    cache->way = malloc(lines);
    if (cache->way) {
        memset(cache->way, ART_ABSENT, lines);
    }
    return cache->way != NULL;
}

bool art_create(art *a, uint32_t base, uint32_t size_bytes)
{
    uint32_t lines = size_bytes >> ART_LINE_BITS;
    a->base = base;
    a->size_bytes = size_bytes;
    a->line = ART_NO_LINE;
    return cache_create(&a->instructions, ART_INSTRUCTION_LINES, lines) &&
           cache_create(&a->data, ART_DATA_LINES, lines);
}

void art_destroy(art *a)
{
    free(a->instructions.way);
    free(a->data.way);
}

void art_power_on(art *a)
{
    art_set_acr(a, 0);
    forget(&a->instructions);
    forget(&a->data);
    a->line = ART_NO_LINE;
}

static void set_cache(art_cache *cache, bool enabled, bool reset)
{
    cache->enabled = enabled;
    if (reset && !enabled) { /* "can be written only when the cache is disabled" */
        forget(cache);
    }
}

void art_set_acr(art *a, uint32_t acr)
{
    a->wait_states = acr & ACR_LATENCY;
    a->prefetch = (acr & ACR_PRFTEN) != 0;
    set_cache(&a->instructions, (acr & ACR_ICEN) != 0, (acr & ACR_ICRST) != 0);
    set_cache(&a->data, (acr & ACR_DCEN) != 0, (acr & ACR_DCRST) != 0);
}

/* Two passes: the first needs no branch that could be guessed wrong. */
static uint32_t least_recently_used(const art_cache *cache)
{
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
static bool cache_use(art_cache *cache, uint32_t line, uint64_t *clock)
{
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
    cache->used[way] = ++*clock;
    return found;
}

static uint32_t wait_for(const art *a, uint32_t line, uint64_t now)
{
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

uint32_t art_fetch_slow(art *a, const art_code *code, uint64_t now)
{
    uint32_t first = code->offset >> ART_LINE_BITS;
    uint32_t last = (code->offset + code->size_bytes - 1u) >> ART_LINE_BITS;
    uint32_t waited = 0;
    for (uint32_t line = first; line <= last; line++) {
        uint32_t ran = line == first ? 0 : code->last_line_cycles * (line - first) / (last - first);
        uint64_t at = now + waited + ran;
        bool cached = a->instructions.enabled && cache_use(&a->instructions, line, &a->clock);
        uint32_t wait = cached ? 0 : wait_for(a, line, at);
        waited += wait;
        if (line != a->line) {
            a->line = line;
            a->since = at + wait;
        }
    }
    return waited;
}

/* Cycles that the core waits for the lines of a block's PC-relative loads. */
uint32_t art_load(art *a, const uint32_t *lines, uint32_t count)
{
    uint32_t waited = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!a->data.enabled || !cache_use(&a->data, lines[i], &a->clock)) {
            waited += a->wait_states;
        }
    }
    return waited;
}
