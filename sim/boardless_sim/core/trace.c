/* What happened, in order: accesses to devices and core registers, exceptions. Nothing is changed.
 */
#include <stdlib.h>

#include "core.h"

#define MOST_RECORDS (UINT32_C(1) << 25) /* 800 MB */

/* Begins, or ends and forgets. */
void core_trace(core *c, uint32_t wanted) {
    c->debug.traces = wanted != 0;
    if (!wanted) {
        free(c->debug.records);
        c->debug.records = NULL;
        c->debug.record_count = c->debug.record_capacity = 0;
    }
}

/* The records since the last call, valid until the core runs again. */
uint32_t core_traced(core *c, const core_record **records, uint64_t *lost) {
    uint32_t count = c->debug.record_count;
    *records = c->debug.records;
    *lost = c->debug.records_lost;
    c->debug.record_count = 0;
    return count;
}

void trace_add(core *c, core_record record) {
    core_debug *d = &c->debug;
    if (d->record_count == d->record_capacity) {
        uint32_t wanted = d->record_capacity ? d->record_capacity * 2u : 4096u;
        core_record *moved =
            wanted > MOST_RECORDS ? NULL : realloc(d->records, wanted * sizeof *moved);
        if (!moved) {
            d->records_lost++;
            return;
        }
        d->records = moved;
        d->record_capacity = wanted;
    }
    d->records[d->record_count++] = record;
}

/* The access in progress. To ask when it happens must not change what the next one is taken for. */
void trace_access(core *c, uint32_t kind, uint32_t size_bytes, uint32_t value) {
    uint32_t next = c->match_next;
    uint64_t cycles = core_now(c);
    c->match_next = next;
    trace_add(c, (core_record){.cycles = cycles,
                               .address = c->access_address,
                               .value = value,
                               .pc = c->block_address,
                               .kind = (uint16_t)kind,
                               .size_bytes = (uint16_t)size_bytes});
}

void trace_exception(core *c, uint32_t kind, uint32_t exception) {
    trace_add(c, (core_record){.cycles = c->shared.cycles,
                               .address = exception,
                               .pc = c->shared.pc & ~1u,
                               .kind = (uint16_t)kind});
}
