#include "tests/support/fault_catch.h"

#include <stdbool.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "tests/support/exception_entry.h"
#include "tests/support/report.h"

#define PSR_THUMB (1u << 24)

/* First halfwords from here up start a 32-bit instruction (DDI0403, A5.1). */
#define THUMB_32_BIT_FIRST 0xE800u

static volatile fault_record record;
static volatile bool expected;
static volatile fault_recovery recovery;

void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);
void fault_catch(fault_frame *pushed);

EXCEPTION_ENTRY(HardFault_Handler, fault_catch)
EXCEPTION_ENTRY(MemManage_Handler, fault_catch)
EXCEPTION_ENTRY(BusFault_Handler, fault_catch)
EXCEPTION_ENTRY(UsageFault_Handler, fault_catch)

void fault_expect(fault_recovery wanted) {
    record.count = 0;
    record.exception = 0;
    recovery = wanted;
    expected = true;
}

fault_record fault_caught(void) {
    expected = false;
    return record;
}

static void go_on_behind(fault_frame *pushed) {
    uint16_t instruction = *(const uint16_t *)pushed->pc;
    pushed->pc += instruction >= THUMB_32_BIT_FIRST ? 4u : 2u;
}

static void return_to_caller(fault_frame *pushed) {
    pushed->pc = pushed->lr & ~1u;
    pushed->psr |= PSR_THUMB;
}

static _Noreturn void give_up(uint32_t value) {
    report_check("unexpected_exception", false, value);
    report_done();
    cpu_stop();
}

__attribute__((used)) void fault_catch(fault_frame *pushed) {
    if (!expected) {
        give_up(pushed->pc);
    }
    record.count++;
    record.exception = cpu_active_exception();
    record.pc = pushed->pc;
    record.cfsr = SCB->CFSR;
    record.hfsr = SCB->HFSR;
    record.mmfar = SCB->MMFAR;
    record.bfar = SCB->BFAR;
    SCB->CFSR = record.cfsr; /* a bit is cleared by writing 1 to it */
    SCB->HFSR = record.hfsr;
    if (recovery == FAULT_SKIP_INSTRUCTION) {
        go_on_behind(pushed);
    } else {
        return_to_caller(pushed);
    }
}

void fault_unexpected(uint32_t exception) {
    give_up(exception);
}
