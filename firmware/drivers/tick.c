#include "drivers/tick.h"

#include "drivers/cortex_m4_regs.h"
#include "drivers/cpu.h"
#include "drivers/nvic.h"

static volatile uint32_t ticks;

void SysTick_Handler(void);

void SysTick_Handler(void) {
    ticks++;
}

void tick_start(uint32_t hclk_hz) {
    SCB->SHPR[EXCEPTION_SYSTICK - EXCEPTION_MEM_MANAGE] = NVIC_PRIORITY_TICK;
    SYSTICK->RVR = hclk_hz / 1000u * TICK_MS - 1u;
    SYSTICK->CVR = 0;
    SYSTICK->CSR = SYST_CSR_CLKSOURCE | SYST_CSR_TICKINT | SYST_CSR_ENABLE;
}

uint32_t tick_count(void) {
    return ticks;
}

void tick_delay(uint32_t duration_ms) {
    /* One more than asked for: the first tick may be about to end. */
    uint32_t wanted = duration_ms / TICK_MS + 1u;
    uint32_t start = ticks;
    while (ticks - start < wanted) {
        cpu_wait_for_interrupt();
    }
}
