"""What the chip talks to others through, beside USART and I2C: SPI, CAN, SDIO, USB.

May import the seam of peripherals and the findings; never a chip or a part.
"""
