/*
 * OV7670 camera sensor over SCCB, set to 160x120 YUV 4:2:2 in the order Y U Y V.
 *
 * Call ov7670_probe(), then ov7670_configure(). The bus (i2c.h), XCLK (clock.h) and ticks (tick.h)
 * must run. Both pass on a failed bus access as its i2c_error.
 */
#ifndef DRIVERS_OV7670_H
#define DRIVERS_OV7670_H

#include <stdint.h>

#define OV7670_WIDTH           160u
#define OV7670_HEIGHT          120u
#define OV7670_BYTES_PER_PIXEL 2u

enum ov7670_error {
    OV7670_ERROR_IDENTITY = -16, /* something answers, but it is no OV7670 */
    OV7670_ERROR_READBACK = -17, /* a register did not keep its value */
};

typedef struct {
    uint8_t pid;
    uint8_t ver;
} ov7670_identity;

/* Lets the sensor settle, then reads who is there. *identity holds what was read even on
 * OV7670_ERROR_IDENTITY. */
int ov7670_probe(ov7670_identity *identity);

/* Resets the sensor, writes the set-up and reads back what frames depend on. Takes some 10 ms. */
int ov7670_configure(void);

/* Whether the sensor still has what frames depend on: 0, or an error. Takes some 5 ms. */
int ov7670_check(void);

#endif
