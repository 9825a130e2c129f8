/* IWDG: configured, started, and refreshed past its period without a reset. */
#include "tests/periph/periph.h"

#include <stdbool.h>
#include <stdint.h>

#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"
#include "tests/support/report.h"

/* LSI is 32 kHz, give or take a half: 500 ticks of it at 64 make about one second. */
#define RELOAD            500u
#define REFRESH_EVERY_MS  200u
#define REFRESHES         10u
#define UPDATE_POLL_LIMIT 1000000u

void watchdog_refresh(void) {
    IWDG->KR = IWDG_KR_REFRESH;
}

/* PR and RLR take up to five LSI cycles to arrive; SR says when (21.4.4). */
static bool wait_for_update(void) {
    for (uint32_t poll = 0; poll < UPDATE_POLL_LIMIT; poll++) {
        if (!(IWDG->SR & (IWDG_SR_PVU | IWDG_SR_RVU))) {
            return true;
        }
    }
    return false;
}

void test_watchdog(void) {
    uint32_t reset_flags = RCC->CSR;
    report_check("watchdog_no_reset_before", (reset_flags & RCC_CSR_IWDGRSTF) == 0, reset_flags);

    IWDG->KR = IWDG_KR_START; /* also starts LSI */
    IWDG->KR = IWDG_KR_UNLOCK;
    IWDG->PR = IWDG_PR_DIV64;
    IWDG->RLR = RELOAD;
    bool updated = wait_for_update();
    report_check("watchdog_takes_settings",
                 updated && IWDG->PR == IWDG_PR_DIV64 && IWDG->RLR == RELOAD, IWDG->RLR);

    /* Twice the period in all. That this line is reached is the result. */
    for (uint32_t i = 0; i < REFRESHES; i++) {
        watchdog_refresh();
        tick_delay(REFRESH_EVERY_MS);
    }
    watchdog_refresh();
    report_check("watchdog_refreshed", true, REFRESHES);
}
