/*
 * Faults that a test provokes: recorded, then stepped over.
 *
 * fault_catch.c owns the four fault handlers. A fault that no test asked for ends the program with
 * a failed check.
 */
#ifndef TESTS_SUPPORT_FAULT_CATCH_H
#define TESTS_SUPPORT_FAULT_CATCH_H

#include <stdint.h>

typedef struct {
    uint32_t count;
    uint32_t exception; /* number of the handler that ran */
    uint32_t pc;
    uint32_t cfsr;
    uint32_t hfsr;
    uint32_t mmfar;
    uint32_t bfar;
} fault_record;

typedef enum {
    FAULT_SKIP_INSTRUCTION, /* go on behind the instruction that faulted */
    FAULT_RETURN_TO_CALLER, /* go on at lr: for a jump to where no code is */
} fault_recovery;

/* Forgets what was caught and allows one fault. */
void fault_expect(fault_recovery recovery);

/* What was caught since fault_expect(). */
fault_record fault_caught(void);

#endif
