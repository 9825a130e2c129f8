#include "drivers/clock.h"

#include "drivers/stm32f407_regs.h"

/* PLL: VCO input 1 MHz (the manual allows 1 to 2), VCO 336 MHz, /2 = 168 MHz, /7 = 48 MHz. */
#define PLL_M 8u
#define PLL_N 336u
#define PLL_Q 7u

/* A crystal starts within 2 ms; at HSI this many reads of a register take over 30 ms. */
#define CLOCK_POLL_LIMIT 100000u

static int wait_for(volatile const uint32_t *reg, uint32_t mask, uint32_t expected, int error) {
    for (uint32_t poll = 0; poll < CLOCK_POLL_LIMIT; poll++) {
        if ((*reg & mask) == expected) {
            return 0;
        }
    }
    return error;
}

static int start_hse(void) {
    RCC->CR |= RCC_CR_HSEON;
    return wait_for(&RCC->CR, RCC_CR_HSERDY, RCC_CR_HSERDY, CLOCK_ERROR_HSE);
}

static int start_pll(void) {
    /* Voltage scale 1 is what 168 MHz asks for (RM0090, 5.1.3). */
    RCC->APB1ENR |= RCC_APB1ENR_PWREN;
    PWR->CR |= PWR_CR_VOS;

    RCC->PLLCFGR = (PLL_M << RCC_PLLCFGR_PLLM_SHIFT) | (PLL_N << RCC_PLLCFGR_PLLN_SHIFT) |
                   RCC_PLLCFGR_PLLP_DIV2 | RCC_PLLCFGR_PLLSRC_HSE |
                   (PLL_Q << RCC_PLLCFGR_PLLQ_SHIFT);
    RCC->CR |= RCC_CR_PLLON;
    return wait_for(&RCC->CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY, CLOCK_ERROR_PLL);
}

static int switch_to_pll(void) {
    /* Wait states first: at 168 MHz the Flash answers only after five (RM0090, table 10). */
    FLASH->ACR = FLASH_ACR_LATENCY_5WS | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN;
    int err =
        wait_for(&FLASH->ACR, FLASH_ACR_LATENCY_5WS, FLASH_ACR_LATENCY_5WS, CLOCK_ERROR_SWITCH);
    if (err) {
        return err;
    }
    RCC->CFGR = RCC_CFGR_HPRE_DIV1 | RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2 | RCC_CFGR_MCO1_HSI |
                RCC_CFGR_MCO1PRE_DIV1;
    RCC->CFGR |= RCC_CFGR_SW_PLL;
    return wait_for(&RCC->CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL, CLOCK_ERROR_SWITCH);
}

int clock_start(void) {
    int err = start_hse();
    if (err) {
        return err;
    }
    err = start_pll();
    if (err) {
        return err;
    }
    err = switch_to_pll();
    if (err) {
        /* The prescalers may already divide: put back the reset state that callers count on. */
        RCC->CFGR = 0;
    }
    return err;
}
