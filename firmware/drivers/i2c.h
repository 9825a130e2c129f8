/*
 * I2C1 as a polled master for an SCCB sensor: SCL on PB8, SDA on PB9, 400 kHz.
 *
 * SCCB is I2C with one difference that matters: a read is two transmissions with a STOP between
 * them, not a repeated START.
 */
#ifndef DRIVERS_I2C_H
#define DRIVERS_I2C_H

#include <stdint.h>

enum i2c_error {
    I2C_ERROR_NACK = -1,    /* nobody answered the address or took a byte */
    I2C_ERROR_TIMEOUT = -2, /* an expected event did not come */
    I2C_ERROR_BUS = -3,     /* misplaced START or STOP, or arbitration lost */
};

/* Clocks, resets and configures the device for a bus clock of apb1_hz. */
void i2c_init(uint32_t apb1_hz);

/* Writes one register. address is the seven-bit one. 0 or an i2c_error. */
int i2c_write_register(uint8_t address, uint8_t reg, uint8_t value);

/* Reads one register. 0 or an i2c_error; *value is set only on 0. */
int i2c_read_register(uint8_t address, uint8_t reg, uint8_t *value);

/*
 * START and the address of a write; the caller feeds DR, by DMA, and ends with STOP. 0 or an
 * i2c_error.
 */
int i2c_begin_write(uint8_t address);

#endif
