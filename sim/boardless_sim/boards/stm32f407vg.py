"""The board: an STM32F407VG, an 8 MHz crystal, an OV7670 on its DCMI (RM0090 tables 1 and 61)."""

from __future__ import annotations

from functools import partial

from boardless_sim.boards.board import (
    Board,
    BoardDevices,
    CameraWiring,
    KnownPeripheral,
    MemoryArea,
    Placement,
    build,
)  # fmt: skip
from boardless_sim.boards.dma_requests import DMA1_REQUESTS, DMA2_REQUESTS
from boardless_sim.peripherals.crc import Crc
from boardless_sim.peripherals.dcmi import Dcmi
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.peripherals.iwdg import Iwdg
from boardless_sim.peripherals.peripheral import Bus, Peripheral
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Rcc
from boardless_sim.peripherals.syscfg import Syscfg
from boardless_sim.peripherals.timer import Timer
from boardless_sim.peripherals.usart import Usart
from boardless_sim.peripherals.wwdg import Wwdg

HSE_HZ, LSE_HZ, XCLK_HZ = 8_000_000, 32_768, 24_000_000

FACTORY_DATA = {
    0x1FFF_7A10: b"BOARDLESS-01",  # unique device ID, 96 bits (section 39.1)
    0x1FFF_7A22: (1024).to_bytes(2, "little"),  # Flash size in KiB (section 39.2)
}

MEMORIES = (
    MemoryArea("Flash", 0x0800_0000, 1 << 20, writable=False, executable=True, fill=True,
               waits=True, aliases=(0,)),
    MemoryArea("CCM", 0x1000_0000, 64 << 10, writable=True, dma=False),
    MemoryArea("system memory", 0x1FFF_0000, 32 << 10, writable=False, executable=True,
               contents=FACTORY_DATA),
    MemoryArea("SRAM", 0x2000_0000, 128 << 10, writable=True, executable=True),
    MemoryArea("backup SRAM", 0x4002_4000, 4 << 10, writable=True, kept=True),
)  # fmt: skip

EXTI_IRQS = {
    0: 6, 1: 7, 2: 8, 3: 9, 4: 10,
    **dict.fromkeys(range(5, 10), 23),
    **dict.fromkeys(range(10, 16), 40),
    16: 1, 17: 41, 18: 42, 19: 62, 20: 76, 21: 2, 22: 3,
}  # fmt: skip


def _dma1(name: str, *irqs: int) -> Peripheral:
    return Dma(name, irqs, DMA1_REQUESTS, memory_to_memory=False)


def _dma2(name: str, *irqs: int) -> Peripheral:
    return Dma(name, irqs, DMA2_REQUESTS, memory_to_memory=True)


_ON_APB2 = partial(Usart, on_apb2=True)

_WIDE_TIMER = partial(Timer, bits=32)
_BASIC_TIMER = partial(Timer, channels=0)

PLACEMENTS = (
    Placement("TIM2", 0x4000_0000, _WIDE_TIMER, (28,)),
    Placement("TIM3", 0x4000_0400, Timer, (29,)),
    Placement("TIM4", 0x4000_0800, Timer, (30,)),
    Placement("TIM5", 0x4000_0C00, _WIDE_TIMER, (50,)),
    Placement("TIM6", 0x4000_1000, _BASIC_TIMER, (54,)),
    Placement("TIM7", 0x4000_1400, _BASIC_TIMER, (55,)),
    Placement("WWDG", 0x4000_2C00, Wwdg, (0,)),
    Placement("IWDG", 0x4000_3000, Iwdg),
    Placement("USART2", 0x4000_4400, Usart, (38,)),
    Placement("USART3", 0x4000_4800, Usart, (39,)),
    Placement("UART4", 0x4000_4C00, Usart, (52,)),
    Placement("UART5", 0x4000_5000, Usart, (53,)),
    Placement("I2C1", 0x4000_5400, I2c, (31, 32)),
    Placement("I2C2", 0x4000_5800, I2c, (33, 34)),
    Placement("I2C3", 0x4000_5C00, I2c, (72, 73)),
    Placement("PWR", 0x4000_7000, Pwr),
    Placement("USART1", 0x4001_1000, _ON_APB2, (37,)),
    Placement("USART6", 0x4001_1400, _ON_APB2, (71,)),
    Placement("SYSCFG", 0x4001_3800, Syscfg),
    Placement("EXTI", 0x4001_3C00, partial(Exti, irqs=EXTI_IRQS)),
    *(
        Placement(f"GPIO{port}", 0x4002_0000 + 0x400 * number, Gpio)
        for number, port in enumerate("ABCDEFGHI")
    ),
    Placement("CRC", 0x4002_3000, Crc),
    Placement("RCC", 0x4002_3800, partial(Rcc, hse_hz=HSE_HZ, lse_hz=LSE_HZ)),
    Placement("FLASH", 0x4002_3C00, FlashInterface),
    Placement("DMA1", 0x4002_6000, _dma1, (11, 12, 13, 14, 15, 16, 17, 47)),
    Placement("DMA2", 0x4002_6400, _dma2, (56, 57, 58, 59, 60, 68, 69, 70)),
    Placement("DCMI", 0x5005_0000, Dcmi, (78,)),
)

_SPI = {0x00: "CR1", 0x04: "CR2", 0x08: "SR", 0x0C: "DR", 0x10: "CRCPR", 0x14: "RXCRCR",
        0x18: "TXCRCR", 0x1C: "I2SCFGR", 0x20: "I2SPR"}  # fmt: skip
_TIM = {0x00: "CR1", 0x04: "CR2", 0x08: "SMCR", 0x0C: "DIER", 0x10: "SR", 0x14: "EGR",
        0x18: "CCMR1", 0x1C: "CCMR2", 0x20: "CCER", 0x24: "CNT", 0x28: "PSC", 0x2C: "ARR",
        0x30: "RCR", 0x34: "CCR1", 0x38: "CCR2", 0x3C: "CCR3", 0x40: "CCR4",
        0x44: "BDTR"}  # fmt: skip
_RTC = {0x00: "TR", 0x04: "DR", 0x08: "CR", 0x0C: "ISR", 0x10: "PRER", 0x14: "WUTR", 0x24: "WPR"}

UNMODELLED = (
    KnownPeripheral("TIM12", 0x4000_1800, registers=_TIM),
    KnownPeripheral("TIM13", 0x4000_1C00, registers=_TIM),
    KnownPeripheral("TIM14", 0x4000_2000, registers=_TIM),
    KnownPeripheral("RTC", 0x4000_2800, registers=_RTC),
    KnownPeripheral("I2S2ext", 0x4000_3400, registers=_SPI),
    KnownPeripheral("SPI2", 0x4000_3800, registers=_SPI),
    KnownPeripheral("SPI3", 0x4000_3C00, registers=_SPI),
    KnownPeripheral("I2S3ext", 0x4000_4000, registers=_SPI),
    KnownPeripheral("CAN1", 0x4000_6400),
    KnownPeripheral("CAN2", 0x4000_6800),
    KnownPeripheral("DAC", 0x4000_7400),
    KnownPeripheral("TIM1", 0x4001_0000, registers=_TIM),
    KnownPeripheral("TIM8", 0x4001_0400, registers=_TIM),
    KnownPeripheral("ADC", 0x4001_2000),
    KnownPeripheral("SDIO", 0x4001_2C00),
    KnownPeripheral("SPI1", 0x4001_3000, registers=_SPI),
    KnownPeripheral("TIM9", 0x4001_4000, registers=_TIM),
    KnownPeripheral("TIM10", 0x4001_4400, registers=_TIM),
    KnownPeripheral("TIM11", 0x4001_4800, registers=_TIM),
    KnownPeripheral("ETH", 0x4002_8000, 0x1400),
    KnownPeripheral("OTG_HS", 0x4004_0000, 0x4_0000),
    KnownPeripheral("OTG_FS", 0x5000_0000, 0x4_0000),
    KnownPeripheral("CRYP", 0x5006_0000),
    KnownPeripheral("HASH", 0x5006_0400),
    KnownPeripheral("RNG", 0x5006_0800, registers={0: "CR", 4: "SR", 8: "DR"}),
    KnownPeripheral("FSMC", 0xA000_0000, 0x1000),
)

BOARD = Board(
    name="stm32f407vg",
    memories=MEMORIES,
    placements=PLACEMENTS,
    unmodelled=UNMODELLED,
    camera=CameraWiring(i2c="I2C1", xclk_hz=XCLK_HZ),
)


def build_devices(bus: Bus) -> BoardDevices:
    """The devices of this board on `bus`, powered on."""
    return build(BOARD, bus)
