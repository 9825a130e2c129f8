#include "drivers/ov7670.h"

#include <stdbool.h>

#include "drivers/i2c.h"
#include "drivers/ov7670_regs.h"
#include "drivers/tick.h"

#define OV7670_ADDRESS   0x21u /* 0x42 for write, 0x43 for read */
#define OV7670_SETTLE_MS 1u    /* after XCLK starts and after a register reset */

typedef struct {
    uint8_t reg;
    uint8_t value;
    bool check; /* read back: frames are wrong, not only pale, without it */
} setting;

/*
 * VGA scaled by four in both directions. Window and scale figures are OmniVision's for QQVGA. An
 * XCLK of 16 MHz, times six by the sensor's PLL, by four: the 24 MHz that 30 frames a second take.
 */
static const setting qqvga_yuyv[] = {
    {OV7670_COM7, COM7_YUV, true},
    {OV7670_DBLV, DBLV_PLL_6 | DBLV_RESERVED, true},
    {OV7670_CLKRC, CLKRC_DIV4, true},
    {OV7670_COM3, COM3_DCWEN, true},
    {OV7670_COM14, COM14_SCALED_PCLK | COM14_MANUAL | COM14_PCLK_DIV4, true},
    {OV7670_SCALING_XSC, 0x3A, false},
    {OV7670_SCALING_YSC, 0x35, false},
    {OV7670_SCALING_DCWCTR, DCWCTR_VERTICAL_4 | DCWCTR_HORIZONTAL_4, true},
    {OV7670_SCALING_PCLK_DIV, PCLK_DIV_RESERVED | PCLK_DIV_4, true},
    {OV7670_SCALING_PCLK_DELAY, 0x02, false},
    {OV7670_TSLB, TSLB_YUYV, true},
    {OV7670_COM13, COM13_GAMMA | COM13_UV_AUTO, true},
    {OV7670_COM15, COM15_FULL_RANGE, false},
    {OV7670_COM10, COM10_DEFAULT, true},
    {OV7670_HSTART, 0x16, false},
    {OV7670_HSTOP, 0x04, false},
    {OV7670_HREF, 0xA4, false},
    {OV7670_VSTART, 0x02, false},
    {OV7670_VSTOP, 0x7A, false},
    {OV7670_VREF, 0x0A, false},
};

#define SETTING_COUNT (sizeof qqvga_yuyv / sizeof qqvga_yuyv[0])

int ov7670_probe(ov7670_identity *identity) {
    tick_delay(OV7670_SETTLE_MS);
    int err = i2c_read_register(OV7670_ADDRESS, OV7670_PID, &identity->pid);
    if (err) {
        return err;
    }
    err = i2c_read_register(OV7670_ADDRESS, OV7670_VER, &identity->ver);
    if (err) {
        return err;
    }
    if (identity->pid != OV7670_PID_VALUE || identity->ver != OV7670_VER_VALUE) {
        return OV7670_ERROR_IDENTITY;
    }
    return 0;
}

static int write_settings(void) {
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        int err = i2c_write_register(OV7670_ADDRESS, qqvga_yuyv[i].reg, qqvga_yuyv[i].value);
        if (err) {
            return err;
        }
    }
    return 0;
}

int ov7670_check(void) {
    for (uint32_t i = 0; i < SETTING_COUNT; i++) {
        if (!qqvga_yuyv[i].check) {
            continue;
        }
        uint8_t value;
        int err = i2c_read_register(OV7670_ADDRESS, qqvga_yuyv[i].reg, &value);
        if (err) {
            return err;
        }
        if (value != qqvga_yuyv[i].value) {
            return OV7670_ERROR_READBACK;
        }
    }
    return 0;
}

int ov7670_configure(void) {
    int err = i2c_write_register(OV7670_ADDRESS, OV7670_COM7, COM7_RESET);
    if (err) {
        return err;
    }
    tick_delay(OV7670_SETTLE_MS);
    err = write_settings();
    if (err) {
        return err;
    }
    return ov7670_check();
}
