/* Faults: which handler runs, what the status registers say, where the program goes on. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

/* Reserved in the memory map of the STM32F407. */
#define UNMAPPED_ADDRESS 0x30000000u

/* Peripherals are never executable (PM0214, 2.2.3). */
#define NO_EXECUTE_ADDRESS 0x40000001u

#define SEMIHOSTING_WRITE0 4u
#define PRIORITY_HIGH      0x40u
#define PRIORITY_LOW       0x80u
#define OWN_FAULTS         (SCB_SHCSR_MEMFAULTENA | SCB_SHCSR_BUSFAULTENA | SCB_SHCSR_USGFAULTENA)

static void load_unmapped(uint32_t *load_address) {
    uint32_t value;
    __asm volatile("adr   %0, 1f   \n"
                   ".balign 4      \n"
                   "1:             \n"
                   "ldr.w %1, [%2] \n"
                   : "=&r"(*load_address), "=&r"(value)
                   : "r"(UNMAPPED_ADDRESS)
                   : "memory");
}

static void execute_undefined(void) {
    __asm volatile("udf #3" ::: "memory");
}

static void jump_to(uint32_t address) {
    __asm volatile("blx %0" ::"r"(address) : "r0", "r1", "r2", "r3", "r12", "lr", "cc", "memory");
}

static void check_bus_fault_escalates(void) {
    uint32_t load_address = 0;
    fault_expect(FAULT_SKIP_INSTRUCTION);
    load_unmapped(&load_address);
    fault_record fault = fault_caught();
    report_check("bus_fault_escalates", fault.exception == EXCEPTION_HARD_FAULT, fault.exception);
    report_check("bus_fault_pc", fault.pc == (load_address & ~3u), fault.pc);
    report_check("bus_fault_cfsr", fault.cfsr == (SCB_CFSR_PRECISERR | SCB_CFSR_BFARVALID),
                 fault.cfsr);
    report_check("bus_fault_hfsr", fault.hfsr == SCB_HFSR_FORCED, fault.hfsr);
    report_check("bus_fault_bfar", fault.bfar == UNMAPPED_ADDRESS, fault.bfar);
    report_check("fault_status_cleared", SCB->CFSR == 0 && SCB->HFSR == 0, SCB->CFSR);
}

static void check_undefined_escalates(void) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    execute_undefined();
    fault_record fault = fault_caught();
    report_check("undefined_escalates", fault.count == 1 && fault.exception == EXCEPTION_HARD_FAULT,
                 fault.exception);
    report_check("undefined_cfsr", fault.cfsr == SCB_CFSR_UNDEFINSTR, fault.cfsr);
}

static void check_own_exceptions(void) {
    SCB->SHCSR |= OWN_FAULTS;
    uint32_t load_address = 0;
    fault_expect(FAULT_SKIP_INSTRUCTION);
    load_unmapped(&load_address);
    fault_record fault = fault_caught();
    report_check("bus_fault_own", fault.exception == EXCEPTION_BUS_FAULT && fault.hfsr == 0,
                 fault.exception);

    fault_expect(FAULT_SKIP_INSTRUCTION);
    execute_undefined();
    fault = fault_caught();
    report_check("usage_fault_own", fault.exception == EXCEPTION_USAGE_FAULT && fault.hfsr == 0,
                 fault.exception);
}

/* A jump to an even address asks for the Arm state, which this core lacks. */
static void check_invalid_state(void) {
    fault_expect(FAULT_RETURN_TO_CALLER);
    jump_to((uint32_t)execute_undefined & ~1u);
    fault_record fault = fault_caught();
    report_check("invalid_state", fault.exception == EXCEPTION_USAGE_FAULT, fault.exception);
    report_check("invalid_state_cfsr", fault.cfsr == SCB_CFSR_INVSTATE, fault.cfsr);
}

static void check_fpu_off(void) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    SCB->CPACR &= ~SCB_CPACR_CP10_CP11_FULL;
    cpu_synchronise();
    __asm volatile("vmov.f32 s0, #1.0" ::: "s0", "memory");
    SCB->CPACR |= SCB_CPACR_CP10_CP11_FULL;
    cpu_synchronise();
    fault_record fault = fault_caught();
    report_check("fpu_off_faults", fault.exception == EXCEPTION_USAGE_FAULT, fault.count);
    report_check("fpu_off_cfsr", fault.cfsr == SCB_CFSR_NOCP, fault.cfsr);
}

/* With a host listening the call is answered; without one it is a debug event. */
static void check_semihosting(void) {
    fault_expect(FAULT_SKIP_INSTRUCTION);
    register uint32_t operation __asm("r0") = SEMIHOSTING_WRITE0;
    register const char *text __asm("r1") = "m- semihosting\n";
    __asm volatile("bkpt #0xAB" : "+r"(operation) : "r"(text) : "memory");
    fault_record fault = fault_caught();
    report_check("semihosting_call", fault.count == 0 || (fault.hfsr & SCB_HFSR_DEBUGEVT) != 0,
                 fault.count);
}

void test_faults(void) {
    check_bus_fault_escalates();
    check_undefined_escalates();
    check_own_exceptions();
    check_invalid_state();
    check_fpu_off();
    check_semihosting();
    SCB->SHCSR &= ~OWN_FAULTS;
}

static void check_no_execute(void) {
    fault_expect(FAULT_RETURN_TO_CALLER);
    jump_to(NO_EXECUTE_ADDRESS);
    fault_record fault = fault_caught();
    report_check("mem_manage_own", fault.exception == EXCEPTION_MEM_MANAGE, fault.exception);
    report_check("no_execute_cfsr", (fault.cfsr & SCB_CFSR_IACCVIOL) != 0, fault.cfsr);
}

/* A fault whose own priority is masked becomes a hard fault even though it is enabled. */
static void check_masked_fault_escalates(void) {
    SCB->SHPR[EXCEPTION_USAGE_FAULT - EXCEPTION_MEM_MANAGE] = PRIORITY_LOW;
    __asm volatile("msr basepri, %0\n isb" ::"r"(PRIORITY_HIGH) : "memory");
    fault_expect(FAULT_SKIP_INSTRUCTION);
    execute_undefined();
    fault_record fault = fault_caught();
    __asm volatile("msr basepri, %0\n isb" ::"r"(0) : "memory");
    SCB->SHPR[EXCEPTION_USAGE_FAULT - EXCEPTION_MEM_MANAGE] = 0;
    report_check("masked_fault_escalates",
                 fault.exception == EXCEPTION_HARD_FAULT && fault.hfsr == SCB_HFSR_FORCED,
                 fault.exception);
}

/* What an emulator may not survive comes last, when everything else was checked. */
void test_fatal_faults(void) {
    SCB->SHCSR |= OWN_FAULTS;
    check_no_execute();
    check_masked_fault_escalates();
    SCB->SHCSR &= ~OWN_FAULTS;
}
