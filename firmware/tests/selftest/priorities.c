/* Who interrupts whom: nesting, tail-chaining, masks, priority groups. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/nvic.h"
#include "tests/selftest/events.h"
#include "tests/selftest/vectors.h"
#include "tests/support/report.h"

#define PRIORITY_HIGH   0x40u
#define PRIORITY_LOW    0x80u
#define PRIORITY_LOWEST 0xF0u

/* Events: what began, and with END what ended. */
enum {
    EVENT_FIRST = 0x10,
    EVENT_SECOND = 0x20,
    EVENT_URGENT = 0x30,
    EVENT_PENDSV = 0x40,
    EVENT_END = 0x01,
};

/* Pends an equal (waits), and the lowest (waits longer). */
static void first_handler(void) {
    events_add(EVENT_FIRST);
    SCB->ICSR = SCB_ICSR_PENDSVSET;
    nvic_pend(EXTI1_IRQn);
    cpu_synchronise();
    events_add(EVENT_FIRST | EVENT_END);
}

/* Pends a more urgent one, which interrupts it unless groups forbid. */
static void second_handler(void) {
    events_add(EVENT_SECOND);
    nvic_pend(EXTI2_IRQn);
    cpu_synchronise();
    events_add(EVENT_SECOND | EVENT_END);
}

static void urgent_handler(void) {
    events_add(EVENT_URGENT);
}

static void pendsv_handler(void) {
    events_add(EVENT_PENDSV);
}

static void install(void) {
    vectors_install(EXCEPTION_IRQ0 + EXTI0_IRQn, first_handler);
    vectors_install(EXCEPTION_IRQ0 + EXTI1_IRQn, second_handler);
    vectors_install(EXCEPTION_IRQ0 + EXTI2_IRQn, urgent_handler);
    vectors_install(EXCEPTION_PENDSV, pendsv_handler);
    nvic_enable(EXTI0_IRQn, PRIORITY_LOW);
    nvic_enable(EXTI1_IRQn, PRIORITY_LOW);
    nvic_enable(EXTI2_IRQn, PRIORITY_HIGH);
    SCB->SHPR[EXCEPTION_PENDSV - EXCEPTION_MEM_MANAGE] = PRIORITY_LOWEST;
}

static void check_nesting(void) {
    static const uint32_t expected[] = {
        EVENT_FIRST,  EVENT_FIRST | EVENT_END,  EVENT_SECOND,
        EVENT_URGENT, EVENT_SECOND | EVENT_END, EVENT_PENDSV,
    };
    events_clear();
    nvic_pend(EXTI0_IRQn);
    cpu_synchronise();
    report_check("nesting_and_tail_chaining",
                 events_are(expected, sizeof expected / sizeof expected[0]), events_count());
}

/* Two that wait at one priority run in the order of their numbers. */
static void check_order_of_equals(void) {
    static const uint32_t expected[] = {
        EVENT_URGENT, EVENT_FIRST,  EVENT_FIRST | EVENT_END,
        EVENT_SECOND, EVENT_URGENT, EVENT_SECOND | EVENT_END,
        EVENT_PENDSV,
    };
    events_clear();
    cpu_disable_interrupts();
    nvic_pend(EXTI1_IRQn);
    nvic_pend(EXTI0_IRQn);
    nvic_pend(EXTI2_IRQn);
    cpu_enable_interrupts();
    report_check("order_of_waiting", events_are(expected, sizeof expected / sizeof expected[0]),
                 events_count());
}

/* With PRIGROUP 7 every priority is a sub-priority: it orders, but nothing interrupts. */
static void check_priority_groups(void) {
    static const uint32_t expected[] = {
        EVENT_SECOND,
        EVENT_SECOND | EVENT_END,
        EVENT_URGENT,
    };
    SCB->AIRCR = SCB_AIRCR_VECTKEY | SCB_AIRCR_PRIGROUP_MASK;
    uint32_t group = (SCB->AIRCR & SCB_AIRCR_PRIGROUP_MASK) >> SCB_AIRCR_PRIGROUP_SHIFT;
    events_clear();
    nvic_pend(EXTI1_IRQn);
    cpu_synchronise();
    report_check("priority_groups",
                 group == 7 && events_are(expected, sizeof expected / sizeof expected[0]), group);
    SCB->AIRCR = SCB_AIRCR_VECTKEY;
}

static void set_basepri(uint32_t priority) {
    __asm volatile("msr basepri, %0\n isb" ::"r"(priority) : "memory");
}

/* Pends the urgent interrupt; the count that is returned is what ran at once. */
static uint32_t pend_urgent(void) {
    events_clear();
    nvic_pend(EXTI2_IRQn);
    cpu_synchronise();
    return events_count();
}

static void check_masks(void) {
    cpu_disable_interrupts();
    uint32_t masked = pend_urgent();
    cpu_enable_interrupts();
    report_check("primask", masked == 0 && events_count() == 1, masked);

    set_basepri(PRIORITY_HIGH);
    masked = pend_urgent();
    set_basepri(PRIORITY_LOW);
    report_check("basepri", masked == 0 && events_count() == 1, masked);

    /* BASEPRI_MAX only ever raises: the write of a lower urgency is ignored. */
    uint32_t basepri;
    __asm volatile("msr basepri_max, %1 \n"
                   "msr basepri_max, %2 \n"
                   "mrs %0, basepri     \n"
                   : "=r"(basepri)
                   : "r"(PRIORITY_HIGH), "r"(PRIORITY_LOW)
                   : "memory");
    report_check("basepri_max", basepri == PRIORITY_HIGH, basepri);
    set_basepri(0);

    __asm volatile("cpsid f" ::: "memory");
    masked = pend_urgent();
    __asm volatile("cpsie f\n isb" ::: "memory");
    report_check("faultmask", masked == 0 && events_count() == 1, masked);
}

static void check_wakes_while_masked(void) {
    cpu_disable_interrupts();
    events_clear();
    nvic_pend(EXTI2_IRQn);
    cpu_wait_for_interrupt();
    uint32_t masked = events_count();
    cpu_enable_interrupts();
    report_check("wfi_wakes_while_masked", masked == 0 && events_count() == 1, masked);
}

static void check_pending_registers(void) {
    events_clear();
    cpu_disable_interrupts();
    nvic_pend(EXTI2_IRQn);
    uint32_t pending = NVIC->ISPR[EXTI2_IRQn / 32u] & nvic_bit(EXTI2_IRQn);
    NVIC->ICPR[EXTI2_IRQn / 32u] = nvic_bit(EXTI2_IRQn);
    cpu_enable_interrupts();
    report_check("pending_cleared", pending != 0 && events_count() == 0, pending);

    NVIC->IPR[EXTI2_IRQn] = 0xFF;
    uint32_t kept = NVIC->IPR[EXTI2_IRQn];
    NVIC->IPR[EXTI2_IRQn] = PRIORITY_HIGH;
    report_check("four_priority_bits", kept == NVIC_PRIORITY_MASK, kept);
}

void test_priorities(void) {
    install();
    check_nesting();
    check_order_of_equals();
    check_priority_groups();
    check_masks();
    check_wakes_while_masked();
    check_pending_registers();
    nvic_disable(EXTI0_IRQn);
    nvic_disable(EXTI1_IRQn);
    nvic_disable(EXTI2_IRQn);
}
