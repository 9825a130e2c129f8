/*
 * The boot loader: of two slots the image with the higher version runs where it stands, once its
 * hash and signature are right. A new image is tried once; unless it confirms itself, the next
 * reset goes back to the other (MCUboot's direct-XIP with revert).
 *
 * A security counter below the largest that was ever confirmed is refused. Nothing is erased, and
 * the one word that is written says "tried": half written it says so too.
 */
#include <stddef.h>

#include "boot/boot_image.h"
#include "boot/boot_key.h"
#include "boot/boot_state.h"
#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/flash_program.h"
#include "drivers/stm32f407_regs.h"
#include "startup/fault.h"

#define SLOTS       2u
#define SLOT_A      0x08020000u /* sectors 5 to 7 */
#define SLOT_B      0x08080000u /* sectors 8 to 10 */
#define SLOT_BYTES  0x60000u
#define TRIED       1u
#define RAM_BASE    0x20000000u
#define RAM_BYTES   0x20000u
#define RDP_LEVEL_0 0xAAu

#ifndef BOOT_REQUIRE_PROTECTION
#define BOOT_REQUIRE_PROTECTION 0 /* 1: with the Flash open to a debugger nothing is started */
#endif

typedef struct {
    uint32_t base;
    boot_image image;
    bool good;
} candidate;

void fault_report(const fault_frame *frame) {
    (void)frame;
    cpu_stop();
}

void fault_unexpected(uint32_t exception) {
    (void)exception;
    cpu_stop();
}

static bool is_protected(void) {
    return ((FLASH->OPTCR & FLASH_OPTCR_RDP_MASK) >> FLASH_OPTCR_RDP_SHIFT) != RDP_LEVEL_0;
}

/* Its stack lies in RAM, its reset handler in its own slot, in Thumb state. */
static bool has_vectors(uint32_t base) {
    const uint32_t *vectors = (const uint32_t *)(base + BOOT_HEADER_BYTES);
    bool stack = vectors[0] - RAM_BASE <= RAM_BYTES && vectors[0] % 8u == 0;
    bool entry = vectors[1] - base < SLOT_BYTES && (vectors[1] & 1u);
    return stack && entry;
}

static void look_at(candidate *slot, uint32_t base, uint32_t least_counter) {
    slot->base = base;
    slot->good = boot_image_check((const uint8_t *)base, SLOT_BYTES, boot_key, &slot->image) == 0 &&
                 slot->image.security_counter >= least_counter && has_vectors(base);
}

/* What must be written before it may run. 0, or an error: then it must not. */
static int prepare(const candidate *slot) {
    if (slot->image.confirmed) {
        return boot_state_raise(slot->image.security_counter);
    }
    return flash_program_word(slot->base + boot_image_tried_offset(SLOT_BYTES), TRIED);
}

static _Noreturn void start(uint32_t base) {
    const uint32_t *vectors = (const uint32_t *)(base + BOOT_HEADER_BYTES);
    SCB->VTOR = (uint32_t)vectors;
    cpu_synchronise();
    __asm volatile("msr msp, %0\n bx %1" : : "r"(vectors[0]), "r"(vectors[1]) : "memory");
    __builtin_unreachable();
}

static candidate *better(candidate slots[SLOTS]) {
    candidate *best = NULL;
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (slots[i].good && (best == NULL || slots[i].image.version > best->image.version)) {
            best = &slots[i];
        }
    }
    return best;
}

int main(void) {
    candidate slots[SLOTS] = {0};
    if (BOOT_REQUIRE_PROTECTION && !is_protected()) {
        cpu_stop();
    }
    uint32_t least_counter = boot_state_counter();
    look_at(&slots[0], SLOT_A, least_counter);
    look_at(&slots[1], SLOT_B, least_counter);
    for (candidate *best = better(slots); best != NULL; best = better(slots)) {
        if (prepare(best) == 0) {
            start(best->base);
        }
        best->good = false;
    }
    cpu_stop();
}
