#include "apps/command/board.h"

#include "apps/command/counter.h"
#include "apps/command/display.h"
#include "apps/command/key.h"
#include "apps/command/power.h"
#include "apps/command/watchdog.h"
#include "apps/common/console.h"
#include "apps/common/version.h"
#include "drivers/clock.h"
#include "drivers/cycles.h"
#include "drivers/i2c.h"
#include "drivers/nvic.h"
#include "drivers/pwm.h"
#include "drivers/rtc.h"
#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"

#define TIMER_HZ (2u * CLOCK_APB1_HZ) /* RM0090, 7.2: twice the bus where that is divided */

void PVD_IRQHandler(void);

void PVD_IRQHandler(void) {
    EXTI->PR = 1u << EXTI_LINE_PVD;
    device_supply((PWR->CSR & PWR_CSR_PVDO) != 0);
}

/* RCC_CSR says why; a power-on has the brown-out's flag too (RM0090, 7.3.21). */
static device_why take_reset_cause(void) {
    uint32_t flags = RCC->CSR;
    RCC->CSR |= RCC_CSR_RMVF;
    if (flags & RCC_CSR_PORRSTF) {
        return DEVICE_WHY_POWER;
    }
    if (flags & RCC_CSR_BORRSTF) {
        return DEVICE_WHY_BROWN_OUT;
    }
    return (flags & RCC_CSR_IWDGRSTF) ? DEVICE_WHY_WATCHDOG : DEVICE_WHY_POWER;
}

static void watch_supply(void) {
    PWR->CR |= PWR_CR_PLS_2V7 | PWR_CR_PVDE;
    EXTI->RTSR |= 1u << EXTI_LINE_PVD;
    EXTI->FTSR |= 1u << EXTI_LINE_PVD;
    EXTI->IMR |= 1u << EXTI_LINE_PVD;
    nvic_enable(PVD_IRQn, NVIC_PRIORITY_CAPTURE);
    device_supply((PWR->CSR & PWR_CSR_PVDO) != 0);
}

static int start_core(void) {
    int err = clock_start();
    tick_start(err ? CLOCK_HSI_HZ : CLOCK_HCLK_HZ);
    cycles_start();
    console_start(err ? CLOCK_HSI_HZ : CLOCK_APB1_HZ);
    if (err) {
        console_error("clock", "start", err);
    }
    return err;
}

static int start_clocks_of_stop(void) {
    int err = rtc_start();
    if (err) {
        console_error("rtc", "start", err);
        return err;
    }
    watch_supply();
    power_start();
    return 0;
}

static void start_display(void) {
    i2c_init(CLOCK_APB1_HZ);
    int err = display_start();
    if (err) {
        console_error("display", "start", err); /* the rest works without */
    }
}

int board_start(device_why *why) {
    *why = take_reset_cause();
    pwm_init(TIMER_HZ); /* before all that may fail: the motor is off */
    int err = start_core();
    if (err) {
        return err;
    }
    counter_start();
    print_line *line = console_begin();
    print_text(line, "m- boardless device " FIRMWARE_VERSION);
    print_field(line, "last", counter_last());
    print_field(line, "key", key_is_there());
    console_end(line);
    start_display();
    err = start_clocks_of_stop();
    if (err) {
        return err;
    }
    err = link_start();
    if (err) {
        console_error("link", "start", err);
        return err;
    }
    watchdog_start();
    return 0;
}
