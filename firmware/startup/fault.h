/*
 * What a fault leaves behind.
 *
 * startup/ only collects it. Whoever links the program says what to do with it by defining
 * fault_report() and fault_unexpected(): apps/classifier/fault_report.c for the application, the
 * test programs their own.
 */
#ifndef STARTUP_FAULT_H
#define STARTUP_FAULT_H

#include <stdint.h>

/* What the core pushes on exception entry (PM0214, 2.3.7). */
typedef struct {
    uint32_t r0;
    uint32_t r1;
    uint32_t r2;
    uint32_t r3;
    uint32_t r12;
    uint32_t lr;
    uint32_t pc;
    uint32_t psr;
} fault_frame;

/* A hard fault. frame is NULL when the stack it was to be pushed on had overflowed. */
void fault_report(const fault_frame *frame);

/* An exception that has no handler of its own. */
void fault_unexpected(uint32_t exception);

#endif
