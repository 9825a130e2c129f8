/* Calls and returns that lead nowhere. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/selftest/vectors.h"
#include "tests/support/exception_entry.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

#define PSR_THUMB (1u << 24)

void clear_thumb(fault_frame *pushed, uint32_t exc_return);
void note_wild_return(void);

/* Also in a loop that was seen before: what an emulator has translated must not matter. */
static void check_call_to_null(void) {
    SCB->SHCSR |= SCB_SHCSR_USGFAULTENA;
    for (uint32_t i = 0; i < 3; i++) {
        fault_expect(FAULT_RETURN_TO_CALLER);
        __asm volatile("blx %0" ::"r"(0) : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
    }
    fault_record fault = fault_caught();
    report_check("call_to_null", fault.cfsr == SCB_CFSR_INVSTATE, fault.cfsr);
    report_check("call_to_null_pc", fault.pc == 0, fault.pc);
}

static EXCEPTION_ENTRY(return_to_arm_state, clear_thumb)

    __attribute__((used)) void clear_thumb(fault_frame *pushed, uint32_t exc_return) {
    (void)exc_return;
    pushed->psr &= ~PSR_THUMB;
}

static void check_stacked_thumb(void) {
    vectors_install(EXCEPTION_SVCALL, return_to_arm_state);
    fault_expect(FAULT_RETURN_TO_CALLER);
    __asm volatile("adr.w lr, 1f      \n"
                   "orr   lr, lr, #1 \n"
                   "svc   #0         \n"
                   ".balign 4        \n"
                   "1:               \n" ::
                       : "lr", "cc", "memory");
    fault_record fault = fault_caught();
    report_check("return_without_thumb", fault.cfsr == SCB_CFSR_INVSTATE, fault.cfsr);
}

static volatile uint32_t wild_cfsr;

__attribute__((used)) void note_wild_return(void) {
    wild_cfsr = SCB->CFSR;
    SCB->CFSR = wild_cfsr;
}

/* 0b1011 is none of the three ways back (DDI0403, B1.5.8). */
static __attribute__((naked)) void return_wildly(void) {
    __asm volatile("orr lr, lr, #2 \n"
                   "bx  lr         \n");
}

/* The same frame is still there, and the value comes in LR. */
static __attribute__((naked)) void return_well(void) {
    __asm volatile("bic  lr, lr, #2         \n"
                   "push {r4, lr}           \n"
                   "bl   note_wild_return   \n"
                   "pop  {r4, pc}           \n");
}

static void check_wild_return(vector usage_fault) {
    vectors_install(EXCEPTION_SVCALL, return_wildly);
    vectors_install(EXCEPTION_USAGE_FAULT, return_well);
    uint32_t before;
    uint32_t after;
    __asm volatile("mov %0, sp \n"
                   "svc #0     \n"
                   "mov %1, sp \n"
                   : "=&r"(before), "=&r"(after)
                   :
                   : "memory");
    vectors_install(EXCEPTION_USAGE_FAULT, usage_fault);
    report_check("wild_return", wild_cfsr == SCB_CFSR_INVPC, wild_cfsr);
    report_check("wild_return_one_frame", before == after, after);
}

void test_returns(void) {
    check_call_to_null();
    check_stacked_thumb();
    check_wild_return(vectors_installed(EXCEPTION_USAGE_FAULT));
    SCB->SHCSR &= ~SCB_SHCSR_USGFAULTENA;
}
