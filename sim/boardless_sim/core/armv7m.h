/* Numbers and bits of the ARMv7-M architecture (DDI 0403E, chapters B1 and B3). */
#ifndef BOARDLESS_ARMV7M_H
#define BOARDLESS_ARMV7M_H

/* Exception numbers (B1.5.2). */
enum {
    EXC_NMI = 2,
    EXC_HARD_FAULT = 3,
    EXC_MEM_MANAGE = 4,
    EXC_BUS_FAULT = 5,
    EXC_USAGE_FAULT = 6,
    EXC_SVCALL = 11,
    EXC_DEBUG_MONITOR = 12,
    EXC_PENDSV = 14,
    EXC_SYSTICK = 15,
    EXC_IRQ0 = 16,
};

#define XPSR_EXCEPTION 0x1ffu
#define XPSR_ALIGN     (1u << 9)
#define XPSR_THUMB     (1u << 24)
#define XPSR_IT        0x0600fc00u
#define XPSR_FLAGS     0xf80f0000u /* N Z C V Q and GE */
#define XPSR_RESTORED  0xff0ffdffu

#define CONTROL_NPRIV (1u << 0)
#define CONTROL_SPSEL (1u << 1)
#define CONTROL_FPCA  (1u << 2)

#define EXC_RETURN_HANDLER 0xfffffff1u
#define EXC_RETURN_MAIN    0xfffffff9u
#define EXC_RETURN_PROCESS 0xfffffffdu
#define EXC_RETURN_BASIC   (1u << 4)

/* CCR (B3.2.8). */
#define CCR_NONBASETHRDENA (1u << 0)
#define CCR_USERSETMPEND   (1u << 1)
#define CCR_UNALIGN_TRP    (1u << 3)
#define CCR_DIV_0_TRP      (1u << 4)
#define CCR_STKALIGN       (1u << 9)

#define SCR_SLEEPONEXIT       (1u << 1)
#define SCR_SLEEPDEEP         (1u << 2)
#define SHCSR_FAULT_ENABLE(n) (1u << (16u + (n) - (uint32_t)EXC_MEM_MANAGE))
#define CPACR_FPU_FULL        0xf00000u

/* CFSR: MMFSR, BFSR and UFSR (B3.2.15). */
#define CFSR_IACCVIOL   (1u << 0)
#define CFSR_DACCVIOL   (1u << 1)
#define CFSR_MUNSTKERR  (1u << 3)
#define CFSR_MSTKERR    (1u << 4)
#define CFSR_MLSPERR    (1u << 5)
#define CFSR_MMARVALID  (1u << 7)
#define CFSR_IBUSERR    (1u << 8)
#define CFSR_PRECISERR  (1u << 9)
#define CFSR_UNSTKERR   (1u << 11)
#define CFSR_STKERR     (1u << 12)
#define CFSR_LSPERR     (1u << 13)
#define CFSR_BFARVALID  (1u << 15)
#define CFSR_UNDEFINSTR (1u << 16)
#define CFSR_INVSTATE   (1u << 17)
#define CFSR_INVPC      (1u << 18)
#define CFSR_NOCP       (1u << 19)
#define CFSR_UNALIGNED  (1u << 24)
#define CFSR_DIVBYZERO  (1u << 25)

#define HFSR_VECTTBL  (1u << 1)
#define HFSR_FORCED   (1u << 30)
#define HFSR_DEBUGEVT (1u << 31)

/* FPCCR (B3.2.21). */
#define FPCCR_LSPACT (1u << 0)
#define FPCCR_USER   (1u << 1)
#define FPCCR_THREAD (1u << 3)
#define FPCCR_HFRDY  (1u << 4)
#define FPCCR_MMRDY  (1u << 5)
#define FPCCR_BFRDY  (1u << 6)
#define FPCCR_LSPEN  (1u << 30)
#define FPCCR_ASPEN  (1u << 31)

#endif
