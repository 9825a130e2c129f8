/* The MPU, and what unprivileged code may not reach. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/selftest/vectors.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

#define FLASH_START      0x08000000u
#define FLASH_LOG2       20u
#define SRAM_START       0x20000000u
#define SRAM_LOG2        17u
#define GUARD_LOG2       5u
#define GUARD            0x100u
#define PAGE             0x400u
#define PAGE_LOG2        10u
#define LAST_EIGHTH_ONLY 0x7Fu
#define THUMB_BX_LR      0x4770u
#define REFUSED          (SCB_CFSR_DACCVIOL | SCB_CFSR_MMARVALID)

/* RASR.AP (DDI0403, table B3-15). */
enum { NO_ACCESS = 0, PRIVILEGED = 1, FULL = 3, READ_ONLY = 6 };

static uint8_t arena[4u * PAGE] __attribute__((aligned(4096)));

static void set_region(uint32_t number, uint32_t address, uint32_t log2, uint32_t attributes) {
    MPU->RBAR = address | MPU_RBAR_VALID | number;
    MPU->RASR = attributes | (log2 - 1u) << MPU_RASR_SIZE_SHIFT | MPU_RASR_ENABLE;
}

static uint32_t rights(uint32_t access) {
    return access << MPU_RASR_AP_SHIFT;
}

static void start_mpu(void) {
    uint32_t at = (uint32_t)arena;
    set_region(0, FLASH_START, FLASH_LOG2, rights(READ_ONLY));
    set_region(1, SRAM_START, SRAM_LOG2, rights(FULL));
    set_region(2, at + GUARD, GUARD_LOG2, rights(NO_ACCESS));
    set_region(3, at + PAGE, PAGE_LOG2, rights(READ_ONLY) | MPU_RASR_XN);
    set_region(4, at + 2u * PAGE, PAGE_LOG2, rights(PRIVILEGED));
    set_region(5, at + 3u * PAGE, PAGE_LOG2,
               LAST_EIGHTH_ONLY << MPU_RASR_SRD_SHIFT); /* no access */
    MPU->CTRL = MPU_CTRL_ENABLE | MPU_CTRL_PRIVDEFENA;
    cpu_synchronise();
}

static void load_from(uint32_t address) {
    __asm volatile("ldr.w r2, [%0]" ::"r"(address) : "r2", "memory");
}

static void store_to(uint32_t address) {
    __asm volatile("str.w %0, [%0]" ::"r"(address) : "memory");
}

static void check_refused(const char *name, void (*access)(uint32_t), uint32_t address) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    access(address);
    fault_record fault = fault_caught();
    report_check(name,
                 fault.count == 1 && fault.exception == EXCEPTION_MEM_MANAGE &&
                     fault.cfsr == REFUSED && fault.mmfar == address,
                 fault.count ? fault.cfsr : 0u);
}

static void check_allowed(const char *name, void (*access)(uint32_t), uint32_t address) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    access(address);
    fault_record fault = fault_caught();
    report_check(name, fault.count == 0, fault.count);
}

static void check_regions(void) {
    uint32_t at = (uint32_t)arena;
    check_refused("mpu_guard_load", load_from, at + GUARD);
    check_refused("mpu_guard_store", store_to, at + GUARD + 28u);
    check_allowed("mpu_below_guard", store_to, at + GUARD - 4u);
    check_allowed("mpu_above_guard", store_to, at + GUARD + 32u);
    check_allowed("mpu_read_only_load", load_from, at + PAGE);
    check_refused("mpu_read_only_store", store_to, at + PAGE + 4u);
    check_refused("mpu_subregion_on", store_to, at + 4u * PAGE - 4u);
    check_allowed("mpu_subregion_off", store_to, at + 3u * PAGE);
}

static void check_execute_never(void) {
    fault_expect(FAULT_RETURN_TO_CALLER);
    __asm volatile("blx %0" ::"r"((uint32_t)&arena[PAGE] | 1u)
                   : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
    fault_record fault = fault_caught();
    report_check("mpu_execute_never", fault.count == 1 && (fault.cfsr & SCB_CFSR_IACCVIOL) != 0,
                 fault.count ? fault.cfsr : 0u);
    report_check("mpu_execute_never_pc", fault.pc == (uint32_t)&arena[PAGE], fault.pc);
}

static void become_privileged(void) {
    __asm volatile("mrs r0, control \n"
                   "bic r0, r0, #1  \n"
                   "msr control, r0 \n"
                   "isb             \n" ::
                       : "r0", "memory");
}

/* One load without privileges, and back by an SVC. */
static fault_record load_unprivileged(uint32_t address) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    __asm volatile("mrs   r3, control  \n"
                   "orr   r3, r3, #1   \n"
                   "msr   control, r3  \n"
                   "isb                \n"
                   "ldr.w r2, [%0]     \n"
                   "svc   #0           \n" ::"r"(address)
                   : "r0", "r2", "r3", "cc", "memory");
    return fault_caught();
}

static void check_privileges(void) {
    vectors_install(EXCEPTION_SVCALL, become_privileged);
    uint32_t address = (uint32_t)&arena[2u * PAGE];
    check_allowed("mpu_privileged_load", load_from, address);
    fault_record fault = load_unprivileged(address);
    report_check("mpu_unprivileged_load",
                 fault.count == 1 && fault.cfsr == REFUSED && fault.mmfar == address,
                 fault.count ? fault.cfsr : 0u);
    fault = load_unprivileged((uint32_t)arena);
    report_check("mpu_unprivileged_allowed", fault.count == 0, fault.count);
    fault = load_unprivileged((uint32_t)&SCB->CPUID);
    report_check("scs_unprivileged",
                 fault.count == 1 && fault.exception == EXCEPTION_BUS_FAULT &&
                     fault.cfsr == (SCB_CFSR_PRECISERR | SCB_CFSR_BFARVALID),
                 fault.count ? fault.cfsr : 0u);
}

void test_protection(void) {
    *(volatile uint16_t *)&arena[PAGE] = THUMB_BX_LR;
    report_check("mpu_type", MPU->TYPE == MPU_TYPE_EIGHT_REGIONS, MPU->TYPE);
    SCB->SHCSR |= SCB_SHCSR_MEMFAULTENA | SCB_SHCSR_BUSFAULTENA;
    start_mpu();
    check_regions();
    check_execute_never();
    check_privileges();
    MPU->CTRL = 0;
    cpu_synchronise();
    check_allowed("mpu_off", load_from, (uint32_t)&arena[GUARD]);
    SCB->SHCSR &= ~(SCB_SHCSR_MEMFAULTENA | SCB_SHCSR_BUSFAULTENA);
}
