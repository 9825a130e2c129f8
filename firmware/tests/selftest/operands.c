/* Faults of an instruction's operands: addresses that are not aligned, a divisor of 0. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

static uint8_t bytes[32] __attribute__((aligned(8)));

/* One instruction with an address that is no multiple of four, in r6. */
#define AT_ODD_ADDRESS(instruction)                                                                \
    __asm volatile("mov r6, %0 \n" instruction ::"r"(&bytes[9])                                    \
                   : "r2", "r3", "r6", "s0", "s1", "cc", "memory")

static void check_fault(const char *name, uint32_t cfsr) {
    fault_record fault = fault_caught();
    report_check(name, fault.count == (cfsr ? 1u : 0u) && (!cfsr || fault.cfsr == cfsr),
                 fault.count ? fault.cfsr : 0u);
}

#define CHECK_UNALIGNED(name, instruction)                                                         \
    do {                                                                                           \
        fault_expect(FAULT_SKIP_INSTRUCTION);                                                      \
        AT_ODD_ADDRESS(instruction);                                                               \
        check_fault(name, SCB_CFSR_UNALIGNED);                                                     \
    } while (0)

/* These never take any other address (DDI0403, A3.2.1). */
static void check_always_aligned(void) {
    CHECK_UNALIGNED("unaligned_ldrd", "ldrd r2, r3, [r6]");
    CHECK_UNALIGNED("unaligned_strd", "strd r2, r3, [r6]");
    CHECK_UNALIGNED("unaligned_ldm", "ldmia.w r6, {r2, r3}");
    CHECK_UNALIGNED("unaligned_stm", "stmia.w r6!, {r2, r3}");
    CHECK_UNALIGNED("unaligned_vldr", "vldr s0, [r6]");
    CHECK_UNALIGNED("unaligned_vstm", "vstmia r6, {s0, s1}");
    CHECK_UNALIGNED("unaligned_ldrex", "ldrex r2, [r6]");
    CHECK_UNALIGNED("unaligned_strex", "strex r3, r2, [r6]");
    CHECK_UNALIGNED("unaligned_in_it", "cmp r6, r6 \n it eq \n ldrdeq r2, r3, [r6]");

    fault_expect(FAULT_SKIP_INSTRUCTION);
    AT_ODD_ADDRESS("cmp r6, r6 \n it ne \n ldrdne r2, r3, [r6]");
    check_fault("unaligned_skipped", 0);
}

static void check_unaligned_trap(void) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    AT_ODD_ADDRESS("ldr.w r2, [r6]");
    check_fault("unaligned_ldr_allowed", 0);
    SCB->CCR |= SCB_CCR_UNALIGN_TRP;
    cpu_synchronise();
    CHECK_UNALIGNED("unaligned_ldr_trapped", "ldr.w r2, [r6]");
    CHECK_UNALIGNED("unaligned_strh_trapped", "strh.w r2, [r6]");
    SCB->CCR &= ~SCB_CCR_UNALIGN_TRP;
    cpu_synchronise();
}

static uint32_t divide(uint32_t dividend, uint32_t divisor) {
    uint32_t quotient = dividend;
    __asm volatile("udiv.w %0, %0, %1" : "+r"(quotient) : "r"(divisor));
    return quotient;
}

static void check_divide_by_zero(void) {
    uint32_t quotient = divide(5, 0);
    report_check("divide_by_zero_gives_zero", quotient == 0, quotient);
    SCB->CCR |= SCB_CCR_DIV_0_TRP;
    cpu_synchronise();
    fault_expect(FAULT_SKIP_INSTRUCTION);
    quotient = divide(5, 0);
    check_fault("divide_by_zero_trapped", SCB_CFSR_DIVBYZERO);
    report_check("divide_by_zero_no_result", quotient == 5, quotient);
    SCB->CCR &= ~SCB_CCR_DIV_0_TRP;
    cpu_synchronise();
}

void test_operands(void) {
    check_always_aligned();
    check_unaligned_trap();
    check_divide_by_zero();
}
