/* DMA2 from memory to memory, with half and full interrupts. */
#include "tests/periph/periph.h"

#include <stdbool.h>
#include <stdint.h>

#include "drivers/cpu.h"
#include "drivers/dma.h"
#include "drivers/nvic.h"
#include "drivers/tick.h"
#include "tests/support/report.h"

#define DMA_PRIORITY 0x40u
#define WORDS        256u
#define LIMIT_MS     50u
#define FILL_VALUE   0x5A5A1234u

static const dma_stream stream = {DMA2, 0};
static uint32_t source[WORDS];
static uint32_t destination[WORDS];
static volatile uint32_t halves;
static volatile uint32_t wholes;
static volatile bool half_came_first;

void DMA2_Stream0_IRQHandler(void) {
    uint32_t flags = dma_take_flags(&stream);
    if (flags & DMA_FLAG_HT) {
        halves++;
        half_came_first = wholes == 0;
    }
    if (flags & DMA_FLAG_TC) {
        wholes++;
    }
}

/* In memory-to-memory mode the "peripheral" is the source. */
static void transfer(uint32_t increments) {
    const dma_transfer copy = {
        .control = DMA_SxCR_DIR_M2M | increments | DMA_SxCR_PSIZE_WORD | DMA_SxCR_MSIZE_WORD |
                   DMA_SxCR_HTIE | DMA_SxCR_TCIE | DMA_SxCR_TEIE,
        .fifo = DMA_SxFCR_DMDIS | DMA_SxFCR_FTH_FULL, /* direct mode is not for this */
        .peripheral = source,
        .memory = destination,
        .items = WORDS,
    };
    halves = 0;
    wholes = 0;
    half_came_first = false;
    (void)dma_start(&stream, &copy);
    uint32_t begin = tick_count();
    while (wholes == 0 && tick_count() - begin < LIMIT_MS / TICK_MS) {
    }
}

static uint32_t count_equal(const uint32_t *expected, uint32_t step) {
    uint32_t equal = 0;
    for (uint32_t i = 0; i < WORDS; i++) {
        equal += destination[i] == expected[i * step] ? 1u : 0u;
    }
    return equal;
}

void test_dma(void) {
    for (uint32_t i = 0; i < WORDS; i++) {
        source[i] = i * 0x01010101u + 7u;
    }
    dma_init(&stream);
    nvic_enable(DMA2_Stream0_IRQn, DMA_PRIORITY);

    transfer(DMA_SxCR_PINC | DMA_SxCR_MINC);
    uint32_t equal = count_equal(source, 1);
    report_check("dma_copies", equal == WORDS, equal);
    report_check("dma_half_interrupt", halves == 1 && half_came_first, halves);
    report_check("dma_full_interrupt", wholes == 1, wholes);
    report_check("dma_stops_by_itself",
                 dma_remaining(&stream) == 0 && (DMA2->STREAM[0].CR & DMA_SxCR_EN) == 0,
                 dma_remaining(&stream));

    source[0] = FILL_VALUE;
    transfer(DMA_SxCR_MINC);
    equal = count_equal(source, 0);
    report_check("dma_fills", equal == WORDS, equal);
    nvic_disable(DMA2_Stream0_IRQn);
}
