/* The instructions that C cannot spell. */
#ifndef DRIVERS_CPU_H
#define DRIVERS_CPU_H

#include <stdint.h>

static inline void cpu_disable_interrupts(void) {
    __asm volatile("cpsid i" ::: "memory");
}

static inline void cpu_enable_interrupts(void) {
    __asm volatile("cpsie i\n isb" ::: "memory");
}

static inline void cpu_wait_for_interrupt(void) {
    __asm volatile("dsb\n wfi" ::: "memory");
}

/* Waits until earlier writes have reached their device and acts on their effect (PM0214, 2.2). */
static inline void cpu_synchronise(void) {
    __asm volatile("dsb\n isb" ::: "memory");
}

static inline uint32_t cpu_active_exception(void) {
    uint32_t ipsr;
    __asm volatile("mrs %0, ipsr" : "=r"(ipsr));
    return ipsr;
}

static inline uint32_t cpu_control(void) {
    uint32_t control;
    __asm volatile("mrs %0, control" : "=r"(control));
    return control;
}

#define CPU_CONTROL_NPRIV (1u << 0)
#define CPU_CONTROL_SPSEL (1u << 1)
#define CPU_CONTROL_FPCA  (1u << 2)

/*
 * Ends the program: nothing but a reset or a debugger leaves this. Interrupts are not only masked
 * but turned off, as a pending one would go on waking the core.
 */
_Noreturn void cpu_stop(void);

/* Asks for a reset (PM0214, 4.4.5) and does not return. */
_Noreturn void cpu_reset(void);

#endif
