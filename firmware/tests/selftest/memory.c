/* Memories, unaligned and exclusive access, bit-band aliases, code in SRAM. */
#include "tests/selftest/selftest.h"

#include <stdint.h>

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/stm32f407_regs.h"
#include "tests/selftest/vectors.h"
#include "tests/support/fault_catch.h"
#include "tests/support/report.h"

/* One word of an alias region stands for one bit (PM0214, 2.2.5). */
#define BITBAND_SRAM             0x22000000u
#define BITBAND_PERIPHERAL       0x42000000u
#define BITBAND_REGION_MASK      0x000FFFFFu
#define BITBAND_BYTES_PER_BYTE   32u
#define BITBAND_BYTES_PER_BIT    4u
#define BITBAND_BIT              5u
#define FLASH_START              0x08000000u
#define THUMB_ENTRY              1u
#define THUMB_MOVS_R0(immediate) (0x2000u | (immediate))
#define THUMB_BX_LR              0x4770u

static volatile uint32_t *bitband(uint32_t alias, volatile const void *word, uint32_t bit) {
    uint32_t offset = (uint32_t)word & BITBAND_REGION_MASK;
    return (volatile uint32_t *)(alias + offset * BITBAND_BYTES_PER_BYTE +
                                 bit * BITBAND_BYTES_PER_BIT);
}

static void check_unaligned(void) {
    static uint8_t bytes[16] __attribute__((aligned(4)));
    for (uint8_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    uint32_t value;
    __asm volatile("ldr %0, [%1, #1]" : "=r"(value) : "r"(bytes) : "memory");
    report_check("unaligned_load", value == 0x04030201u, value);
    __asm volatile("strh %1, [%0, #3]" ::"r"(bytes), "r"(0xBEEFu) : "memory");
    report_check("unaligned_store", bytes[3] == 0xEF && bytes[4] == 0xBE, bytes[4]);
}

static void check_exclusive(void) {
    static volatile uint32_t word;
    uint32_t value;
    uint32_t refused;
    __asm volatile("ldrex %0, [%2]     \n"
                   "add   %0, %0, #1   \n"
                   "strex %1, %0, [%2] \n"
                   : "=&r"(value), "=&r"(refused)
                   : "r"(&word)
                   : "memory");
    report_check("exclusive_store", refused == 0 && word == 1, refused);
    __asm volatile("ldrex %0, [%2]     \n"
                   "clrex              \n"
                   "strex %1, %0, [%2] \n"
                   : "=&r"(value), "=&r"(refused)
                   : "r"(&word)
                   : "memory");
    report_check("exclusive_cleared", refused == 1, refused);
}

static void empty_handler(void) {}

/* Exception entry or return clears the monitor (DDI0403, B1.5.8): a lock is not taken twice. */
static void check_exclusive_across_exception(void) {
    static volatile uint32_t word;
    uint32_t value;
    uint32_t refused;
    vectors_install(EXCEPTION_SVCALL, empty_handler);
    __asm volatile("ldrex %0, [%2]     \n"
                   "svc   #0           \n"
                   "strex %1, %0, [%2] \n"
                   : "=&r"(value), "=&r"(refused)
                   : "r"(&word)
                   : "memory");
    report_check("exclusive_ends_with_exception", refused == 1, refused);
}

static void check_bitband(void) {
    static volatile uint32_t word;
    volatile uint32_t *alias = bitband(BITBAND_SRAM, &word, BITBAND_BIT);
    *alias = 1;
    uint32_t set = word;
    uint32_t read = *alias;
    *alias = 0;
    report_check("bitband_sram", set == 1u << BITBAND_BIT && read == 1 && word == 0, set);

    /* A register that every engine has, and that counts for smartcards only. */
    alias = bitband(BITBAND_PERIPHERAL, &USART2->GTPR, BITBAND_BIT);
    *alias = 1;
    set = USART2->GTPR;
    read = *alias;
    *alias = 0;
    report_check("bitband_peripheral", set == 1u << BITBAND_BIT && read == 1 && USART2->GTPR == 0,
                 set);
}

static void check_code_in_sram(void) {
    static volatile uint16_t code[2] __attribute__((aligned(4)));
    uint32_t (*run)(void) = (uint32_t(*)(void))((uint32_t)code | THUMB_ENTRY);
    code[0] = THUMB_MOVS_R0(0x11u);
    code[1] = THUMB_BX_LR;
    cpu_synchronise();
    uint32_t first = run();
    report_check("code_in_sram", first == 0x11, first);
    code[0] = THUMB_MOVS_R0(0x22u);
    cpu_synchronise();
    uint32_t second = run();
    report_check("code_changes_itself", second == 0x22, second);
}

static void check_regions(void) {
    static volatile uint32_t ccm_word __attribute__((section(".ccm")));
    fault_expect(FAULT_SKIP_INSTRUCTION); /* not every emulator has this memory */
    ccm_word = 0xC0DEC0DEu;
    uint32_t ccm = ccm_word;
    uint32_t faults = fault_caught().count;
    report_check("ccm", faults == 0 && ccm == 0xC0DEC0DEu, faults);

    /* With BOOT0 low the Flash also shows at 0; volatile hides the null pointer from the compiler.
     */
    volatile uint32_t alias_address = 0;
    uint32_t alias = *(volatile uint32_t *)alias_address;
    report_check("flash_alias_at_0", alias == *(volatile uint32_t *)FLASH_START, alias);
}

void test_memory(void) {
    check_unaligned();
    check_exclusive();
    check_exclusive_across_exception();
    check_bitband();
    check_code_in_sram();
    check_regions();
}
