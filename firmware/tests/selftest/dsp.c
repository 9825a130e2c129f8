/* Instructions of the DSP extension, saturation, division and bit fields (DDI0403, A7.7). */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "tests/support/report.h"

/* Runs a two-operand instruction and checks its result. Operands are in registers, never folded. */
#define CHECK_BINARY(name, instruction, a, b, expected)                                            \
    do {                                                                                           \
        uint32_t outcome;                                                                          \
        __asm volatile(instruction : "=r"(outcome) : "r"(a), "r"(b));                              \
        report_check(name, outcome == (uint32_t)(expected), outcome);                              \
    } while (0)

#define CHECK_TERNARY(name, instruction, a, b, c, expected)                                        \
    do {                                                                                           \
        uint32_t outcome;                                                                          \
        __asm volatile(instruction : "=r"(outcome) : "r"(a), "r"(b), "r"(c));                      \
        report_check(name, outcome == (uint32_t)(expected), outcome);                              \
    } while (0)

#define APSR_Q (1u << 27)

static void check_dual_multiply(void) {
    CHECK_TERNARY("smlad", "smlad %0, %1, %2, %3", 0x00020003u, 0x00040005u, 10u, 10 + 15 + 8);
    CHECK_TERNARY("smladx", "smladx %0, %1, %2, %3", 0x00020003u, 0x00040005u, 10u, 10 + 12 + 10);
    CHECK_TERNARY("smlsd", "smlsd %0, %1, %2, %3", 0x00020003u, 0x00040005u, 10u, 10 + 15 - 8);
    CHECK_BINARY("smuad_negative", "smuad %0, %1, %2", 0xFFFF0002u, 0x00030004u, 8 - 3);
    CHECK_BINARY("smmulr", "smmulr %0, %1, %2", 0x40000000u, 3u, 1);
    CHECK_BINARY("smulbt", "smulbt %0, %1, %2", 0x00070003u, 0x00050009u, 15);
}

static void check_long_multiply(void) {
    uint32_t low = 1;
    uint32_t high = 0;
    __asm volatile("smlald %0, %1, %2, %3"
                   : "+r"(low), "+r"(high)
                   : "r"(0x7FFF7FFFu), "r"(0x7FFF7FFFu));
    report_check("smlald", low == 1u + 2u * 0x3FFF0001u && high == 0, low);

    low = 0xFFFFFFFFu;
    high = 0xFFFFFFFFu;
    __asm volatile("umaal %0, %1, %2, %3"
                   : "+r"(low), "+r"(high)
                   : "r"(0xFFFFFFFFu), "r"(0xFFFFFFFFu));
    report_check("umaal", low == 0xFFFFFFFFu && high == 0xFFFFFFFFu, low);

    __asm volatile("smull %0, %1, %2, %3" : "=&r"(low), "=&r"(high) : "r"(0xFFFFFFFEu), "r"(3u));
    report_check("smull", low == 0xFFFFFFFAu && high == 0xFFFFFFFFu, low);
}

static void check_saturation(void) {
    uint32_t result;
    __asm volatile("ssat %0, #8, %1" : "=r"(result) : "r"(300));
    report_check("ssat", result == 127, result);
    __asm volatile("usat %0, #8, %1" : "=r"(result) : "r"(-5));
    report_check("usat", result == 0, result);
    __asm volatile("ssat16 %0, #8, %1" : "=r"(result) : "r"(0x0100FF00u));
    report_check("ssat16", result == 0x007FFF80u, result);
    CHECK_BINARY("qadd", "qadd %0, %1, %2", 0x7FFFFFFFu, 5u, 0x7FFFFFFF);
    CHECK_BINARY("qsub8", "qsub8 %0, %1, %2", 0x80007F05u, 0x01010103u, 0x80FF7E02u);

    uint32_t apsr;
    __asm volatile("msr  apsr_nzcvq, %1 \n"
                   "qadd %0, %2, %3     \n"
                   "mrs  %0, apsr       \n"
                   : "=&r"(apsr)
                   : "r"(0), "r"(0x7FFFFFFFu), "r"(5u)
                   : "cc");
    report_check("saturation_sets_q", (apsr & APSR_Q) != 0, apsr);
}

static void check_lanes(void) {
    uint32_t result;
    __asm volatile("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(0x80FF7F01u));
    report_check("sxtb16_rotated", result == 0xFF80007Fu, result);
    CHECK_BINARY("uxtab16", "uxtab16 %0, %1, %2", 0x00010002u, 0xAA10BB20u, 0x00110022u);
    CHECK_BINARY("pkhbt", "pkhbt %0, %1, %2, lsl #16", 0x11112222u, 0x33334444u, 0x44442222u);
    CHECK_BINARY("pkhtb", "pkhtb %0, %1, %2, asr #16", 0x11112222u, 0x33334444u, 0x11113333u);
    CHECK_BINARY("usad8", "usad8 %0, %1, %2", 0x01020304u, 0x04030201u, 8);

    /* UADD8 sets one GE flag a byte that carries; SEL picks bytes by them. */
    __asm volatile("uadd8 %0, %1, %2 \n"
                   "sel   %0, %3, %4 \n"
                   : "=&r"(result)
                   : "r"(0xFF01FF01u), "r"(0x02020202u), "r"(0xAAAAAAAAu), "r"(0x55555555u));
    report_check("sel_by_ge", result == 0xAA55AA55u, result);
}

static void check_integer(void) {
    uint32_t result;
    CHECK_BINARY("sdiv", "sdiv %0, %1, %2", -100, 7, -14);
    CHECK_BINARY("sdiv_overflow", "sdiv %0, %1, %2", 0x80000000u, -1, 0x80000000u);
    CHECK_BINARY("udiv_by_zero", "udiv %0, %1, %2", 100u, 0u, 0);
    CHECK_TERNARY("mls", "mls %0, %1, %2, %3", 3u, 4u, 20u, 8);
    __asm volatile("clz %0, %1" : "=r"(result) : "r"(0x00010000u));
    report_check("clz", result == 15, result);
    __asm volatile("rbit %0, %1" : "=r"(result) : "r"(0x00000005u));
    report_check("rbit", result == 0xA0000000u, result);
    __asm volatile("rev16 %0, %1" : "=r"(result) : "r"(0x11223344u));
    report_check("rev16", result == 0x22114433u, result);
    result = 0xFFFFFFFFu;
    __asm volatile("bfi %0, %1, #8, #12" : "+r"(result) : "r"(0x123u));
    report_check("bfi", result == 0xFFF123FFu, result);
    __asm volatile("sbfx %0, %1, #4, #8" : "=r"(result) : "r"(0x00000F80u));
    report_check("sbfx", result == 0xFFFFFFF8u, result);
}

void test_dsp(void) {
    check_dual_multiply();
    check_long_multiply();
    check_saturation();
    check_lanes();
    check_integer();
}
