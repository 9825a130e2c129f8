/* USART2 receive interrupt: echoes one line from the host. */
#include "tests/periph/periph.h"

#include <stdbool.h>
#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/nvic.h"
#include "drivers/stm32f407_regs.h"
#include "drivers/tick.h"
#include "drivers/usart.h"
#include "tests/support/report.h"

#define USART_ECHO_WANTED 0x4F484345u /* the bytes "ECHO" in memory */
#define ECHO_PRIORITY     0x40u
#define LINE_BYTES        64u
#define LIMIT_MS          2000u

/* Not cleared at reset, so that the host can write it before the first instruction. */
volatile uint32_t usart_echo_mailbox __attribute__((section(".noinit")));

static char line[LINE_BYTES];
static volatile uint32_t received;
static volatile bool ended;

void USART2_IRQHandler(void) {
    if (!(USART2->SR & USART_SR_RXNE)) {
        return;
    }
    char character = (char)USART2->DR; /* reading it clears RXNE */
    if (received < LINE_BYTES) {
        line[received] = character;
        received++;
    }
    if (character == '\n' || received == LINE_BYTES) {
        ended = true;
    }
}

void test_usart_echo(void) {
    if (usart_echo_mailbox != USART_ECHO_WANTED) {
        return;
    }
    usart_echo_mailbox = 0;
    USART2->CR1 |= USART_CR1_RXNEIE;
    nvic_enable(USART2_IRQn, ECHO_PRIORITY);
    report_message("echo ready");
    uint32_t begin = tick_count();
    while (!ended && tick_count() - begin < LIMIT_MS / TICK_MS) {
        cpu_wait_for_interrupt();
    }
    USART2->CR1 &= ~USART_CR1_RXNEIE;
    nvic_disable(USART2_IRQn);
    (void)usart_write_polled(line, received);
    report_check("usart_echo", ended, received);
}
