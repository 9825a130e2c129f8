#include "drivers/dma.h"

#define STREAMS_PER_FLAG_REGISTER 4u

/* A stream stops after the item under way: a few bus cycles, never this many reads. */
#define DMA_STOP_POLL_LIMIT 10000u

static dma_stream_regs *regs_of(const dma_stream *stream) {
    return &stream->controller->STREAM[stream->index];
}

/* Where a stream's flags start in LISR and HISR (RM0090, 10.5.1). */
static uint32_t flag_shift(const dma_stream *stream) {
    static const uint8_t shifts[STREAMS_PER_FLAG_REGISTER] = {0, 6, 16, 22};
    return shifts[stream->index % STREAMS_PER_FLAG_REGISTER];
}

static void clear_flags(const dma_stream *stream, uint32_t flags) {
    uint32_t half = stream->index / STREAMS_PER_FLAG_REGISTER;
    stream->controller->IFCR[half] = flags << flag_shift(stream);
}

void dma_init(const dma_stream *stream) {
    RCC->AHB1ENR |= stream->controller == DMA1 ? RCC_AHB1ENR_DMA1EN : RCC_AHB1ENR_DMA2EN;
    (void)RCC->AHB1ENR;
}

int dma_stop(const dma_stream *stream) {
    dma_stream_regs *regs = regs_of(stream);
    if (!(regs->CR & DMA_SxCR_EN)) {
        return 0;
    }
    regs->CR &= ~DMA_SxCR_EN;
    for (uint32_t poll = 0; poll < DMA_STOP_POLL_LIMIT; poll++) {
        if (!(regs->CR & DMA_SxCR_EN)) {
            return 0;
        }
    }
    return DMA_ERROR_BUSY;
}

int dma_start(const dma_stream *stream, const dma_transfer *transfer) {
    int err = dma_stop(stream);
    if (err) {
        return err;
    }
    dma_stream_regs *regs = regs_of(stream);
    clear_flags(stream, DMA_FLAGS_ALL);
    regs->PAR = (uint32_t)transfer->peripheral;
    regs->M0AR = (uint32_t)transfer->memory;
    regs->NDTR = transfer->items;
    regs->FCR = transfer->fifo;
    regs->CR = transfer->control;
    regs->CR = transfer->control | DMA_SxCR_EN;
    return 0;
}

uint32_t dma_take_flags(const dma_stream *stream) {
    uint32_t half = stream->index / STREAMS_PER_FLAG_REGISTER;
    uint32_t flags = (stream->controller->ISR[half] >> flag_shift(stream)) & DMA_FLAGS_ALL;
    clear_flags(stream, flags);
    return flags;
}

uint32_t dma_remaining(const dma_stream *stream) {
    return regs_of(stream)->NDTR;
}
