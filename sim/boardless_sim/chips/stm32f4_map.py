"""The STM32F4's memory map: which device stands where, and what it is made of (RM0090 table 1).

RM0368, RM0383, RM0386 and RM0390 differ from it only in which of the devices are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from boardless_sim.chips.chip import KnownPeripheral
from boardless_sim.peripherals.analog.adc import Adc
from boardless_sim.peripherals.analog.dac import Dac
from boardless_sim.peripherals.crc import Crc
from boardless_sim.peripherals.crypto.rng import Rng
from boardless_sim.peripherals.dcmi import Dcmi
from boardless_sim.peripherals.dma import Dma
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.fsmc import Fmc, Fsmc
from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.peripherals.iwdg import Iwdg
from boardless_sim.peripherals.links.can import Can
from boardless_sim.peripherals.links.itm import Itm
from boardless_sim.peripherals.links.otg import Otg
from boardless_sim.peripherals.links.sdio import Sdio
from boardless_sim.peripherals.links.spi import Spi
from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Gates, Rcc
from boardless_sim.peripherals.syscfg import Syscfg
from boardless_sim.peripherals.timekeeping.rtc import Rtc
from boardless_sim.peripherals.timer import (
    AdvancedTimer,
    BasicTimer,
    OneChannelTimer,
    Timer,
    TwoChannelTimer,
    WideTimer,
)  # fmt: skip
from boardless_sim.peripherals.usart import Usart
from boardless_sim.peripherals.wwdg import Wwdg

# EXTI lines by the interrupt that they share (RM0090 table 61).
EXTI_VECTORS: Mapping[str, tuple[int, ...]] = {
    **{f"EXTI{line}": (line,) for line in range(5)},
    "EXTI9_5": tuple(range(5, 10)), "EXTI15_10": tuple(range(10, 16)), "PVD": (16,),
    "RTC_Alarm": (17,), "OTG_FS_WKUP": (18,), "ETH_WKUP": (19,), "OTG_HS_WKUP": (20,),
    "TAMP_STAMP": (21,), "RTC_WKUP": (22,),
}  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A row of the memory map: what makes the device, and the names of its interrupts."""

    name: str
    base: int
    factory: Callable[..., Peripheral]
    vectors: tuple[str, ...] = ()


# What few parts have is imported where one has it: a run on another does not pay for it.


def _cryp(name: str, irq: int) -> Peripheral:
    from boardless_sim.peripherals.crypto.cryp import Cryp

    return Cryp(name, irq)


def _hash(name: str, irq: int) -> Peripheral:
    from boardless_sim.peripherals.crypto.hash import Hash

    return Hash(name, irq)


def _dma2d(name: str, irq: int) -> Peripheral:
    from boardless_sim.peripherals.graphics.dma2d import Dma2d

    return Dma2d(name, irq)


def _ltdc(name: str, irq: int, error_irq: int) -> Peripheral:
    from boardless_sim.peripherals.graphics.ltdc import Ltdc

    return Ltdc(name, irq, error_irq)


_TIMER_9 = partial(TwoChannelTimer, on_apb2=True)
_TIMER_10 = partial(OneChannelTimer, on_apb2=True)
_TIMER_1 = partial(AdvancedTimer, on_apb2=True)
_ON_APB2 = partial(Usart, on_apb2=True)
_SPI_ON_APB2 = partial(Spi, on_apb2=True)
_MEMORY_CONTROLLER = partial(Fsmc, first_bank=0x6000_0000)

DEVICES = (
    Device("TIM2", 0x4000_0000, WideTimer, ("TIM2",)),
    Device("TIM3", 0x4000_0400, Timer, ("TIM3",)),
    Device("TIM4", 0x4000_0800, Timer, ("TIM4",)),
    Device("TIM5", 0x4000_0C00, WideTimer, ("TIM5",)),
    Device("TIM6", 0x4000_1000, BasicTimer, ("TIM6",)),
    Device("TIM7", 0x4000_1400, BasicTimer, ("TIM7",)),
    Device("RTC", 0x4000_2800, Rtc),
    Device("TIM12", 0x4000_1800, TwoChannelTimer, ("TIM12",)),
    Device("TIM13", 0x4000_1C00, OneChannelTimer, ("TIM13",)),
    Device("TIM14", 0x4000_2000, OneChannelTimer, ("TIM14",)),
    Device("WWDG", 0x4000_2C00, Wwdg, ("WWDG",)),
    Device("IWDG", 0x4000_3000, Iwdg),
    Device("SPI2", 0x4000_3800, Spi, ("SPI2",)),
    Device("SPI3", 0x4000_3C00, Spi, ("SPI3",)),
    Device("USART2", 0x4000_4400, Usart, ("USART2",)),
    Device("USART3", 0x4000_4800, Usart, ("USART3",)),
    Device("UART4", 0x4000_4C00, Usart, ("UART4",)),
    Device("UART5", 0x4000_5000, Usart, ("UART5",)),
    Device("UART7", 0x4000_7800, Usart, ("UART7",)),
    Device("UART8", 0x4000_7C00, Usart, ("UART8",)),
    Device("I2C1", 0x4000_5400, I2c, ("I2C1_EV", "I2C1_ER")),
    Device("I2C2", 0x4000_5800, I2c, ("I2C2_EV", "I2C2_ER")),
    Device("I2C3", 0x4000_5C00, I2c, ("I2C3_EV", "I2C3_ER")),
    Device("CAN1", 0x4000_6400, Can, ("CAN1_TX", "CAN1_RX0", "CAN1_RX1", "CAN1_SCE")),
    Device("CAN2", 0x4000_6800, Can, ("CAN2_TX", "CAN2_RX0", "CAN2_RX1", "CAN2_SCE")),
    Device("PWR", 0x4000_7000, Pwr),
    Device("DAC", 0x4000_7400, Dac, ("DAC",)),
    Device("TIM1", 0x4001_0000, _TIMER_1, ("TIM1_BRK", "TIM1_UP", "TIM1_TRG_COM", "TIM1_CC")),
    Device("TIM8", 0x4001_0400, _TIMER_1, ("TIM8_BRK", "TIM8_UP", "TIM8_TRG_COM", "TIM8_CC")),
    Device("TIM9", 0x4001_4000, _TIMER_9, ("TIM9",)),
    Device("TIM10", 0x4001_4400, _TIMER_10, ("TIM10",)),
    Device("TIM11", 0x4001_4800, _TIMER_10, ("TIM11",)),
    Device("USART1", 0x4001_1000, _ON_APB2, ("USART1",)),
    Device("USART6", 0x4001_1400, _ON_APB2, ("USART6",)),
    Device("ADC", 0x4001_2000, Adc, ("ADC",)),
    Device("SDIO", 0x4001_2C00, Sdio, ("SDIO",)),
    Device("SPI1", 0x4001_3000, _SPI_ON_APB2, ("SPI1",)),
    Device("SPI4", 0x4001_3400, _SPI_ON_APB2, ("SPI4",)),
    Device("SPI5", 0x4001_5000, _SPI_ON_APB2, ("SPI5",)),
    Device("SPI6", 0x4001_5400, _SPI_ON_APB2, ("SPI6",)),
    Device("SYSCFG", 0x4001_3800, Syscfg),
    Device("EXTI", 0x4001_3C00, Exti),
    *(
        Device(f"GPIO{port}", 0x4002_0000 + 0x400 * number, Gpio)
        for number, port in enumerate("ABCDEFGHIJK")
    ),
    Device("CRC", 0x4002_3000, Crc),
    Device("RCC", 0x4002_3800, Rcc),
    Device("FLASH", 0x4002_3C00, FlashInterface, ("FLASH",)),
    Device("DMA1", 0x4002_6000, Dma, tuple(f"DMA1_Stream{number}" for number in range(8))),
    Device("DMA2", 0x4002_6400, Dma, tuple(f"DMA2_Stream{number}" for number in range(8))),
    Device("OTG_HS", 0x4004_0000, Otg, ("OTG_HS",)),
    Device("OTG_FS", 0x5000_0000, Otg, ("OTG_FS",)),
    Device("LTDC", 0x4001_6800, _ltdc, ("LTDC", "LTDC_ER")),
    Device("DMA2D", 0x4002_B000, _dma2d, ("DMA2D",)),
    Device("DCMI", 0x5005_0000, Dcmi, ("DCMI",)),
    Device("CRYP", 0x5006_0000, _cryp, ("CRYP",)),
    Device("HASH", 0x5006_0400, _hash, ("HASH",)),
    Device("RNG", 0x5006_0800, Rng, ("RNG",)),
    Device("ITM", 0xE000_0000, Itm),
    Device("FSMC", 0xA000_0000, _MEMORY_CONTROLLER),
    Device("FMC", 0xA000_0000, partial(Fmc, first_bank=0x6000_0000)),
)
# The timers behind ITR0 to ITR3 of each (RM0090 tables 93, 97 and 100); TIM9's and TIM12's ITR2
# and ITR3 are outputs of one-channel timers and not modelled.
TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "TIM1": ("TIM5", "TIM2", "TIM3", "TIM4"), "TIM8": ("TIM1", "TIM2", "TIM4", "TIM5"),
    "TIM2": ("TIM1", "TIM8", "TIM3", "TIM4"), "TIM3": ("TIM1", "TIM2", "TIM5", "TIM4"),
    "TIM4": ("TIM1", "TIM2", "TIM3", "TIM8"), "TIM5": ("TIM2", "TIM3", "TIM4", "TIM8"),
    "TIM9": ("TIM2", "TIM3"), "TIM12": ("TIM4", "TIM5"),
}  # fmt: skip
ALWAYS_THERE = frozenset({"PWR", "RCC", "SYSCFG", "EXTI", "ADC", "ITM"})  # and in no list of facts

_SPI = {0x00: "CR1", 0x04: "CR2", 0x08: "SR", 0x0C: "DR", 0x10: "CRCPR", 0x14: "RXCRCR",
        0x18: "TXCRCR", 0x1C: "I2SCFGR", 0x20: "I2SPR"}  # fmt: skip

UNMODELLED = (
    KnownPeripheral("I2S2ext", 0x4000_3400, registers=_SPI),
    KnownPeripheral("I2S3ext", 0x4000_4000, registers=_SPI),
    KnownPeripheral("SPDIFRX", 0x4000_4000),
    KnownPeripheral("FMPI2C1", 0x4000_6000),
    KnownPeripheral("CEC", 0x4000_6C00),
    KnownPeripheral("SAI1", 0x4001_5800),
    KnownPeripheral("SAI2", 0x4001_5C00),
    KnownPeripheral("DSIHOST", 0x4001_6C00, 0xC00),
    KnownPeripheral("ETH", 0x4002_8000, 0x1400, {0x00: "MACCR", 0x1000: "DMABMR"}),
    KnownPeripheral("QUADSPI", 0xA000_1000, 0x1000),
)

# The enable bits (RM0090 sections 7.3.10 to 7.3.14; RM0368 6.3, RM0386 6.3 and RM0390 6.3 for what
# the F407 lacks). In parentheses: what has no reset bit. A part has those whose device it has.
GATES: Gates = {
    "AHB1": {
        **{bit: f"GPIO{port}" for bit, port in enumerate("ABCDEFGHIJK")},
        12: "CRC", 18: "(BKPSRAM)", 20: "(CCMDATARAM)", 21: "DMA1", 22: "DMA2", 23: "DMA2D",
        25: "ETH", 26: "(ETH)", 27: "(ETH)", 28: "(ETH)", 29: "OTG_HS", 30: "(OTG_HS)",
    },
    "AHB2": {0: "DCMI", 4: "CRYP", 5: "HASH", 6: "RNG", 7: "OTG_FS"},
    "AHB3": {0: "FSMC", 1: "QUADSPI"},
    "APB1": {
        0: "TIM2", 1: "TIM3", 2: "TIM4", 3: "TIM5", 4: "TIM6", 5: "TIM7", 6: "TIM12", 7: "TIM13",
        8: "TIM14", 11: "WWDG", 14: "SPI2", 15: "SPI3", 16: "SPDIFRX", 17: "USART2", 18: "USART3",
        19: "UART4", 20: "UART5", 21: "I2C1", 22: "I2C2", 23: "I2C3", 24: "FMPI2C1", 25: "CAN1",
        26: "CAN2", 27: "CEC", 28: "PWR", 29: "DAC", 30: "UART7", 31: "UART8",
    },
    "APB2": {
        0: "TIM1", 1: "TIM8", 4: "USART1", 5: "USART6", 8: "ADC1", 9: "(ADC2)", 10: "(ADC3)",
        11: "SDIO", 12: "SPI1", 13: "SPI4", 14: "SYSCFG", 16: "TIM9", 17: "TIM10", 18: "TIM11",
        20: "SPI5", 21: "SPI6", 22: "SAI1", 23: "SAI2", 26: "LTDC", 27: "DSIHOST",
    },
}  # fmt: skip
