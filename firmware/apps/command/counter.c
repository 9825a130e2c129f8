#include "apps/command/counter.h"

#include <stdbool.h>

#include "apps/command/command.h"
#include "drivers/flash_program.h"

#define SECTORS       2u
#define FIRST_SECTOR  1u
#define SECTOR_BYTES  0x4000u
#define FIRST_ADDRESS 0x08004000u
#define RECORDS       (SECTOR_BYTES / sizeof(record))
#define AHEAD         256u /* a record lasts so many commands */
#define ERASED        UINT32_MAX

typedef struct {
    uint32_t mark;
    uint32_t complement;
} record;

static uint32_t last;
static uint32_t mark;
static uint32_t active; /* the sector that is written to */
static uint32_t next;   /* its first record that is still erased, RECORDS when full */

static const volatile record *records_of(uint32_t sector) {
    return (const volatile record *)(FIRST_ADDRESS + sector * SECTOR_BYTES);
}

static bool is_erased(const volatile record *entry) {
    return entry->mark == ERASED && entry->complement == ERASED;
}

/* The first record behind the last that is not erased; RECORDS where the sector is full. */
static uint32_t end_of(uint32_t sector) {
    uint32_t end = RECORDS;
    while (end > 0 && is_erased(&records_of(sector)[end - 1u])) {
        end--;
    }
    return end;
}

static uint32_t largest_of(uint32_t sector) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        const volatile record *entry = &records_of(sector)[i];
        uint32_t found = entry->mark;
        if (found == ~entry->complement && found > largest) {
            largest = found;
        }
    }
    return largest;
}

void counter_start(void) {
    const uint32_t marks[SECTORS] = {largest_of(0), largest_of(1)};
    active = marks[1] > marks[0] ? 1u : 0u;
    mark = marks[active];
    last = mark;
    next = end_of(active);
}

uint32_t counter_last(void) {
    return last;
}

/* The other sector can be gone on with only when it was erased whole. */
static bool change_sector(void) {
    if (end_of(1u - active) != 0) {
        return false;
    }
    active = 1u - active;
    next = 0;
    return true;
}

static int write_mark(uint32_t value) {
    if (next == RECORDS && !change_sector()) {
        return COMMAND_BUSY;
    }
    uint32_t address = (uint32_t)&records_of(active)[next];
    next++; /* whatever becomes of it, this record is used up */
    if (flash_program_word(address, value) || flash_program_word(address + sizeof value, ~value)) {
        return COMMAND_BUSY;
    }
    mark = value;
    return 0;
}

static uint32_t ahead_of(uint32_t counter) {
    return counter > ERASED - 1u - AHEAD ? ERASED - 1u : counter + AHEAD;
}

int counter_take(uint32_t counter) {
    /* The erased pattern is no counter: its record could not be told from none. */
    if (counter == ERASED) {
        return COMMAND_RANGE;
    }
    if (counter > mark) {
        int err = write_mark(ahead_of(counter));
        if (err) {
            return err;
        }
    }
    last = counter;
    return 0;
}

void counter_tidy(void) {
    if (mark - last < AHEAD / 2u && ahead_of(last) != mark && last != mark) {
        (void)write_mark(ahead_of(last)); /* tried again when the command comes */
    }
    /* The other sector is erased only once the active one has the mark: it is never the only one
     * that does. */
    if (end_of(1u - active) != 0 && largest_of(active) == mark) {
        (void)flash_erase_sector(FIRST_SECTOR + 1u - active);
    }
}
