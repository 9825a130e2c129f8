/*
 * Clock tree: HSE 8 MHz -> PLL -> 168 MHz.
 *
 *   HCLK 168 MHz   APB1 42 MHz (timers 84 MHz)   APB2 84 MHz   MCO1 (PA8) = HSI 16 MHz
 *
 * MCO1 is the camera's XCLK, which may have 10 to 48 MHz. HSI drives it: 168 MHz has no divider for
 * 24 MHz there. The sensor's own PLL makes 24 MHz of it (docs/adr/0008-xclk.md).
 */
#ifndef DRIVERS_CLOCK_H
#define DRIVERS_CLOCK_H

#include <stdint.h>

#define CLOCK_HSI_HZ  16000000u
#define CLOCK_HSE_HZ  8000000u
#define CLOCK_HCLK_HZ 168000000u
#define CLOCK_APB1_HZ (CLOCK_HCLK_HZ / 4u)

enum clock_error {
    CLOCK_ERROR_HSE = -1,    /* crystal did not start: the board still runs from HSI */
    CLOCK_ERROR_PLL = -2,    /* PLL did not lock */
    CLOCK_ERROR_SWITCH = -3, /* PLL runs but the system clock did not change over */
};

/* Brings the core to CLOCK_HCLK_HZ. Returns 0 or a clock_error; on error the core runs at HSI. */
int clock_start(void);

#endif
