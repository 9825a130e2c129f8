#include "apps/command/display.h"

#include "apps/command/animation.h"
#include "drivers/dma.h"
#include "drivers/i2c.h"
#include "drivers/nvic.h"

#define ADDRESS             0x3Cu
#define DMA_CHANNEL         1u /* I2C1_TX on DMA1 stream 7 (RM0090, table 42) */
#define CONTROL_COMMAND     0x80u
#define CONTROL_COMMANDS    0x00u
#define CONTROL_DATA        0x40u
#define COLUMNS             128u
#define PAGES               8u
#define PAGE_ROWS           8u
#define FIRST_COLUMN        48u
#define FIRST_PAGE          2u
#define WINDOW_PAGES        (ANIMATION_MOST_SIDE / PAGE_ROWS)
#define COMMAND_COLUMNS     0x21u
#define COMMAND_PAGES       0x22u
/* A picture of 3.2 ms that is not through after so many ticks never will be. */
#define DISPLAY_LIMIT_POLLS 200000u

/* Six commands, each behind its control byte, then the data in the same transmission. */
typedef struct {
    uint8_t commands[12];
    uint8_t control;
    uint8_t pixels[ANIMATION_MOST_BYTES];
} transmission;

_Static_assert(sizeof(transmission) == 141, "sent byte by byte");

static const dma_stream tx_stream = {DMA1, 7};
static transmission sent = {
    .commands = {CONTROL_COMMAND, COMMAND_COLUMNS, CONTROL_COMMAND, FIRST_COLUMN, CONTROL_COMMAND,
                 FIRST_COLUMN + ANIMATION_MOST_SIDE - 1u, CONTROL_COMMAND, COMMAND_PAGES,
                 CONTROL_COMMAND, FIRST_PAGE, CONTROL_COMMAND, FIRST_PAGE + WINDOW_PAGES - 1u},
    .control = CONTROL_DATA,
};
static uint8_t waiting[ANIMATION_MOST_BYTES];
static bool is_waiting;
static bool works;
static volatile bool sending;

void DMA1_Stream7_IRQHandler(void);
void I2C1_EV_IRQHandler(void);
void I2C1_ER_IRQHandler(void);

/* The last byte still has to leave the shift register: BTF says when (RM0090, 27.3.3). */
void DMA1_Stream7_IRQHandler(void) {
    (void)dma_take_flags(&tx_stream);
    I2C1->CR2 |= I2C_CR2_ITEVTEN;
}

static void end_transmission(void) {
    I2C1->CR2 &= ~(I2C_CR2_ITEVTEN | I2C_CR2_ITERREN | I2C_CR2_DMAEN);
    I2C1->CR1 |= I2C_CR1_STOP;
    sending = false;
}

void I2C1_EV_IRQHandler(void) {
    if (I2C1->SR1 & I2C_SR1_BTF) {
        end_transmission();
    }
}

void I2C1_ER_IRQHandler(void) {
    I2C1->SR1 = 0; /* error flags are cleared by writing 0 */
    end_transmission();
}

static int start_transfer(const volatile void *bytes, uint32_t size_bytes) {
    const dma_transfer transfer = {
        .control = (DMA_CHANNEL << DMA_SxCR_CHSEL_SHIFT) | DMA_SxCR_DIR_M2P | DMA_SxCR_MINC |
                   DMA_SxCR_PSIZE_BYTE | DMA_SxCR_MSIZE_BYTE | DMA_SxCR_TCIE | DMA_SxCR_TEIE,
        .fifo = 0,
        .peripheral = &I2C1->DR,
        .memory = bytes,
        .items = size_bytes,
    };
    int err = i2c_begin_write(ADDRESS);
    if (err) {
        return DISPLAY_ERROR_I2C;
    }
    sending = true;
    I2C1->CR2 |= I2C_CR2_DMAEN | I2C_CR2_ITERREN;
    err = dma_start(&tx_stream, &transfer);
    if (err) {
        end_transmission();
        return DISPLAY_ERROR_DMA;
    }
    return 0;
}

static int send_and_wait(const volatile void *bytes, uint32_t size_bytes) {
    int err = start_transfer(bytes, size_bytes);
    for (uint32_t poll = 0; !err && sending; poll++) {
        if (poll == DISPLAY_LIMIT_POLLS) {
            end_transmission();
            return DISPLAY_ERROR_I2C;
        }
    }
    return err;
}

/* SSD1306 data sheet, 10.1 and its application note: charge pump, horizontal addressing, on. */
static int configure(void) {
    static const uint8_t commands[] = {
        CONTROL_COMMANDS,
        0xAE, /* off */
        0xD5,
        0x80, /* clock */
        0xA8,
        0x3F, /* 64 rows */
        0xD3,
        0x00,
        0x40, /* no offset */
        0x8D,
        0x14, /* charge pump */
        0x20,
        0x00, /* horizontal addressing */
        0xA1,
        0xC8, /* the ribbon is below */
        0xDA,
        0x12, /* pins as the panel has them */
        0x81,
        0x7F, /* contrast */
        0xA4,
        0xA6, /* from memory, not inverted */
        COMMAND_COLUMNS,
        0,
        COLUMNS - 1u,
        COMMAND_PAGES,
        0,
        PAGES - 1u,
        0xAF, /* on */
    };
    return send_and_wait(commands, sizeof commands);
}

static int clear_all(void) {
    static uint8_t row[COLUMNS + 1u] = {CONTROL_DATA};
    for (uint32_t page = 0; page < PAGES; page++) {
        int err = send_and_wait(row, sizeof row);
        if (err) {
            return err;
        }
    }
    return 0;
}

int display_start(void) {
    dma_init(&tx_stream);
    nvic_enable(DMA1_Stream7_IRQn, NVIC_PRIORITY_CONSOLE);
    nvic_enable(I2C1_EV_IRQn, NVIC_PRIORITY_CONSOLE);
    nvic_enable(I2C1_ER_IRQn, NVIC_PRIORITY_CONSOLE);
    int err = configure();
    if (err) {
        return err;
    }
    err = clear_all();
    works = err == 0;
    return err;
}

/* A small picture stands in the middle of the window: a page above, eight columns to the left. */
static void place(const uint8_t *pixels, uint32_t side) {
    uint32_t pages = side / PAGE_ROWS;
    uint32_t page_offset = (WINDOW_PAGES - pages) / 2u;
    uint32_t column_offset = (ANIMATION_MOST_SIDE - side) / 2u;
    for (uint32_t i = 0; i < ANIMATION_MOST_BYTES; i++) {
        waiting[i] = 0;
    }
    for (uint32_t page = 0; page < pages; page++) {
        for (uint32_t column = 0; column < side; column++) {
            uint32_t to = (page + page_offset) * ANIMATION_MOST_SIDE + column + column_offset;
            waiting[to] = pixels[page * side + column];
        }
    }
}

void display_show(const uint8_t *pixels, uint32_t side) {
    place(pixels, side);
    is_waiting = works;
    display_continue();
}

void display_continue(void) {
    if (!is_waiting || sending) {
        return;
    }
    for (uint32_t i = 0; i < ANIMATION_MOST_BYTES; i++) {
        sent.pixels[i] = waiting[i];
    }
    is_waiting = false;
    if (start_transfer(&sent, sizeof sent)) {
        works = false; /* a display that does not answer is not asked again until a reset */
    }
}

bool display_busy(void) {
    return sending || is_waiting;
}
