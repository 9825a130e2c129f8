/*
 * Waits as third-party drivers write them: a flag in a register, a flag with a count of tries, a
 * tick variable behind a function, SysTick's own flag, a flag that an interrupt sets. The emulator
 * may jump over them; what comes out must not depend on that.
 */
#include <stdbool.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cycles.h"
#include "drivers/nvic.h"
#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"
#include "tests/support/report.h"

#define ROUNDS         20u
#define WAIT_TICKS     3u
#define TRIES          1000000u
#define TIMER_PRIORITY 0x40u
#define TEXT           "waiting for every byte\n"

static volatile bool timer_fired;

void TIM3_IRQHandler(void) {
    TIM3->SR = ~TIM_SR_UIF;
    timer_fired = true;
}

static void wait_for_ticks(uint32_t ticks) {
    uint32_t start = tick_count();
    while (tick_count() - start < ticks) {
    }
}

static void send_waiting_without_end(const char *text) {
    for (; *text; text++) {
        while (!(USART2->SR & USART_SR_TXE)) {
        }
        USART2->DR = (uint8_t)*text;
    }
    while (!(USART2->SR & USART_SR_TC)) {
    }
}

static bool send_counting_tries(const char *text) {
    for (; *text; text++) {
        volatile uint32_t tries = TRIES;
        while (!(USART2->SR & USART_SR_TXE) && tries) {
            tries--;
        }
        if (!tries) {
            return false;
        }
        USART2->DR = (uint8_t)*text;
    }
    return true;
}

static void wait_for_timer_interrupt(void) {
    RCC->APB1ENR |= RCC_APB1ENR_TIM3EN;
    (void)RCC->APB1ENR;
    TIM3->PSC = 0;
    TIM3->ARR = 50000u;
    TIM3->EGR = TIM_EGR_UG;
    TIM3->SR = ~TIM_SR_UIF;
    TIM3->DIER = TIM_DIER_UIE;
    timer_fired = false;
    nvic_enable(TIM3_IRQn, TIMER_PRIORITY);
    TIM3->CR1 = TIM_CR1_CEN;
    while (!timer_fired) {
    }
    TIM3->CR1 = 0;
}

static uint32_t wait_for_counter_flag(uint32_t times) {
    uint32_t polls = 0;
    while (times) {
        if (SYSTICK->CSR & SYST_CSR_COUNTFLAG) {
            times--;
        }
        polls++;
    }
    return polls;
}

int main(void) {
    report_start();
    report_message("boardless poll");
    cycles_start();
    tick_start(report_hclk_hz());
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t start = cycles_now();
        wait_for_ticks(WAIT_TICKS);
        report_check("ticks", true, cycles_now() - start);
        send_waiting_without_end(TEXT);
        report_check("flag", true, cycles_now() - start);
        report_check("flag_and_tries", send_counting_tries(TEXT), cycles_now() - start);
        wait_for_timer_interrupt();
        report_check("interrupt", true, cycles_now() - start);
        report_check("counter_flag", true, wait_for_counter_flag(2));
    }
    report_done();
    for (;;) {
    }
}
