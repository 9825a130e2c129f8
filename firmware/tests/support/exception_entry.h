/* Exception handlers that look at what the core pushed. */
#ifndef TESTS_SUPPORT_EXCEPTION_ENTRY_H
#define TESTS_SUPPORT_EXCEPTION_ENTRY_H

#include "startup/fault.h"

/*
 * Defines handler() to call body(fault_frame *pushed, uint32_t exc_return). What body() writes to
 * the pushed registers is what the interrupted code goes on with.
 */
#define EXCEPTION_ENTRY(handler, body)                                                             \
    __attribute__((naked)) void handler(void) {                                                    \
        __asm volatile("tst   lr, #4  \n"                                                          \
                       "ite   eq      \n"                                                          \
                       "mrseq r0, msp \n"                                                          \
                       "mrsne r0, psp \n"                                                          \
                       "mov   r1, lr  \n"                                                          \
                       "b     " #body "\n");                                                       \
    }

#endif
