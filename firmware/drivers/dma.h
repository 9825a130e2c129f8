/*
 * DMA streams (RM0090, chapter 10).
 *
 * A stream moves one transfer, then stops by itself. The owner of the stream owns its interrupt
 * handler and calls dma_take_flags() in it.
 */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include <stdint.h>

#include "drivers/stm32f407_regs.h"

enum dma_error {
    DMA_ERROR_BUSY = -1, /* the stream would not stop */
};

typedef struct {
    dma_regs *controller;
    uint32_t index; /* 0 to 7 */
} dma_stream;

typedef struct {
    uint32_t control; /* DMA_SxCR bits without EN */
    uint32_t fifo;    /* DMA_SxFCR bits; 0 is direct mode */
    volatile const void *peripheral;
    const volatile void *memory;
    uint32_t items; /* of the peripheral's size, at most 65535 */
} dma_transfer;

/* Clocks the controller. */
void dma_init(const dma_stream *stream);

/* Stops what the stream does, clears its flags and starts the transfer. 0 or a dma_error. */
int dma_start(const dma_stream *stream, const dma_transfer *transfer);

/* Stops the stream between two items. 0 or a dma_error. */
int dma_stop(const dma_stream *stream);

/* Returns the stream's flags (DMA_FLAG_*) and clears those that were set. */
uint32_t dma_take_flags(const dma_stream *stream);

/* Items that have not moved yet. */
uint32_t dma_remaining(const dma_stream *stream);

#endif
