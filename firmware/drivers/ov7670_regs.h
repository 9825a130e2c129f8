/* OV7670 registers that this firmware uses, by the names of OmniVision's data sheet. */
#ifndef DRIVERS_OV7670_REGS_H
#define DRIVERS_OV7670_REGS_H

enum ov7670_register {
    OV7670_VREF = 0x03,
    OV7670_PID = 0x0A,
    OV7670_VER = 0x0B,
    OV7670_COM3 = 0x0C,
    OV7670_CLKRC = 0x11,
    OV7670_COM7 = 0x12,
    OV7670_COM10 = 0x15,
    OV7670_HSTART = 0x17,
    OV7670_HSTOP = 0x18,
    OV7670_VSTART = 0x19,
    OV7670_VSTOP = 0x1A,
    OV7670_HREF = 0x32,
    OV7670_TSLB = 0x3A,
    OV7670_COM13 = 0x3D,
    OV7670_COM14 = 0x3E,
    OV7670_COM15 = 0x40,
    OV7670_DBLV = 0x6B,
    OV7670_SCALING_XSC = 0x70,
    OV7670_SCALING_YSC = 0x71,
    OV7670_SCALING_DCWCTR = 0x72,
    OV7670_SCALING_PCLK_DIV = 0x73,
    OV7670_SCALING_PCLK_DELAY = 0xA2,
};

#define OV7670_PID_VALUE 0x76u
#define OV7670_VER_VALUE 0x73u

#define COM3_DCWEN          0x04u /* scaling and down-sampling on */
#define CLKRC_DIV4          0x03u
#define COM7_RESET          0x80u
#define COM7_YUV            0x00u
#define COM10_DEFAULT       0x00u /* HREF; VSYNC high while blanking; data change on falling PCLK */
#define TSLB_YUYV           0x04u /* with COM13 bit 0 clear: Y U Y V */
#define COM13_GAMMA         0x80u
#define COM13_UV_AUTO       0x40u
#define COM14_SCALED_PCLK   0x10u
#define COM14_MANUAL        0x08u
#define COM14_PCLK_DIV4     0x02u
#define COM15_FULL_RANGE    0xC0u /* luma 0x00 to 0xFF */
#define DCWCTR_VERTICAL_4   0x20u
#define DCWCTR_HORIZONTAL_4 0x02u
#define DBLV_RESERVED       0x0Au
#define DBLV_PLL_6          0x80u /* XCLK times six */
#define PCLK_DIV_RESERVED   0xF0u
#define PCLK_DIV_4          0x02u

#endif
