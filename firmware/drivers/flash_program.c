#include "drivers/flash_program.h"

#include "drivers/cpu.h"
#include "drivers/stm32f407_regs.h"

/* A sector of 128 KB takes two seconds at most (DS8626): at 168 MHz far fewer reads than this. */
#define FLASH_POLL_LIMIT 200000000u

static int wait_until_ready(void) {
    for (uint32_t poll = 0; poll < FLASH_POLL_LIMIT; poll++) {
        if (!(FLASH->SR & FLASH_SR_BSY)) {
            return 0;
        }
    }
    return FLASH_ERROR_BUSY;
}

static int unlock(void) {
    int err = wait_until_ready();
    if (err) {
        return err;
    }
    if (FLASH->CR & FLASH_CR_LOCK) {
        FLASH->KEYR = FLASH_KEYR_KEY1;
        FLASH->KEYR = FLASH_KEYR_KEY2;
    }
    FLASH->SR = FLASH_SR_EOP | FLASH_SR_OPERR | FLASH_SR_ERRORS; /* written 1 clears */
    return 0;
}

/* What was cached of the place is no longer true (RM0090, 3.5.4: reset the caches when off). */
static void forget_cached(void) {
    uint32_t on = FLASH->ACR & (FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    FLASH->ACR &= ~(FLASH_ACR_ICEN | FLASH_ACR_DCEN);
    FLASH->ACR |= FLASH_ACR_ICRST | FLASH_ACR_DCRST;
    FLASH->ACR &= ~(FLASH_ACR_ICRST | FLASH_ACR_DCRST);
    FLASH->ACR |= on;
}

static int finish(void) {
    int err = wait_until_ready();
    uint32_t failed = FLASH->SR & (FLASH_SR_OPERR | FLASH_SR_ERRORS);
    FLASH->CR = FLASH_CR_LOCK;
    forget_cached();
    if (err) {
        return err;
    }
    return failed ? FLASH_ERROR_FAILED : 0;
}

int flash_program_word(uint32_t address, uint32_t value) {
    volatile uint32_t *place = (volatile uint32_t *)address;
    int err = unlock();
    if (err) {
        return err;
    }
    FLASH->CR = FLASH_CR_PSIZE_WORD | FLASH_CR_PG;
    *place = value;
    cpu_synchronise();
    err = finish();
    if (err) {
        return err;
    }
    return *place == value ? 0 : FLASH_ERROR_FAILED;
}

int flash_erase_sector(uint32_t sector) {
    int err = unlock();
    if (err) {
        return err;
    }
    FLASH->CR = FLASH_CR_PSIZE_WORD | FLASH_CR_SER | (sector << FLASH_CR_SNB_SHIFT);
    FLASH->CR |= FLASH_CR_STRT;
    cpu_synchronise();
    return finish();
}
