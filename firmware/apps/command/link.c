#include "apps/command/link.h"

#include "drivers/dma.h"
#include "drivers/nvic.h"

#define RX_CHANNEL 4u   /* USART2_RX on DMA1 stream 5 (RM0090, table 42) */
#define RING_BYTES 256u /* 22 ms of line */

static const dma_stream rx_stream = {DMA1, 5};
static volatile uint8_t ring[RING_BYTES];
static uint32_t taken;
static link_frame partial;

void USART2_IRQHandler(void);

/* Only wakes the core. The flag goes with a read of SR, then of DR (RM0090, 30.6.1). */
void USART2_IRQHandler(void) {
    (void)USART2->SR;
    (void)USART2->DR;
}

int link_start(void) {
    const dma_transfer transfer = {
        .control = (RX_CHANNEL << DMA_SxCR_CHSEL_SHIFT) | DMA_SxCR_DIR_P2M | DMA_SxCR_MINC |
                   DMA_SxCR_CIRC | DMA_SxCR_PSIZE_BYTE | DMA_SxCR_MSIZE_BYTE,
        .fifo = 0,
        .peripheral = &USART2->DR,
        .memory = ring,
        .items = RING_BYTES,
    };
    dma_init(&rx_stream);
    int err = dma_start(&rx_stream, &transfer);
    if (err) {
        return err;
    }
    USART2->CR3 |= USART_CR3_DMAR;
    USART2->CR1 |= USART_CR1_IDLEIE;
    nvic_enable(USART2_IRQn, NVIC_PRIORITY_CONSOLE);
    return 0;
}

static uint32_t filled(void) {
    return (RING_BYTES - dma_remaining(&rx_stream)) % RING_BYTES;
}

bool link_has_bytes(void) {
    return filled() != taken;
}

bool link_in_frame(void) {
    return partial.size_bytes > 0;
}

/* Counts on when the frame is too long, so that its end is found. */
static void keep(uint8_t byte) {
    if (partial.size_bytes < PACKET_MOST_FRAME) {
        partial.bytes[partial.size_bytes] = byte;
    }
    if (partial.size_bytes <= PACKET_MOST_FRAME) {
        partial.size_bytes++;
    }
}

bool link_take(link_frame *frame) {
    while (link_has_bytes()) {
        uint8_t byte = ring[taken];
        taken = (taken + 1u) % RING_BYTES;
        if (byte != 0) {
            keep(byte);
        } else if (partial.size_bytes > 0) {
            *frame = partial;
            partial.size_bytes = 0;
            return true;
        }
    }
    return false;
}

void link_pause(void) {
    USART2->CR1 &= ~USART_CR1_RE;
}

void link_resume(void) {
    USART2->CR1 |= USART_CR1_RE;
}
