"""The devices wired as on the board: names, addresses, and a frame from the lens to RAM."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from boardless_sim.boards.devices import BoardDevices, build_devices
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.sensors import ov7670_output as out
from boardless_sim.faults.sensor import DroppedLine, SensorFault
from boardless_sim.peripherals import dcmi, dma, dma_stream, exti, gpio, rcc, syscfg, usart
from tests.unit.fake_bus import RAM_BASE, FakeBus

CHIP = REFERENCE.chip
FRAME_US = 33_320
CAMERA_PINS = "C6 C7 C8 C9 C11 B6 E5 E6 A4 B7 A6"  # D0 to D7, HSYNC, VSYNC, PIXCK
STREAM1 = dma.FIRST_STREAM + dma.STREAM_STRIDE
QQVGA = {
    out.COM3: 0x04, out.COM14: 0x1A, out.SCALING_DCWCTR: 0x22, out.TSLB: 0x04,
    out.HSTART: 0x16, out.HSTOP: 0x04, out.HREF: 0xA4,
    out.VSTRT: 0x02, out.VSTOP: 0x7A, out.VREF: 0x0A,
}  # fmt: skip


class Rig:
    def __init__(self) -> None:
        self.bus = FakeBus()
        assert REFERENCE.camera is not None
        oscillator = replace(REFERENCE, camera=replace(REFERENCE.camera, xclk="24M"))
        self.devices: BoardDevices = build_devices(oscillator, self.bus)
        for base, device in self.devices.mapped:
            self.bus.mapped[base] = device
        self.bus.serve = self.devices.dma_request
        for pin in CAMERA_PINS.split():
            self.alternate(pin, 13)
        for pin in ("A2", "A3"):
            self.alternate(pin, 7)
        self.write("GPIOB", gpio.OTYPER, 0x300)
        for pin in ("B8", "B9"):
            self.alternate(pin, 4)

    def alternate(self, pin: str, function: int) -> None:
        port, number = f"GPIO{pin[0]}", int(pin[1:])
        register, shift = (gpio.AFRL if number < 8 else gpio.AFRH), 4 * (number & 7)
        self.write(port, register, self.read(port, register) & ~(15 << shift) | function << shift)
        mode = self.read(port, gpio.MODER) & ~(3 << 2 * number)
        self.write(port, gpio.MODER, mode | 2 << 2 * number)

    def write(self, device: str, offset: int, value: int) -> None:
        self.devices.by_name[device][1].write(offset, 4, value)

    def read(self, device: str, offset: int) -> int:
        return self.devices.by_name[device][1].read(offset, 4)

    def configure_camera(self) -> None:
        for address, value in QQVGA.items():
            self.devices.camera.start(read=False)
            self.devices.camera.write(address)
            self.devices.camera.write(value)

    def start_capture(self, words: int, window: tuple[int, int, int, int]) -> None:
        left, top, clocks, lines = window
        self.write("DMA2", dma.LIFCR, 0x3D << 6)
        self.write("DMA2", STREAM1 + dma_stream.PAR, 0x5005_0000 + dcmi.DR)
        self.write("DMA2", STREAM1 + dma_stream.M0AR, RAM_BASE)
        self.write("DMA2", STREAM1 + dma_stream.NDTR, words)
        control = 1 << 25 | 2 << 13 | 2 << 11 | dma_stream.CR_MINC | dma_stream.CR_EN
        self.write("DMA2", STREAM1 + dma_stream.CR, control)
        self.write("DCMI", dcmi.CWSTRT, top << 16 | left)
        self.write("DCMI", dcmi.CWSIZE, (lines - 1) << 16 | (clocks - 1))
        self.write("DCMI", dcmi.ICR, 0x1F)
        pins = dcmi.CR_VSPOL | dcmi.CR_PCKPOL | dcmi.CR_ENABLE
        self.write("DCMI", dcmi.CR, pins | dcmi.CR_CM | dcmi.CR_CROP | dcmi.CR_CAPTURE)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_nothing_overlaps() -> None:
    spans = sorted(
        [(place.base, 0x400, place.name) for place in CHIP.placements]
        + [(known.base, known.size, known.name) for known in CHIP.unmodelled]
        + [(area.base, area.size, area.name) for area in CHIP.memories]
    )
    for (base, size, name), (following, _, other) in pairwise(spans):
        assert base + size <= following, f"{name} reaches into {other}"


def test_interrupts_that_two_devices_share() -> None:
    """Table 61: TIM1 and TIM8 with TIM9 to TIM14, TIM6 with the DAC; no other has two owners."""
    irqs = [irq for place in CHIP.placements for irq in place.irqs]
    assert sorted(irq for irq in set(irqs) if irqs.count(irq) > 1) == [24, 25, 26, 43, 44, 45, 54]
    assert max(irqs) <= 81


def test_unmodelled_registers_have_names() -> None:
    known = {peripheral.name: peripheral for peripheral in CHIP.unmodelled}
    assert known["ETH"].register_name(0) == "ETH_MACCR"
    assert known["ETH"].register_name(0x1C) == "ETH+0x1c"


def test_frame_from_the_lens_to_ram(rig: Rig) -> None:
    luma = np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8)
    frame = Frame("digit", luma, label=3)
    rig.devices.camera.lens.show(frame)
    rig.configure_camera()
    rig.start_capture(112 * 112 // 2, window=(48, 4, 224, 112))
    rig.bus.run_us(2 * FRAME_US)
    pixels = np.frombuffer(bytes(rig.bus.ram[: 112 * 224]), np.uint8).reshape(112, 224)[:, ::2]
    assert np.array_equal(pixels.reshape(28, 4, 28, 4).mean(axis=(1, 3)), luma)
    assert rig.read("DCMI", dcmi.RIS) & (dcmi.FRAME | dcmi.OVR) == dcmi.FRAME
    assert rig.read("DMA2", dma.LISR) >> 6 == dma_stream.TCIF | dma_stream.HTIF
    assert list(rig.devices.camera.lens.captured) == [frame]


def test_continuous_capture_into_two_buffers(rig: Rig) -> None:
    """Both halves of a double buffer get whole frames, as HAL_DCMI_Start_DMA sets it up."""
    lumas = [np.full((120, 160), 40 * n, np.uint8) for n in range(4)]
    for luma in lumas:
        rig.devices.camera.lens.show(Frame("flat", luma))
    rig.configure_camera()
    rig.write("DMA2", STREAM1 + dma_stream.PAR, 0x5005_0000 + dcmi.DR)
    rig.write("DMA2", STREAM1 + dma_stream.M0AR, RAM_BASE)
    rig.write("DMA2", STREAM1 + dma_stream.M1AR, RAM_BASE + 38400)
    rig.write("DMA2", STREAM1 + dma_stream.NDTR, 9600)
    control = 1 << 25 | 2 << 13 | 2 << 11 | dma_stream.CR_MINC | dma_stream.CR_DBM
    rig.write("DMA2", STREAM1 + dma_stream.CR, control | dma_stream.CR_EN)
    pins = dcmi.CR_VSPOL | dcmi.CR_PCKPOL | dcmi.CR_ENABLE
    rig.write("DCMI", dcmi.CR, pins | dcmi.CR_CAPTURE)
    for number in range(4):
        rig.bus.run_us(FRAME_US + 10 if number else 2 * FRAME_US - 500)
        half = RAM_BASE + 38400 * (number % 2)
        pixels = np.frombuffer(rig.bus.memory_read(half, 38400), np.uint8)[::2]
        assert set(pixels.tolist()) == {40 * number}
    assert len(rig.devices.camera.lens.captured) >= 3


def test_missing_line_leaves_the_transfer_open(rig: Rig) -> None:
    faults: list[SensorFault] = [DroppedLine(row=60)]
    rig.devices.camera.faults = faults
    rig.configure_camera()
    rig.start_capture(120 * 80, window=(0, 0, 320, 120))
    rig.bus.run_us(2 * FRAME_US)
    assert rig.read("DMA2", STREAM1 + dma_stream.NDTR) == 80


def test_buffer_smaller_than_the_frame_overruns(rig: Rig) -> None:
    rig.configure_camera()
    rig.start_capture(100, window=(0, 0, 320, 120))
    rig.bus.run_us(2 * FRAME_US)
    assert rig.read("DCMI", dcmi.RIS) & dcmi.OVR
    assert list(rig.devices.camera.lens.captured) == []


def test_sccb_goes_over_i2c1(rig: Rig) -> None:
    rig.write("I2C1", 0x1C, 210)
    rig.write("I2C1", 0x00, 1 | 1 << 8)
    rig.bus.run(2000)
    assert rig.read("I2C1", 0x14) & 1
    rig.write("I2C1", 0x10, 0x42)
    rig.bus.run(20_000)
    assert rig.read("I2C1", 0x14) & 2


def test_button_reaches_the_core(rig: Rig) -> None:
    rig.write("SYSCFG", syscfg.EXTICR4, 2 << 4)  # PC13
    rig.write("EXTI", exti.IMR, 1 << 13)
    rig.write("EXTI", exti.RTSR, 1 << 13)
    rig.devices.gpios["GPIOC"].set_input(13, True)
    # The fake bus records the line; a machine hands it to EXTI.
    assert rig.bus.exti == {12: False, 13: True, 14: False, 15: True}  # PA15: JTDI's pull-up
    rig.devices.exti.set_line(13, True)
    assert rig.bus.irqs == {40: True}


def test_usart_by_dma(rig: Rig) -> None:
    sent: list[int] = []
    rig.devices.usarts["USART2"].on_transmit = sent.append
    rig.bus.ram[:5] = b"hello"
    stream6 = dma.FIRST_STREAM + 6 * dma.STREAM_STRIDE
    rig.write("USART2", usart.BRR, 0x16D)
    rig.write("USART2", usart.CR1, usart.CR1_UE | usart.CR1_TE)
    rig.write("USART2", usart.CR3, usart.CR3_DMAT)
    rig.write("DMA1", stream6 + dma_stream.PAR, 0x4000_4400 + usart.DR)
    rig.write("DMA1", stream6 + dma_stream.M0AR, RAM_BASE)
    rig.write("DMA1", stream6 + dma_stream.NDTR, 5)
    control = 4 << 25 | 1 << 6 | dma_stream.CR_MINC | dma_stream.CR_EN
    rig.write("DMA1", stream6 + dma_stream.CR, control)  # DMAT was set long before
    rig.bus.run_us(1000)
    assert bytes(sent) == b"hello"


def test_reset_register_of_the_rcc_resets_the_device(rig: Rig) -> None:
    rig.write("GPIOD", gpio.MODER, 0x5555_5555)
    rig.write("RCC", rcc.AHB1RSTR, 1 << 3)
    assert rig.read("GPIOD", gpio.MODER) == 0
