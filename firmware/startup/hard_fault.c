/* The entry of a hard fault: finds the pushed registers and goes on in C. */
#include "startup/fault.h"

void HardFault_Handler(void);

/*
 * Bit 2 of EXC_RETURN says which stack the registers were pushed on. A frame below __stack_limit
 * was not pushed at all: the stack had overflowed, and the report needs a fresh one to run on.
 */
__attribute__((naked)) void HardFault_Handler(void) {
    __asm volatile("tst   lr, #4         \n"
                   "ite   eq             \n"
                   "mrseq r0, msp        \n"
                   "mrsne r0, psp        \n"
                   "ldr   r1, =__stack_limit \n"
                   "cmp   r0, r1         \n"
                   "bhs   1f             \n"
                   "ldr   r1, =__stack_top \n"
                   "mov   sp, r1         \n"
                   "movs  r0, #0         \n"
                   "1:                   \n"
                   "b     fault_report   \n"
                   ".ltorg               \n");
}
