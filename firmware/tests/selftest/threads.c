/*
 * Two threads on process stacks, switched by PendSV as a small kernel does, and unprivileged code.
 */
#include "tests/selftest/selftest.h"

#include <stdbool.h>
#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/selftest/vectors.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

#define THREAD_STACK_WORDS    192u
#define PSR_THUMB             (1u << 24)
#define EXC_RETURN_THREAD_PSP 0xFFFFFFFDu
#define SWITCH_ROUNDS         100u
#define PREEMPT_CYCLES        1499u
#define PREEMPT_SWITCHES      40u

enum { MAIN_THREAD, OTHER_THREAD, THREAD_COUNT };

/* What PendSV keeps on a thread's stack below the frame that the core pushed. */
typedef struct {
    uint32_t r4_to_r11[8];
    uint32_t exc_return;
    uint32_t r0_to_r3_r12_lr[6];
    uint32_t pc;
    uint32_t psr;
} saved_thread;

static uint32_t stacks[THREAD_COUNT][THREAD_STACK_WORDS] __attribute__((aligned(8)));
static volatile uint32_t rounds[THREAD_COUNT];
static volatile uint32_t switches;
static float other_value;

/* Read and written by the assembly of switch_thread(). */
uint32_t *thread_stack_pointers[THREAD_COUNT];
uint32_t thread_current;

__attribute__((naked)) static void switch_thread(void) {
    __asm volatile("mrs       r0, psp                 \n"
                   "tst       lr, #0x10               \n"
                   "it        eq                      \n"
                   "vstmdbeq  r0!, {s16-s31}          \n"
                   "stmdb     r0!, {r4-r11, lr}       \n"
                   "ldr       r1, =thread_stack_pointers \n"
                   "ldr       r2, =thread_current     \n"
                   "ldr       r3, [r2]                \n"
                   "str       r0, [r1, r3, lsl #2]    \n"
                   "eor       r3, r3, #1              \n"
                   "str       r3, [r2]                \n"
                   "ldr       r0, [r1, r3, lsl #2]    \n"
                   "ldmia     r0!, {r4-r11, lr}       \n"
                   "tst       lr, #0x10               \n"
                   "it        eq                      \n"
                   "vldmiaeq  r0!, {s16-s31}          \n"
                   "msr       psp, r0                 \n"
                   "bx        lr                      \n"
                   ".ltorg                            \n");
}

/* Runs body() on another stack with CONTROL as given, then comes back to the main stack. */
__attribute__((naked)) static void run_on_process_stack(uint32_t *stack_top, void (*body)(void),
                                                        uint32_t control) {
    (void)stack_top;
    (void)body;
    (void)control;
    __asm volatile("push {r4, lr}    \n"
                   "msr  psp, r0     \n"
                   "msr  control, r2 \n"
                   "isb              \n"
                   "blx  r1          \n"
                   "movs r0, #0      \n"
                   "msr  control, r0 \n"
                   "isb              \n"
                   "pop  {r4, pc}    \n");
}

static void yield(void) {
    SCB->ICSR = SCB_ICSR_PENDSVSET;
    cpu_synchronise();
}

static void prepare_other(void (*body)(void)) {
    uint32_t *top = &stacks[OTHER_THREAD][THREAD_STACK_WORDS];
    saved_thread *saved = (saved_thread *)(top - sizeof(saved_thread) / sizeof(uint32_t));
    *saved = (saved_thread){
        .exc_return = EXC_RETURN_THREAD_PSP,
        .pc = (uint32_t)body & ~1u,
        .psr = PSR_THUMB,
    };
    thread_stack_pointers[OTHER_THREAD] = (uint32_t *)saved;
    thread_current = MAIN_THREAD;
}

static void other_takes_turns(void) {
    float value = 1.0f;
    for (;;) {
        rounds[OTHER_THREAD]++;
        value = value * 1.5f - 0.25f;
        if (value > 1000.0f) {
            value = 1.0f;
        }
        other_value = value;
        yield();
    }
}

static void main_takes_turns(void) {
    bool in_turn = true;
    float value = 0.0f;
    for (uint32_t i = 0; i < SWITCH_ROUNDS; i++) {
        value += 0.5f;
        yield();
        in_turn = in_turn && rounds[OTHER_THREAD] == i + 1u;
    }
    uint32_t control = cpu_control();
    report_check("threads_take_turns", in_turn, rounds[OTHER_THREAD]);
    report_check("threads_keep_fp", value == 0.5f * (float)SWITCH_ROUNDS, (uint32_t)value);
    report_check("thread_on_process_stack", (control & CPU_CONTROL_SPSEL) != 0, control);
}

static void count_for_ever(void) {
    for (;;) {
        rounds[OTHER_THREAD]++;
    }
}

static void preempt(void) {
    switches++;
    SCB->ICSR = SCB_ICSR_PENDSVSET;
}

static void main_is_preempted(void) {
    rounds[MAIN_THREAD] = 0;
    rounds[OTHER_THREAD] = 0;
    SYSTICK->RVR = PREEMPT_CYCLES - 1u;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYST_CSR_CLKSOURCE | SYST_CSR_TICKINT | SYST_CSR_ENABLE;
    while (switches < PREEMPT_SWITCHES) {
        rounds[MAIN_THREAD]++;
    }
    SYSTICK->CSR = 0;
    report_check("threads_preempted",
                 rounds[MAIN_THREAD] > PREEMPT_SWITCHES && rounds[OTHER_THREAD] > PREEMPT_SWITCHES,
                 rounds[OTHER_THREAD]);
}

static void become_privileged(void) {
    __asm volatile("mrs r0, control \n"
                   "bic r0, r0, #1  \n"
                   "msr control, r0 \n"
                   "isb             \n" ::
                       : "r0", "memory");
}

static struct {
    uint32_t control;
    uint32_t primask;
    uint32_t control_after;
} unprivileged;

/* Reports nothing: the clock and USART registers are open to it, but the counts are main's. */
static void run_unprivileged(void) {
    unprivileged.control = cpu_control();
    __asm volatile("cpsid i        \n"
                   "mrs %0, primask \n"
                   : "=r"(unprivileged.primask)
                   :
                   : "memory");
    __asm volatile("svc #0" ::: "memory");
    unprivileged.control_after = cpu_control();
}

static void check_unprivileged(void) {
    vectors_install(EXCEPTION_SVCALL, become_privileged);
    run_on_process_stack(&stacks[MAIN_THREAD][THREAD_STACK_WORDS], run_unprivileged,
                         CPU_CONTROL_SPSEL | CPU_CONTROL_NPRIV);
    report_check("unprivileged", (unprivileged.control & CPU_CONTROL_NPRIV) != 0,
                 unprivileged.control);
    report_check("unprivileged_cpsid_ignored", unprivileged.primask == 0, unprivileged.primask);
    report_check("svc_raises_privilege", (unprivileged.control_after & CPU_CONTROL_NPRIV) == 0,
                 unprivileged.control_after);
    cpu_enable_interrupts();
}

void test_threads(void) {
    uint32_t *main_top = &stacks[MAIN_THREAD][THREAD_STACK_WORDS];
    vectors_install(EXCEPTION_PENDSV, switch_thread);
    vectors_install(EXCEPTION_SYSTICK, preempt);
    prepare_other(other_takes_turns);
    run_on_process_stack(main_top, main_takes_turns, CPU_CONTROL_SPSEL);
    prepare_other(count_for_ever);
    run_on_process_stack(main_top, main_is_preempted, CPU_CONTROL_SPSEL);
    check_unprivileged();
}
