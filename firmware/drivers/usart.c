#include "drivers/usart.h"

#include "drivers/dma.h"
#include "drivers/gpio.h"
#include "drivers/nvic.h"

#define USART2_TX_DMA_CHANNEL 4u /* RM0090, table 43 */

/* Pause between two looks at a register, about 300 cycles: the bus is left to the DMA meanwhile. */
#define USART_PAUSE_ROUNDS 100u

/* A character takes 87 us, about 50 pauses at 168 MHz; a full line of the console 14 ms. */
#define USART_POLL_LIMIT       1000u
#define USART_DRAIN_POLL_LIMIT 20000u

static const dma_stream tx_stream = {DMA1, 6};
static volatile bool sending;

void usart_init(uint32_t apb1_hz) {
    static const gpio_alternate pins[] = {
        {GPIOA, 2, GPIO_AF_USART2, GPIO_PUSH_PULL},
        {GPIOA, 3, GPIO_AF_USART2, GPIO_PUSH_PULL},
    };
    gpio_use_alternate(&pins[0]);
    gpio_use_alternate(&pins[1]);
    RCC->APB1ENR |= RCC_APB1ENR_USART2EN;
    (void)RCC->APB1ENR;

    /* With 16 samples a bit BRR is the bus clock over the baud, rounded (RM0090, 30.3.4). */
    USART2->BRR = (apb1_hz + USART_BAUD / 2u) / USART_BAUD;
    USART2->CR3 = USART_CR3_DMAT;
    USART2->CR1 = USART_CR1_UE | USART_CR1_TE | USART_CR1_RE;

    dma_init(&tx_stream);
    nvic_enable(DMA1_Stream6_IRQn, NVIC_PRIORITY_CONSOLE);
}

int usart_send(const char *text, uint32_t size_bytes) {
    const dma_transfer transfer = {
        .control = (USART2_TX_DMA_CHANNEL << DMA_SxCR_CHSEL_SHIFT) | DMA_SxCR_DIR_M2P |
                   DMA_SxCR_MINC | DMA_SxCR_PSIZE_BYTE | DMA_SxCR_MSIZE_BYTE | DMA_SxCR_TCIE |
                   DMA_SxCR_TEIE,
        .fifo = 0,
        .peripheral = &USART2->DR,
        .memory = text,
        .items = size_bytes,
    };
    USART2->SR = ~USART_SR_TC; /* set again when the last bit has left (RM0090, 30.3.13) */
    sending = true;
    int err = dma_start(&tx_stream, &transfer);
    if (err) {
        sending = false;
        return USART_ERROR_DMA;
    }
    return 0;
}

void DMA1_Stream6_IRQHandler(void) {
    uint32_t flags = dma_take_flags(&tx_stream);
    if (flags & (DMA_FLAG_TC | DMA_FLAG_TE)) {
        sending = false;
    }
}

bool usart_sending(void) {
    return sending;
}

bool usart_busy(void) {
    return sending || !(USART2->SR & USART_SR_TC);
}

static void pause(void) {
    for (uint32_t i = 0; i < USART_PAUSE_ROUNDS; i++) {
        __asm volatile("");
    }
}

static void wait_for_stream(void) {
    for (uint32_t poll = 0; poll < USART_DRAIN_POLL_LIMIT && dma_remaining(&tx_stream) > 0;
         poll++) {
        pause();
    }
}

static int wait_for_transmitter(void) {
    for (uint32_t poll = 0; poll < USART_POLL_LIMIT; poll++) {
        if (USART2->SR & USART_SR_TXE) {
            return 0;
        }
        pause();
    }
    return USART_ERROR_TIMEOUT;
}

int usart_write_polled(const char *text, uint32_t size_bytes) {
    wait_for_stream();
    for (uint32_t i = 0; i < size_bytes; i++) {
        int err = wait_for_transmitter();
        if (err) {
            return err;
        }
        USART2->DR = (uint8_t)text[i];
    }
    return 0;
}
