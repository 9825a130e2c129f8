#include "drivers/rtc.h"

#include "drivers/nvic.h"
#include "drivers/stm32f407_regs.h"

/* 32 kHz / 32 / 1000: the sub-seconds count milliseconds. */
#define PREDIV_A  31u
#define PREDIV_S  999u
#define SECOND_MS 1000u

/* The LSI starts in 40 us, INITF follows in two periods of it: at 168 MHz far fewer reads. */
#define RTC_POLL_LIMIT 200000u

static int wait_for(volatile const uint32_t *reg, uint32_t mask, int error) {
    for (uint32_t poll = 0; poll < RTC_POLL_LIMIT; poll++) {
        if (*reg & mask) {
            return 0;
        }
    }
    return error;
}

static int start_clock(void) {
    RCC->APB1ENR |= RCC_APB1ENR_PWREN;
    (void)RCC->APB1ENR;
    PWR->CR |= PWR_CR_DBP;
    RCC->CSR |= RCC_CSR_LSION;
    int err = wait_for(&RCC->CSR, RCC_CSR_LSIRDY, RTC_ERROR_LSI);
    if (err) {
        return err;
    }
    RCC->BDCR |= RCC_BDCR_RTCSEL_LSI | RCC_BDCR_RTCEN;
    return 0;
}

static int set_prescalers(void) {
    RTC->ISR |= RTC_ISR_INIT;
    int err = wait_for(&RTC->ISR, RTC_ISR_INITF, RTC_ERROR_INIT);
    if (err) {
        return err;
    }
    /* Two writes, the synchronous one first (RM0090, 26.3.5). */
    RTC->PRER = PREDIV_S;
    RTC->PRER |= PREDIV_A << RTC_PRER_PREDIV_A_SHIFT;
    RTC->ISR &= ~RTC_ISR_INIT;
    return 0;
}

static int start_wake_up(void) {
    RTC->CR &= ~RTC_CR_WUTE;
    int err = wait_for(&RTC->ISR, RTC_ISR_WUTWF, RTC_ERROR_INIT);
    if (err) {
        return err;
    }
    RTC->WUTR = 0; /* every period of the seconds' clock */
    RTC->CR = RTC_CR_BYPSHAD | RTC_CR_WUCKSEL_SPRE | RTC_CR_WUTIE | RTC_CR_WUTE;
    RTC->ISR &= ~RTC_ISR_WUTF;
    return 0;
}

int rtc_start(void) {
    int err = start_clock();
    if (err) {
        return err;
    }
    RTC->WPR = RTC_WPR_KEY1;
    RTC->WPR = RTC_WPR_KEY2;
    err = set_prescalers();
    if (!err) {
        err = start_wake_up();
    }
    RTC->WPR = RTC_WPR_LOCK;
    if (err) {
        return err;
    }
    EXTI->PR = 1u << EXTI_LINE_RTC_WKUP;
    EXTI->RTSR |= 1u << EXTI_LINE_RTC_WKUP;
    EXTI->IMR |= 1u << EXTI_LINE_RTC_WKUP;
    nvic_enable(RTC_WKUP_IRQn, NVIC_PRIORITY_TICK);
    return 0;
}

static uint32_t from_bcd(uint32_t tens_and_ones) {
    return (tens_and_ones >> 4) * 10u + (tens_and_ones & 0xFu);
}

uint32_t rtc_ms(void) {
    /* Without the shadow registers the two must be read alike around a carry (RM0090, 26.3.6). */
    uint32_t subseconds;
    uint32_t seconds;
    do {
        subseconds = RTC->SSR;
        seconds = RTC->TR & 0x7Fu;
    } while (subseconds != RTC->SSR);
    return from_bcd(seconds) * SECOND_MS + (PREDIV_S - subseconds);
}

void rtc_acknowledge(void) {
    RTC->ISR = ~(RTC_ISR_WUTF | RTC_ISR_INIT);
    EXTI->PR = 1u << EXTI_LINE_RTC_WKUP;
}
