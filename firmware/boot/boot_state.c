#include "boot/boot_state.h"

#include "drivers/flash_program.h"

#define SECTOR_3     0x0800C000u
#define SECTOR_BYTES 0x4000u
#define RECORDS      (SECTOR_BYTES / sizeof(record))
#define ERASED       UINT32_MAX

typedef struct {
    uint32_t value;
    uint32_t complement;
} record;

static const volatile record *records(void) {
    return (const volatile record *)SECTOR_3;
}

uint32_t boot_state_counter(void) {
    uint32_t largest = 0;
    for (uint32_t i = 0; i < RECORDS; i++) {
        uint32_t value = records()[i].value;
        if (value == ~records()[i].complement && value > largest) {
            largest = value;
        }
    }
    return largest;
}

/* Behind the last record that is not erased: what a power cut spoiled is never written again. */
static uint32_t end_of_records(void) {
    uint32_t end = RECORDS;
    while (end > 0 && records()[end - 1u].value == ERASED &&
           records()[end - 1u].complement == ERASED) {
        end--;
    }
    return end;
}

int boot_state_raise(uint32_t counter) {
    if (counter <= boot_state_counter()) {
        return 0;
    }
    uint32_t next = end_of_records();
    if (next == RECORDS) {
        return FLASH_ERROR_FAILED;
    }
    uint32_t address = (uint32_t)&records()[next];
    int err = flash_program_word(address, counter);
    if (err) {
        return err;
    }
    return flash_program_word(address + sizeof counter, ~counter);
}
