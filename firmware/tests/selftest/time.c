/* Cycle counter, SysTick, sleep, and code that is interrupted at every point. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/cycles.h"
#include "tests/selftest/vectors.h"
#include "tests/support/report.h"

#define TICK_CYCLES 16800u
#define TICKS_TIMED 10u

/* Reading the counter, taking the exception and waiting states of the Flash. */
#define TICK_SLACK_CYCLES 100u

/* A period that shares no factor with the loop below, so that ticks hit all of its instructions. */
#define ODD_TICK_CYCLES 297u
#define IT_ROUNDS       3000u

static volatile uint32_t ticks;
static volatile uint32_t last_tick_cycles;

static void tick(void) {
    ticks++;
    last_tick_cycles = cycles_now();
}

static void start_ticks(uint32_t period_cycles) {
    ticks = 0;
    SYSTICK->RVR = period_cycles - 1u;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYST_CSR_CLKSOURCE | SYST_CSR_TICKINT | SYST_CSR_ENABLE;
}

static void stop_ticks(void) {
    SYSTICK->CSR = 0;
}

static void sleep_until_ticks(uint32_t count) {
    while (ticks < count) {
        cpu_wait_for_interrupt();
    }
}

static void check_cycle_counter(void) {
    cycles_start();
    uint32_t start = cycles_now();
    __asm volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
    uint32_t taken = cycles_now() - start;
    report_check("cycles_of_ten_nops", taken >= 10 && taken <= 30, taken);

    DWT->CYCCNT = 0xFFFFFFF0u;
    uint32_t wrapped = cycles_now();
    for (uint32_t i = 0; i < 100 && wrapped > 0x1000u; i++) {
        wrapped = cycles_now();
    }
    report_check("cycles_wrap", wrapped < 0x1000u, wrapped);

    DWT->CTRL &= ~DWT_CTRL_CYCCNTENA;
    start = cycles_now();
    __asm volatile("nop\n nop\n nop\n nop");
    taken = cycles_now() - start;
    DWT->CTRL |= DWT_CTRL_CYCCNTENA;
    report_check("cycles_stop", taken == 0, taken);
}

static void check_systick_period(void) {
    start_ticks(TICK_CYCLES);
    sleep_until_ticks(1);
    uint32_t start = last_tick_cycles;
    sleep_until_ticks(1 + TICKS_TIMED);
    uint32_t taken = last_tick_cycles - start;
    stop_ticks();
    uint32_t error = taken > TICKS_TIMED * TICK_CYCLES ? taken - TICKS_TIMED * TICK_CYCLES
                                                       : TICKS_TIMED * TICK_CYCLES - taken;
    report_check("systick_period_asleep", error <= TICK_SLACK_CYCLES, taken);
}

static void check_systick_registers(void) {
    SYSTICK->RVR = TICK_CYCLES - 1u;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYST_CSR_CLKSOURCE | SYST_CSR_ENABLE;
    __asm volatile("nop\n nop\n nop\n nop"); /* it shows 0 until the first clock reloads it */
    uint32_t start = SYSTICK->CVR;
    __asm volatile("nop\n nop\n nop\n nop\n nop\n nop\n nop\n nop");
    uint32_t later = SYSTICK->CVR;
    report_check("systick_counts_down", later < start && start < TICK_CYCLES, later);

    uint32_t flag = 0;
    for (uint32_t poll = 0; poll < TICK_CYCLES && flag == 0; poll++) {
        flag = SYSTICK->CSR & SYST_CSR_COUNTFLAG;
    }
    uint32_t again = SYSTICK->CSR & SYST_CSR_COUNTFLAG;
    report_check("systick_countflag", flag != 0 && again == 0, again);
    stop_ticks();
}

/* The reference clock of SysTick is HCLK / 8 (RM0090, figure 21). */
static void check_systick_reference(void) {
    start_ticks(TICK_CYCLES / 8u);
    SYSTICK->CSR = SYST_CSR_TICKINT | SYST_CSR_ENABLE;
    sleep_until_ticks(1);
    uint32_t start = last_tick_cycles;
    sleep_until_ticks(2);
    uint32_t taken = last_tick_cycles - start;
    stop_ticks();
    report_check("systick_reference_clock",
                 taken > TICK_CYCLES - TICK_SLACK_CYCLES && taken < TICK_CYCLES + TICK_SLACK_CYCLES,
                 taken);
}

static void check_wait_for_event(void) {
    start_ticks(TICK_CYCLES);
    uint32_t before = ticks;
    __asm volatile("sev\n wfe" ::: "memory");
    report_check("wfe_after_sev", ticks == before, ticks - before);

    /* WFE may end for no reason, so it stands in a loop, as in any program that uses it. */
    before = ticks;
    while (ticks == before) {
        __asm volatile("wfe\n yield" ::: "memory");
    }
    report_check("wfe_ends_with_interrupt", ticks > before, ticks - before);
    stop_ticks();
}

/*
 * A shift register stirred by IT blocks of one to four conditional instructions: the result is
 * wrong if an interrupt loses the state of a block.
 */
__attribute__((noipa)) static uint32_t stir(uint32_t rounds) {
    uint32_t state = 0x12345u;
    uint32_t sum = 0;
    __asm volatile("1:                      \n"
                   "lsrs  %0, %0, #1        \n"
                   "itttt cs                \n"
                   "eorcs %0, %0, #0xB8000000 \n"
                   "addcs %1, %1, %0        \n"
                   "rorcs %1, %1, #5        \n"
                   "eorcs %1, %1, #0x55     \n"
                   "tst   %0, #2            \n"
                   "ite   ne                \n"
                   "addne %1, %1, #3        \n"
                   "eoreq %1, %1, %0        \n"
                   "cmp   %1, #0            \n"
                   "ittet mi                \n"
                   "addmi %1, %1, #1        \n"
                   "eormi %1, %1, #2        \n"
                   "subpl %1, %1, #7        \n"
                   "addmi %1, %1, #9        \n"
                   "subs  %2, %2, #1        \n"
                   "bne   1b                \n"
                   : "+r"(state), "+r"(sum), "+r"(rounds)
                   :
                   : "cc");
    return state ^ sum;
}

static void check_it_blocks(void) {
    uint32_t undisturbed = stir(IT_ROUNDS);
    start_ticks(ODD_TICK_CYCLES);
    uint32_t disturbed = stir(IT_ROUNDS);
    uint32_t interruptions = ticks;
    stop_ticks();
    report_check("it_blocks_interrupted", disturbed == undisturbed, disturbed);
    report_check("interruptions_happened", interruptions > 50, interruptions);
}

void test_time(void) {
    vectors_install(EXCEPTION_SYSTICK, tick);
    check_cycle_counter();
    check_systick_period();
    check_systick_registers();
    check_systick_reference();
    check_wait_for_event();
    check_it_blocks();
}
