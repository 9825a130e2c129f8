#include "apps/command/power.h"

#include "apps/command/link.h"
#include "drivers/clock.h"
#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "drivers/nvic.h"
#include "drivers/rtc.h"
#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"

#define RX_LINE       3u /* PA3; SYSCFG_EXTICR1 selects port A at reset */
#define ARMED_MS      2u /* a byte that had begun before the edge was watched for is through */
#define CYCLES_PER_MS (CYCLES_PER_US * 1000u)

static uint32_t stopped_ms;
static uint32_t slept_cycles;
static uint32_t slept_ms;
static volatile bool line_woke;
static volatile bool armed;
static uint32_t armed_ms;

void EXTI3_IRQHandler(void);
void RTC_WKUP_IRQHandler(void);

void EXTI3_IRQHandler(void) {
    EXTI->IMR &= ~(1u << RX_LINE); /* once: the other edges of the byte say nothing new */
    EXTI->PR = 1u << RX_LINE;
    line_woke = true;
    armed = false;
}

void RTC_WKUP_IRQHandler(void) {
    rtc_acknowledge();
}

void power_start(void) {
    RCC->APB2ENR |= RCC_APB2ENR_SYSCFGEN;
    (void)RCC->APB2ENR;
    EXTI->FTSR |= 1u << RX_LINE;
    nvic_enable(EXTI3_IRQn, NVIC_PRIORITY_CONSOLE);
}

uint32_t uptime_ms(void) {
    return tick_count() * TICK_MS + stopped_ms;
}

int power_sleep(void) {
    uint32_t begin = cycles_now();
    cpu_wait_for_interrupt();
    slept_cycles += cycles_now() - begin;
    slept_ms += slept_cycles / CYCLES_PER_MS;
    slept_cycles %= CYCLES_PER_MS;
    return 0;
}

static void arm(uint32_t now_ms) {
    armed = true;
    armed_ms = now_ms;
    EXTI->PR = 1u << RX_LINE;
    EXTI->IMR |= 1u << RX_LINE;
}

bool power_may_stop(uint32_t now_ms) {
    if (!armed) {
        arm(now_ms);
        return false;
    }
    return now_ms - armed_ms >= ARMED_MS;
}

int power_stop(void) {
    uint32_t begin_ms = rtc_ms();
    link_pause();
    PWR->CR |= PWR_CR_CWUF | PWR_CR_LPDS | PWR_CR_FPDS;
    SCB->SCR |= SCB_SCR_SLEEPDEEP;
    SYSTICK->CSR &= ~SYST_CSR_ENABLE; /* a tick that is due would end the Stop mode at once */
    cpu_wait_for_interrupt();
    SCB->SCR &= ~SCB_SCR_SLEEPDEEP;
    int err = clock_start();
    SYSTICK->CSR |= SYST_CSR_ENABLE;
    link_resume();
    stopped_ms += (rtc_ms() + RTC_MINUTE_MS - begin_ms) % RTC_MINUTE_MS;
    return err;
}

bool power_take_line_wake(void) {
    bool woke = line_woke;
    line_woke = false;
    return woke;
}

void power_take_times(power_times *times) {
    times->sleep_ms = slept_ms;
    times->stop_ms = stopped_ms;
    times->run_ms = uptime_ms() - slept_ms - stopped_ms;
}
