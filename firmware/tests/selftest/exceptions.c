/* Entry and return: SVC, PendSV, SysTick, NMI, software interrupts, what is kept across them. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/nvic.h"
#include "tests/selftest/events.h"
#include "tests/selftest/vectors.h"
#include "tests/support/exception_entry.h"
#include "tests/support/report.h"

#define EXC_RETURN_THREAD_MSP 0xFFFFFFF9u
#define EXC_RETURN_NO_FP      (1u << 4)
#define PSR_STACK_ALIGNED     (1u << 9)
#define APSR_NZCVQ            0xF8000000u
#define SVC_ADD               42u

static volatile struct {
    uint32_t number;
    uint32_t exception;
    uint32_t exc_return;
    uint32_t frame_address;
    uint32_t psr;
} svc;

void svc_record(fault_frame *pushed, uint32_t exc_return);

static EXCEPTION_ENTRY(record_svc, svc_record)

    __attribute__((used)) void svc_record(fault_frame *pushed, uint32_t exc_return) {
    svc.number = ((const uint8_t *)pushed->pc)[-2];
    svc.exception = cpu_active_exception();
    svc.exc_return = exc_return;
    svc.frame_address = (uint32_t)pushed;
    svc.psr = pushed->psr;
    if (svc.number == SVC_ADD) {
        pushed->r0 += pushed->r1;
    }
}

static void check_svc(void) {
    register uint32_t r0 __asm("r0") = 30;
    register uint32_t r1 __asm("r1") = 12;
    __asm volatile("svc #42" : "+r"(r0) : "r"(r1) : "memory");
    uint32_t sum = r0;
    report_check("svc_number", svc.number == SVC_ADD, svc.number);
    report_check("svc_returns_in_r0", sum == 42, sum);
    report_check("svc_ipsr", svc.exception == EXCEPTION_SVCALL, svc.exception);
    report_check("exc_return_thread_msp",
                 (svc.exc_return | EXC_RETURN_NO_FP) == EXC_RETURN_THREAD_MSP, svc.exc_return);
}

/* One of two stack pointers four bytes apart is not a multiple of eight: the core pads it. */
static void check_stack_alignment(void) {
    __asm volatile("svc #1" ::: "memory");
    uint32_t address = svc.frame_address;
    uint32_t padded = svc.psr & PSR_STACK_ALIGNED;
    uint32_t before;
    uint32_t after;
    __asm volatile("sub sp, #4  \n"
                   "mov %0, sp  \n"
                   "svc #1      \n"
                   "mov %1, sp  \n"
                   "add sp, #4  \n"
                   : "=&r"(before), "=&r"(after)
                   :
                   : "memory");
    uint32_t padded_shifted = svc.psr & PSR_STACK_ALIGNED;
    report_check("frame_aligned", ((address | svc.frame_address) & 7u) == 0, svc.frame_address);
    report_check("frame_padding_noted", padded != padded_shifted, padded | padded_shifted);
    report_check("stack_pointer_restored", before == after, after);
}

static void check_kept(void) {
    uint32_t sum;
    __asm volatile("mov r0, #1\n mov r1, #2\n mov r2, #4\n mov r3, #8\n"
                   "mov r4, #16\n mov r5, #32\n mov r6, #64\n mov r8, #128\n"
                   "mov r9, #256\n mov r10, #512\n mov r12, #1024\n"
                   "svc #1\n"
                   "add r0, r1\n add r0, r2\n add r0, r3\n add r0, r4\n add r0, r5\n"
                   "add r0, r6\n add r0, r8\n add r0, r9\n add r0, r10\n add %0, r0, r12\n"
                   : "=r"(sum)
                   :
                   : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r8", "r9", "r10", "r12", "cc",
                     "memory");
    report_check("registers_kept", sum == 2047, sum);

    uint32_t flags;
    __asm volatile("msr apsr_nzcvq, %1 \n"
                   "svc #1             \n"
                   "mrs %0, apsr       \n"
                   : "=r"(flags)
                   : "r"(APSR_NZCVQ)
                   : "cc", "memory");
    report_check("flags_kept", (flags & APSR_NZCVQ) == APSR_NZCVQ, flags);
}

static void add_exception(void) {
    events_add(cpu_active_exception());
}

/* Writes a pending bit and checks that just this exception runs, and runs once. */
static void check_pended(const char *name, uint32_t exception, uint32_t icsr_bit) {
    vectors_install(exception, add_exception);
    events_clear();
    SCB->ICSR = icsr_bit;
    cpu_synchronise();
    report_check(name, events_are(&exception, 1), events_count());
}

static void check_pending_cleared(void) {
    events_clear();
    cpu_disable_interrupts();
    SCB->ICSR = SCB_ICSR_PENDSVSET;
    uint32_t pending = SCB->ICSR & SCB_ICSR_PENDSVSET;
    SCB->ICSR = SCB_ICSR_PENDSVCLR;
    cpu_enable_interrupts();
    report_check("pendsv_cleared", pending != 0 && events_count() == 0, events_count());
}

static volatile uint32_t active_in_handler;

static void read_active(void) {
    active_in_handler = NVIC->IABR[EXTI2_IRQn / 32u] & nvic_bit(EXTI2_IRQn);
    events_add(SCB->ICSR & SCB_ICSR_VECTACTIVE_MASK);
}

static void check_interrupt(void) {
    const uint32_t number = EXCEPTION_IRQ0 + EXTI2_IRQn;
    vectors_install(number, read_active);
    nvic_enable(EXTI2_IRQn, 0);
    events_clear();
    nvic_pend(EXTI2_IRQn);
    cpu_synchronise();
    report_check("vtor_handler_runs", events_are(&number, 1), events_count());
    uint32_t active = NVIC->IABR[EXTI2_IRQn / 32u] & nvic_bit(EXTI2_IRQn);
    report_check("active_bit", active_in_handler != 0 && active == 0, active_in_handler);

    events_clear();
    NVIC_STIR = EXTI2_IRQn;
    cpu_synchronise();
    report_check("software_trigger", events_are(&number, 1), events_count());

    events_clear();
    nvic_disable(EXTI2_IRQn);
    nvic_pend(EXTI2_IRQn);
    cpu_synchronise();
    uint32_t while_disabled = events_count();
    NVIC->ISER[EXTI2_IRQn / 32u] = nvic_bit(EXTI2_IRQn);
    cpu_synchronise();
    report_check("disabled_stays_pending", while_disabled == 0 && events_count() == 1,
                 while_disabled);
    nvic_disable(EXTI2_IRQn);
}

/* NMI takes no notice of PRIMASK. */
static void check_nmi(void) {
    cpu_disable_interrupts();
    check_pended("nmi", EXCEPTION_NMI, SCB_ICSR_NMIPENDSET);
    cpu_enable_interrupts();
}

void test_exceptions(void) {
    vectors_install(EXCEPTION_SVCALL, record_svc);
    check_svc();
    check_stack_alignment();
    check_kept();
    check_pended("pendsv", EXCEPTION_PENDSV, SCB_ICSR_PENDSVSET);
    check_pended("systick_pended", EXCEPTION_SYSTICK, SCB_ICSR_PENDSTSET);
    check_pending_cleared();
    check_interrupt();
    check_nmi();
}
