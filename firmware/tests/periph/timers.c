/* TIM2 to TIM5: the period of the update interrupt against the cycle counter. */
#include "tests/periph/periph.h"

#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "drivers/nvic.h"
#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"
#include "tests/support/report.h"

#define TIMER_PRIORITY 0x40u
#define UPDATES_TIMED  4u
#define LIMIT_MS       200u

/* PSC and ARR count from zero. 168 cycles make a microsecond and the timers run at half of HCLK. */
#define PRESCALER     84u
#define PERIOD        500u
#define PERIOD_CYCLES (PRESCALER * PERIOD * 2u)
#define SLACK_CYCLES  (PERIOD_CYCLES / 100u)

static volatile uint32_t updates;
static volatile uint32_t first_cycles;
static volatile uint32_t last_cycles;

static void on_update(tim_regs *timer) {
    last_cycles = cycles_now();
    if (updates == 0) {
        first_cycles = last_cycles;
    }
    updates++;
    timer->SR = ~TIM_SR_UIF;
}

void TIM2_IRQHandler(void) {
    on_update(TIM2);
}

void TIM3_IRQHandler(void) {
    on_update(TIM3);
}

void TIM4_IRQHandler(void) {
    on_update(TIM4);
}

void TIM5_IRQHandler(void) {
    on_update(TIM5);
}

static void start(tim_regs *timer) {
    timer->PSC = PRESCALER - 1u;
    timer->ARR = PERIOD - 1u;
    timer->EGR = TIM_EGR_UG; /* loads PSC now instead of at the first update */
    timer->SR = ~TIM_SR_UIF; /* which counts as an update */
    timer->DIER = TIM_DIER_UIE;
    timer->CR1 = TIM_CR1_CEN;
}

static void check_period(const char *name, tim_regs *timer, stm32f407_irq irq) {
    updates = 0;
    start(timer);
    nvic_enable(irq, TIMER_PRIORITY);
    uint32_t begin = tick_count();
    while (updates <= UPDATES_TIMED && tick_count() - begin < LIMIT_MS / TICK_MS) {
        cpu_wait_for_interrupt();
    }
    timer->CR1 = 0;
    nvic_disable(irq);
    uint32_t period = updates > 1 ? (last_cycles - first_cycles) / (updates - 1u) : 0;
    report_check(name,
                 period > PERIOD_CYCLES - SLACK_CYCLES && period < PERIOD_CYCLES + SLACK_CYCLES,
                 period);
}

/* The counter itself, at full speed, without interrupts. */
static void check_counts(void) {
    TIM2->PSC = 0;
    TIM2->ARR = UINT32_MAX; /* TIM2 and TIM5 have 32 bits */
    TIM2->EGR = TIM_EGR_UG;
    TIM2->SR = ~TIM_SR_UIF;
    TIM2->DIER = 0;
    TIM2->CR1 = TIM_CR1_CEN;
    uint32_t start_cycles = cycles_now();
    uint32_t start_count = TIM2->CNT;
    tick_delay(TICK_MS);
    uint32_t counted = TIM2->CNT - start_count;
    uint32_t half_cycles = (cycles_now() - start_cycles) / 2u;
    TIM2->CR1 = 0;
    uint32_t error = counted > half_cycles ? counted - half_cycles : half_cycles - counted;
    report_check("tim2_counts_half_hclk", error < SLACK_CYCLES && counted > 0, counted);
}

void test_timers(void) {
    RCC->APB1ENR |=
        RCC_APB1ENR_TIM2EN | RCC_APB1ENR_TIM3EN | RCC_APB1ENR_TIM4EN | RCC_APB1ENR_TIM5EN;
    (void)RCC->APB1ENR;
    check_period("tim2_period", TIM2, TIM2_IRQn);
    check_period("tim3_period", TIM3, TIM3_IRQn);
    check_period("tim4_period", TIM4, TIM4_IRQn);
    check_period("tim5_period", TIM5, TIM5_IRQn);
    check_counts();
}
