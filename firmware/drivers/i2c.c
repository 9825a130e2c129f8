#include "drivers/i2c.h"

#include "drivers/gpio.h"

#define I2C_HZ         400000u
#define I2C_RISE_NS    300u /* longest rise time of fast mode */
#define I2C_WRITE_FLAG 0u
#define I2C_READ_FLAG  1u

/* A byte takes 22 us, about 3,800 cycles: more than enough reads of SR1. */
#define I2C_POLL_LIMIT 50000u

void i2c_init(uint32_t apb1_hz) {
    static const gpio_alternate pins[] = {
        {GPIOB, 8, GPIO_AF_I2C1, GPIO_OPEN_DRAIN},
        {GPIOB, 9, GPIO_AF_I2C1, GPIO_OPEN_DRAIN},
    };
    gpio_use_alternate(&pins[0]);
    gpio_use_alternate(&pins[1]);
    RCC->APB1ENR |= RCC_APB1ENR_I2C1EN;
    (void)RCC->APB1ENR;
    RCC->APB1RSTR |= RCC_APB1RSTR_I2C1RST;
    RCC->APB1RSTR &= ~RCC_APB1RSTR_I2C1RST;

    uint32_t apb1_mhz = apb1_hz / 1000000u;
    I2C1->CR2 = apb1_mhz;
    /* Fast mode with a low:high ratio of 2:1 makes a period of three CCR counts (27.6.8). */
    I2C1->CCR = I2C_CCR_FS | ((apb1_hz + 3u * I2C_HZ - 1u) / (3u * I2C_HZ));
    I2C1->TRISE = apb1_mhz * I2C_RISE_NS / 1000u + 1u;
    I2C1->CR1 = I2C_CR1_PE;
}

/* Releases the bus and forgets the failure, so that the next transmission starts clean. */
static int give_up(int err) {
    I2C1->SR1 = 0; /* error flags are cleared by writing 0; the event flags ignore it */
    I2C1->CR1 |= I2C_CR1_STOP;
    return err;
}

static int wait_for_event(uint32_t event) {
    for (uint32_t poll = 0; poll < I2C_POLL_LIMIT; poll++) {
        uint32_t status = I2C1->SR1;
        if (status & I2C_SR1_AF) {
            return give_up(I2C_ERROR_NACK);
        }
        if (status & (I2C_SR1_BERR | I2C_SR1_ARLO)) {
            return give_up(I2C_ERROR_BUS);
        }
        if (status & event) {
            return 0;
        }
    }
    return give_up(I2C_ERROR_TIMEOUT);
}

static int wait_for_free_bus(void) {
    for (uint32_t poll = 0; poll < I2C_POLL_LIMIT; poll++) {
        if (!(I2C1->CR1 & I2C_CR1_STOP) && !(I2C1->SR2 & I2C_SR2_BUSY)) {
            return 0;
        }
    }
    return give_up(I2C_ERROR_TIMEOUT);
}

/* START and address. On success ADDR is still set: reading SR2 lets the transmission go on. */
static int start(uint8_t address, uint32_t direction) {
    int err = wait_for_free_bus();
    if (err) {
        return err;
    }
    I2C1->CR1 |= I2C_CR1_START;
    err = wait_for_event(I2C_SR1_SB);
    if (err) {
        return err;
    }
    I2C1->DR = ((uint32_t)address << 1) | direction;
    return wait_for_event(I2C_SR1_ADDR);
}

int i2c_begin_write(uint8_t address) {
    int err = start(address, I2C_WRITE_FLAG);
    if (err) {
        return err;
    }
    (void)I2C1->SR2;
    return 0;
}

static int send(uint8_t byte) {
    int err = wait_for_event(I2C_SR1_TXE);
    if (err) {
        return err;
    }
    I2C1->DR = byte;
    return 0;
}

/* One transmission from START to STOP. */
static int write_bytes(uint8_t address, const uint8_t *bytes, uint32_t size_bytes) {
    int err = i2c_begin_write(address);
    if (err) {
        return err;
    }
    for (uint32_t i = 0; i < size_bytes; i++) {
        err = send(bytes[i]);
        if (err) {
            return err;
        }
    }
    err = wait_for_event(I2C_SR1_BTF);
    if (err) {
        return err;
    }
    I2C1->CR1 |= I2C_CR1_STOP;
    return 0;
}

int i2c_write_register(uint8_t address, uint8_t reg, uint8_t value) {
    const uint8_t bytes[] = {reg, value};
    return write_bytes(address, bytes, sizeof bytes);
}

int i2c_read_register(uint8_t address, uint8_t reg, uint8_t *value) {
    int err = write_bytes(address, &reg, 1);
    if (err) {
        return err;
    }
    err = start(address, I2C_READ_FLAG);
    if (err) {
        return err;
    }
    /* A single byte: answer it with NACK, and ask for STOP before it arrives (27.3.3). */
    I2C1->CR1 &= ~I2C_CR1_ACK;
    (void)I2C1->SR2;
    I2C1->CR1 |= I2C_CR1_STOP;
    err = wait_for_event(I2C_SR1_RXNE);
    if (err) {
        return err;
    }
    *value = (uint8_t)I2C1->DR;
    return 0;
}
