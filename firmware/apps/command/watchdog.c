#include "apps/command/watchdog.h"

#include "drivers/stm32f407_regs.h"

#define RELOAD 2047u /* of 32 kHz / 64: 4.1 s, 2.8 s where the LSI is fastest */

void watchdog_start(void) {
    IWDG->KR = IWDG_KR_START;
    IWDG->KR = IWDG_KR_UNLOCK;
    IWDG->PR = IWDG_PR_DIV64;
    IWDG->RLR = RELOAD;
    IWDG->KR = IWDG_KR_REFRESH;
}

void watchdog_refresh(void) {
    IWDG->KR = IWDG_KR_REFRESH;
}
