#include "drivers/dcmi.h"

#include <stdbool.h>

#include "drivers/cycles.h"
#include "drivers/dma.h"
#include "drivers/gpio.h"
#include "drivers/nvic.h"

#define DCMI_DMA_CHANNEL 1u /* DMA2 stream 1, RM0090 table 44 */

/*
 * The sensor's VSYNC is high and its HREF is low while there are no data, and it changes data on
 * the falling edge of PCLK. VSPOL and HSPOL name the level that means "no data" (15.8.1), so HSPOL
 * stays clear; PCKPOL samples on the rising edge.
 */
#define DCMI_SNAPSHOT (DCMI_CR_CM | DCMI_CR_CROP | DCMI_CR_VSPOL | DCMI_CR_PCKPOL | DCMI_CR_ENABLE)

static const dma_stream capture_stream = {DMA2, 1};

/* Shared with the two interrupt handlers, which have one priority and so never interrupt each
 * other. */
static volatile struct {
    int state;
    uint32_t end_cycles;
    uint32_t vsync_cycles;
    bool vsync_seen; /* since the snapshot was armed */
    bool data_done;
    bool frame_done;
} snapshot;

static void use_pins(void) {
    static const gpio_alternate pins[] = {
        {GPIOC, 6, GPIO_AF_DCMI, GPIO_PUSH_PULL},  {GPIOC, 7, GPIO_AF_DCMI, GPIO_PUSH_PULL},
        {GPIOC, 8, GPIO_AF_DCMI, GPIO_PUSH_PULL},  {GPIOC, 9, GPIO_AF_DCMI, GPIO_PUSH_PULL},
        {GPIOC, 11, GPIO_AF_DCMI, GPIO_PUSH_PULL}, {GPIOB, 6, GPIO_AF_DCMI, GPIO_PUSH_PULL},
        {GPIOE, 5, GPIO_AF_DCMI, GPIO_PUSH_PULL},  {GPIOE, 6, GPIO_AF_DCMI, GPIO_PUSH_PULL},
        {GPIOA, 4, GPIO_AF_DCMI, GPIO_PUSH_PULL},  {GPIOA, 6, GPIO_AF_DCMI, GPIO_PUSH_PULL},
        {GPIOB, 7, GPIO_AF_DCMI, GPIO_PUSH_PULL},  {GPIOA, 8, GPIO_AF_MCO, GPIO_PUSH_PULL},
    };
    for (uint32_t i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        gpio_use_alternate(&pins[i]);
    }
}

void dcmi_init(const dcmi_window *window) {
    use_pins();
    RCC->AHB2ENR |= RCC_AHB2ENR_DCMIEN;
    (void)RCC->AHB2ENR;

    DCMI->CWSTRT = ((uint32_t)window->first_clock << DCMI_CWSTRT_HOFFCNT_SHIFT) |
                   ((uint32_t)window->first_line << DCMI_CWSTRT_VST_SHIFT);
    DCMI->CWSIZE = ((window->clocks - 1u) << DCMI_CWSIZE_CAPCNT_SHIFT) |
                   ((window->lines - 1u) << DCMI_CWSIZE_VLINE_SHIFT);
    DCMI->IER = DCMI_IT_FRAME | DCMI_IT_OVR | DCMI_IT_VSYNC;

    dma_init(&capture_stream);
    nvic_enable(DCMI_IRQn, NVIC_PRIORITY_CAPTURE);
    nvic_enable(DMA2_Stream1_IRQn, NVIC_PRIORITY_CAPTURE);
}

int dcmi_start(uint32_t *destination, uint32_t words) {
    const dma_transfer transfer = {
        .control = (DCMI_DMA_CHANNEL << DMA_SxCR_CHSEL_SHIFT) | DMA_SxCR_DIR_P2M | DMA_SxCR_MINC |
                   DMA_SxCR_PSIZE_WORD | DMA_SxCR_MSIZE_WORD | DMA_SxCR_MBURST_INC4 |
                   DMA_SxCR_PL_HIGH | DMA_SxCR_TCIE | DMA_SxCR_TEIE,
        .fifo = DMA_SxFCR_DMDIS | DMA_SxFCR_FTH_FULL | DMA_SxFCR_FEIE,
        .peripheral = &DCMI->DR,
        .memory = destination,
        .items = words,
    };
    snapshot.data_done = false;
    snapshot.frame_done = false;
    snapshot.vsync_seen = false;
    if (dma_start(&capture_stream, &transfer)) {
        snapshot.state = DCMI_ERROR_DMA;
        return DCMI_ERROR_DMA;
    }
    DCMI->ICR = DCMI_IT_FRAME | DCMI_IT_OVR | DCMI_IT_ERR | DCMI_IT_VSYNC | DCMI_IT_LINE;
    snapshot.state = DCMI_BUSY;
    DCMI->CR = DCMI_SNAPSHOT;
    DCMI->CR = DCMI_SNAPSHOT | DCMI_CR_CAPTURE;
    return 0;
}

int dcmi_poll(void) {
    return snapshot.state;
}

void dcmi_stop(void) {
    /* An overrun leaves the interface waiting; only clearing ENABLE empties its FIFO (15.5.5). */
    DCMI->CR = 0;
    snapshot.state = DCMI_IDLE;
    (void)dma_stop(&capture_stream);
}

uint32_t dcmi_end_cycles(void) {
    return snapshot.end_cycles;
}

uint32_t dcmi_frame_cycles(void) {
    return snapshot.vsync_seen ? snapshot.end_cycles - snapshot.vsync_cycles : 0;
}

static void end(int state) {
    if (snapshot.state == DCMI_BUSY) {
        snapshot.end_cycles = cycles_now();
        snapshot.state = state;
    }
}

static void end_if_complete(void) {
    if (snapshot.data_done && snapshot.frame_done) {
        end(DCMI_DONE);
    }
}

void DMA2_Stream1_IRQHandler(void) {
    uint32_t flags = dma_take_flags(&capture_stream);
    if (flags & (DMA_FLAG_TE | DMA_FLAG_FE)) {
        end(DCMI_ERROR_DMA);
    } else if (flags & DMA_FLAG_TC) {
        snapshot.data_done = true;
        end_if_complete();
    }
}

void DCMI_IRQHandler(void) {
    uint32_t flags = DCMI->MIS;
    DCMI->ICR = flags;
    if (flags & DCMI_IT_OVR) {
        end(DCMI_ERROR_OVERRUN);
    } else if (flags & DCMI_IT_FRAME) {
        snapshot.frame_done = true;
        if (dma_remaining(&capture_stream) > 0) {
            end(DCMI_ERROR_SHORT);
        } else {
            end_if_complete();
        }
    }
    /* Last: the VSYNC that ends a frame too early begins the next one. */
    if ((flags & DCMI_IT_VSYNC) && snapshot.state == DCMI_BUSY) {
        snapshot.vsync_cycles = cycles_now();
        snapshot.vsync_seen = true;
    }
}
