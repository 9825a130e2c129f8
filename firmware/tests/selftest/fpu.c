/* Single-precision arithmetic, and what exceptions keep of it. */
#include "tests/selftest/selftest.h"

#include <stdint.h>
#include <string.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/selftest/vectors.h"
#include "tests/support/exception_entry.h"
#include "tests/support/report.h"

#define EXC_RETURN_NO_FP (1u << 4)
#define FPSCR_RMODE_ZERO (3u << 22)
#define FPSCR_DZC        (1u << 1)
#define FP_TICK_CYCLES   297u
#define FP_ROUNDS        2000u

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void check_arithmetic(void) {
    float root;
    __asm volatile("vsqrt.f32 %0, %1" : "=t"(root) : "t"(2.0f));
    report_check("vsqrt", bits_of(root) == 0x3FB504F3u, bits_of(root));

    float sum = 1.0f;
    __asm volatile("vfma.f32 %0, %1, %1" : "+t"(sum) : "t"(1.5f));
    report_check("vfma", bits_of(sum) == bits_of(3.25f), bits_of(sum));

    /* 1 + 2^-12 squared loses its last term when rounded before the addition; fused it stays. */
    float fused = -1.0f;
    __asm volatile("vfma.f32 %0, %1, %1" : "+t"(fused) : "t"(1.000244140625f));
    report_check("vfma_is_fused", bits_of(fused) == 0x3A000400u, bits_of(fused));

    int32_t integer;
    __asm volatile("vcvt.s32.f32 %0, %1 \n" : "=t"(integer) : "t"(-2.75f));
    report_check("vcvt_towards_zero", integer == -2, (uint32_t)integer);
}

static void check_status(void) {
    uint32_t status;
    float quotient;
    __asm volatile("vmsr     fpscr, %2  \n"
                   "vdiv.f32 %1, %3, %4 \n"
                   "vmrs     %0, fpscr  \n"
                   : "=r"(status), "=&t"(quotient)
                   : "r"(0), "t"(1.0f), "t"(0.0f));
    report_check("divide_by_zero_flag", (status & FPSCR_DZC) != 0, status);
    report_check("divide_by_zero_infinite", bits_of(quotient) == 0x7F800000u, bits_of(quotient));

    /* To nearest this is 1; towards zero it is the largest number below 1. */
    float sum;
    __asm volatile("vmsr     fpscr, %1  \n"
                   "vsub.f32 %0, %2, %3 \n"
                   "vmsr     fpscr, %4  \n"
                   : "=&t"(sum)
                   : "r"(FPSCR_RMODE_ZERO), "t"(1.0f), "t"(1.0e-9f), "r"(0));
    report_check("rounds_towards_zero", bits_of(sum) == 0x3F7FFFFFu, bits_of(sum));
}

static volatile uint32_t exc_return;
static volatile uint32_t frame_bytes;

void fpu_svc(fault_frame *pushed, uint32_t exc_return_now);

static EXCEPTION_ENTRY(record_frame, fpu_svc)

    __attribute__((used)) void fpu_svc(fault_frame *pushed, uint32_t exc_return_now) {
    exc_return = exc_return_now;
    frame_bytes = pushed->r0 - (uint32_t)pushed;
}

/* r0 carries the stack pointer into the handler, which sees how much was pushed below it. */
static void record(void) {
    __asm volatile("mov r0, sp \n"
                   "svc #0     \n"
                   :
                   :
                   : "r0", "memory");
}

static void check_context_size(void) {
    vectors_install(EXCEPTION_SVCALL, record_frame);
    uint32_t control;
    __asm volatile("mrs %0, control \n"
                   "bic %0, %0, #4  \n"
                   "msr control, %0 \n"
                   "isb             \n"
                   : "=&r"(control));
    record();
    report_check("frame_without_fp", (exc_return & EXC_RETURN_NO_FP) != 0 && frame_bytes <= 36,
                 frame_bytes);

    __asm volatile("vmov.f32 s0, #1.0" ::: "s0");
    control = cpu_control();
    report_check("fpca_set_by_use", (control & CPU_CONTROL_FPCA) != 0, control);
    record();
    report_check("frame_with_fp", (exc_return & EXC_RETURN_NO_FP) == 0 && frame_bytes >= 104,
                 frame_bytes);
    report_check("mvfr0", FPU_MVFR0 == 0x10110021u, FPU_MVFR0); /* DDI0439, 7.2 */
    report_check("mvfr1", FPU_MVFR1 == 0x11000011u, FPU_MVFR1);
    report_check("fpccr_after_reset",
                 (FPU_FPCCR & (FPU_FPCCR_ASPEN | FPU_FPCCR_LSPEN)) ==
                     (FPU_FPCCR_ASPEN | FPU_FPCCR_LSPEN),
                 FPU_FPCCR);
}

static volatile uint32_t fpccr_in_handler;

static void look_at_fpccr(void) {
    fpccr_in_handler = FPU_FPCCR;
}

static void use_fp(void) {
    __asm volatile("vmov.f32 s0, #2.0" ::: "s0");
    fpccr_in_handler = FPU_FPCCR;
}

/* s0 before and after an exception. */
static float across_svc(float value) {
    __asm volatile("vmov s0, %1 \n"
                   "svc  #0     \n"
                   "vmov %0, s0 \n"
                   : "=t"(value)
                   : "t"(value)
                   : "s0", "memory");
    return value;
}

/* Room is made at once, written when the handler uses the FPU (DDI0403, B1.5.7). */
static void check_lazy_stacking(void) {
    vectors_install(EXCEPTION_SVCALL, look_at_fpccr);
    float kept = across_svc(1.0f);
    report_check("lazy_fp_pending", (fpccr_in_handler & FPU_FPCCR_LSPACT) != 0, fpccr_in_handler);
    report_check("lazy_fp_given_up", kept == 1.0f && (FPU_FPCCR & FPU_FPCCR_LSPACT) == 0,
                 FPU_FPCCR);
    vectors_install(EXCEPTION_SVCALL, use_fp);
    kept = across_svc(1.0f);
    report_check("lazy_fp_saved", (fpccr_in_handler & FPU_FPCCR_LSPACT) == 0, fpccr_in_handler);
    report_check("lazy_fp_restored", kept == 1.0f, bits_of(kept));

    uint32_t before = FPU_FPCCR;
    FPU_FPCCR = before & ~(FPU_FPCCR_ASPEN | FPU_FPCCR_LSPEN);
    uint32_t control = cpu_control();
    __asm volatile("msr control, %0 \n isb" ::"r"(control & ~CPU_CONTROL_FPCA) : "memory");
    kept = across_svc(1.0f);
    report_check("fp_lost_without_aspen", kept == 2.0f, bits_of(kept));
    FPU_FPCCR = before;
}

static volatile uint32_t ticks;

static void clobbering_tick(void) {
    ticks++;
    __asm volatile("vmov.f32 s0, #1.0  \n"
                   "vmov.f32 s5, #2.0  \n"
                   "vmov.f32 s15, #3.0 \n"
                   "vmsr     fpscr, %0 \n"
                   :
                   : "r"(FPSCR_RMODE_ZERO)
                   : "s0", "s5", "s15");
}

/* Keeps eight values alive, so that both halves of the register file are in use. */
__attribute__((noipa)) static float churn(uint32_t rounds) {
    float a = 1.0f;
    float b = 0.5f;
    float c = 3.0f;
    float d = 0.25f;
    float e = 0.0f;
    float f = 1.0f;
    float g = 2.0f;
    float h = 4.0f;
    for (uint32_t i = 0; i < rounds; i++) {
        a = a * 0.999f + b;
        b = b * 0.998f + c * 0.001f;
        c = c * 0.997f + d;
        d = d * 0.996f + 0.1f;
        e += a * 0.001f;
        f = f * 0.5f + e;
        g = g * 0.25f + f;
        h = h * 0.125f + g;
    }
    return a + b + c + d + e + f + g + h;
}

static void check_interrupted(void) {
    vectors_install(EXCEPTION_SYSTICK, clobbering_tick);
    float undisturbed = churn(FP_ROUNDS);
    SYSTICK->RVR = FP_TICK_CYCLES - 1u;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYST_CSR_CLKSOURCE | SYST_CSR_TICKINT | SYST_CSR_ENABLE;
    float disturbed = churn(FP_ROUNDS);
    SYSTICK->CSR = 0;
    report_check("fp_interrupted", bits_of(disturbed) == bits_of(undisturbed), bits_of(disturbed));
    report_check("fp_interruptions_happened", ticks > 50, ticks);
}

void test_fpu(void) {
    check_arithmetic();
    check_status();
    check_context_size();
    check_lazy_stacking();
    check_interrupted();
}
