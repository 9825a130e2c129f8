/*
 * Deliberate faults, one a build, to prove that a test suite fails on broken firmware.
 *
 * This is the only place that knows of them. FAULT_INJECTION is set on the compiler's command line
 * for faulty_*.elf; without it every hook below is nothing.
 */
#ifndef APP_FAULT_INJECTION_H
#define APP_FAULT_INJECTION_H

#include <stdint.h>

#define FAULT_NONE      0
#define FAULT_HANG      1 /* stops answering, interrupts still on */
#define FAULT_HARDFAULT 2 /* reads where no device is */
#define FAULT_CROP      3 /* window one byte to the right: chroma is taken for luma */

#ifndef FAULT_INJECTION
#define FAULT_INJECTION FAULT_NONE
#endif

#define FAULT_AFTER_FRAME 2u

/* Reserved in the memory map of the STM32F407: every access is a bus error. */
#define FAULT_UNMAPPED_ADDRESS 0x30000000u

/* To be called when the result of a frame was sent. */
static inline void fault_injection_after_frame(uint32_t frame_number) {
    if (FAULT_INJECTION == FAULT_HANG && frame_number == FAULT_AFTER_FRAME) {
        for (;;) {
        }
    }
    if (FAULT_INJECTION == FAULT_HARDFAULT && frame_number == FAULT_AFTER_FRAME) {
        (void)*(volatile uint32_t *)FAULT_UNMAPPED_ADDRESS;
    }
}

/* Pixel clocks to add to the start of the capture window. */
static inline uint16_t fault_injection_window_shift(void) {
    return FAULT_INJECTION == FAULT_CROP ? 1 : 0;
}

#endif
