/*
 * Programming and erasing the Flash from code that runs in it (RM0090, 3.6): the core stands still
 * while the only bank is busy, 16 us a word and up to half a second a sector of 16 KB.
 */
#ifndef DRIVERS_FLASH_PROGRAM_H
#define DRIVERS_FLASH_PROGRAM_H

#include <stdint.h>

enum flash_error {
    FLASH_ERROR_BUSY = -1,   /* an operation did not end */
    FLASH_ERROR_FAILED = -2, /* the device said so, or the word does not read back */
};

/* Programs one aligned word: bits go from one to zero only. 0 or a flash_error. */
int flash_program_word(uint32_t address, uint32_t value);

/* Erases sector 0 to 11 of the STM32F407. 0 or a flash_error. */
int flash_erase_sector(uint32_t sector);

#endif
