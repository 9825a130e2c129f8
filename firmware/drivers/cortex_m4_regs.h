/* Cortex-M4 system registers that this firmware uses (PM0214, chapter 4; DDI0403 for DWT). */
#ifndef DRIVERS_CORTEX_M4_REGS_H
#define DRIVERS_CORTEX_M4_REGS_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    volatile uint32_t CSR;
    volatile uint32_t RVR;
    volatile uint32_t CVR;
} systick_regs;

#define SYSTICK ((systick_regs *)0xE000E010u)

#define SYST_CSR_ENABLE    (1u << 0)
#define SYST_CSR_TICKINT   (1u << 1)
#define SYST_CSR_CLKSOURCE (1u << 2)
#define SYST_CSR_COUNTFLAG (1u << 16)

typedef struct {
    volatile uint32_t ISER[32];
    volatile uint32_t ICER[32];
    volatile uint32_t ISPR[32];
    volatile uint32_t ICPR[32];
    volatile uint32_t IABR[64];
    volatile uint8_t IPR[240];
} nvic_regs;

#define NVIC      ((nvic_regs *)0xE000E100u)
#define NVIC_STIR (*(volatile uint32_t *)0xE000EF00u)

/* STM32F4 implements the upper four bits of a priority. */
#define NVIC_PRIORITY_MASK 0xF0u

typedef struct {
    volatile uint32_t CPUID;
    volatile uint32_t ICSR;
    volatile uint32_t VTOR;
    volatile uint32_t AIRCR;
    volatile uint32_t SCR;
    volatile uint32_t CCR;
    volatile uint8_t SHPR[12]; /* of exceptions 4 to 15 */
    volatile uint32_t SHCSR;
    volatile uint32_t CFSR;
    volatile uint32_t HFSR;
    volatile uint32_t DFSR;
    volatile uint32_t MMFAR;
    volatile uint32_t BFAR;
    volatile uint32_t AFSR;
    uint32_t reserved[18];
    volatile uint32_t CPACR;
} scb_regs;

_Static_assert(offsetof(scb_regs, CPACR) == 0x88, "SCB overlay");

#define SCB ((scb_regs *)0xE000ED00u)

#define SCB_ICSR_VECTACTIVE_MASK 0x1FFu
#define SCB_ICSR_PENDSTCLR       (1u << 25)
#define SCB_ICSR_PENDSTSET       (1u << 26)
#define SCB_ICSR_PENDSVCLR       (1u << 27)
#define SCB_ICSR_PENDSVSET       (1u << 28)
#define SCB_ICSR_NMIPENDSET      (1u << 31)
#define SCB_SCR_SLEEPDEEP        (1u << 2)
#define SCB_AIRCR_SYSRESETREQ    (1u << 2)
#define SCB_AIRCR_VECTKEY        (0x05FAu << 16)
#define SCB_AIRCR_PRIGROUP_SHIFT 8
#define SCB_AIRCR_PRIGROUP_MASK  (7u << 8)
#define SCB_CCR_UNALIGN_TRP      (1u << 3)
#define SCB_CCR_DIV_0_TRP        (1u << 4)
#define SCB_SHCSR_MEMFAULTENA    (1u << 16)
#define SCB_SHCSR_BUSFAULTENA    (1u << 17)
#define SCB_SHCSR_USGFAULTENA    (1u << 18)
#define SCB_CFSR_IACCVIOL        (1u << 0)
#define SCB_CFSR_DACCVIOL        (1u << 1)
#define SCB_CFSR_MMARVALID       (1u << 7)
#define SCB_CFSR_PRECISERR       (1u << 9)
#define SCB_CFSR_BFARVALID       (1u << 15)
#define SCB_CFSR_UNDEFINSTR      (1u << 16)
#define SCB_CFSR_INVSTATE        (1u << 17)
#define SCB_CFSR_INVPC           (1u << 18)
#define SCB_CFSR_NOCP            (1u << 19)
#define SCB_CFSR_UNALIGNED       (1u << 24)
#define SCB_CFSR_DIVBYZERO       (1u << 25)
#define SCB_HFSR_FORCED          (1u << 30)
#define SCB_HFSR_DEBUGEVT        (1u << 31)
#define SCB_CPACR_CP10_CP11_FULL (0xFu << 20)

typedef struct {
    volatile uint32_t TYPE;
    volatile uint32_t CTRL;
    volatile uint32_t RNR;
    volatile uint32_t RBAR;
    volatile uint32_t RASR;
} mpu_regs;

#define MPU ((mpu_regs *)0xE000ED90u)

#define MPU_TYPE_EIGHT_REGIONS 0x800u
#define MPU_CTRL_ENABLE        (1u << 0)
#define MPU_CTRL_PRIVDEFENA    (1u << 2)
#define MPU_RBAR_VALID         (1u << 4)
#define MPU_RASR_ENABLE        (1u << 0)
#define MPU_RASR_SIZE_SHIFT    1
#define MPU_RASR_SRD_SHIFT     8
#define MPU_RASR_AP_SHIFT      24
#define MPU_RASR_XN            (1u << 28)

#define FPU_FPCCR        (*(volatile uint32_t *)0xE000EF34u)
#define FPU_FPCCR_LSPACT (1u << 0)
#define FPU_FPCCR_LSPEN  (1u << 30)
#define FPU_FPCCR_ASPEN  (1u << 31)
#define FPU_FPCAR        (*(volatile uint32_t *)0xE000EF38u)
#define FPU_MVFR0        (*(volatile uint32_t *)0xE000EF40u)
#define FPU_MVFR1        (*(volatile uint32_t *)0xE000EF44u)

#define CORE_DEBUG_DEMCR        (*(volatile uint32_t *)0xE000EDFCu)
#define CORE_DEBUG_DEMCR_TRCENA (1u << 24)

typedef struct {
    volatile uint32_t CTRL;
    volatile uint32_t CYCCNT;
} dwt_regs;

#define DWT                ((dwt_regs *)0xE0001000u)
#define DWT_CTRL_CYCCNTENA (1u << 0)

/* Exception numbers, as read from IPSR. */
enum {
    EXCEPTION_NMI = 2,
    EXCEPTION_HARD_FAULT = 3,
    EXCEPTION_MEM_MANAGE = 4,
    EXCEPTION_BUS_FAULT = 5,
    EXCEPTION_USAGE_FAULT = 6,
    EXCEPTION_SVCALL = 11,
    EXCEPTION_PENDSV = 14,
    EXCEPTION_SYSTICK = 15,
    EXCEPTION_IRQ0 = 16,
};

#endif
