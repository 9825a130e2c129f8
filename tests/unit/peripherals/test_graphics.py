"""DMA2D, LTDC and the SDRAM that they draw in: RM0090 chapters 11, 16 and 37."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boardless_sim.boards.board import Attachment, Board
from boardless_sim.chips.stm32f4 import stm32f4
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.fsmc import SDCMR
from boardless_sim.peripherals.graphics import dma2d, ltdc
from boardless_sim.peripherals.graphics.dma2d import Dma2d
from boardless_sim.peripherals.graphics.ltdc import Ltdc
from boardless_sim.peripherals.graphics.pixels import ColourFormat, decode, encode
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.fake_bus import RAM_BASE, FakeBus

RED, GREEN, BLUE = 0xF800, 0x07E0, 0x001F
SOURCE, TARGET = RAM_BASE + 0x1000, RAM_BASE + 0x2000
IRQ = 90


def halfwords(*values: int) -> bytes:
    return np.array(values, "<u2").tobytes()


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Dma2d:
    device = Dma2d("DMA2D", IRQ)
    bus.place(0x4002_B000, device)
    return device


def draw(bus: FakeBus, device: Dma2d, mode: int, width: int, lines: int, **registers: int) -> None:
    for name, value in registers.items():
        device.write(getattr(dma2d, name), 4, value)
    device.write(dma2d.OMAR, 4, TARGET)
    device.write(dma2d.NLR, 4, width << 16 | lines)
    device.write(dma2d.CR, 4, mode << 16 | dma2d.TCIF << 8 | dma2d.CR_START)
    bus.run(width * lines - 1)
    assert device.read(dma2d.CR, 4) & dma2d.CR_START
    bus.run(1)
    assert not device.read(dma2d.CR, 4) & dma2d.CR_START


@pytest.mark.fidelity(device="DMA2D", source="RM0090 11.3")
def test_a_rectangle_is_filled(bus: FakeBus, device: Dma2d) -> None:
    """11.3.11: register-to-memory; OOR is added at the end of each line."""
    draw(bus, device, dma2d.FILL, 2, 2, OPFCCR=2, OCOLR=RED, OOR=1)
    assert bus.memory_read(TARGET, 12) == halfwords(RED, RED, 0, RED, RED, 0)
    assert bus.irqs[IRQ]
    device.write(dma2d.IFCR, 4, dma2d.TCIF)
    assert not bus.irqs[IRQ]


@pytest.mark.fidelity(device="DMA2D", source="RM0090 11.3")
def test_a_copy_takes_a_window(bus: FakeBus, device: Dma2d) -> None:
    bus.memory_write(SOURCE, halfwords(1, 2, 3, 4, 5, 6))
    draw(bus, device, dma2d.COPY, 2, 2, FGMAR=SOURCE, FGOR=1, FGPFCCR=2)
    assert bus.memory_read(TARGET, 8) == halfwords(1, 2, 4, 5)


@pytest.mark.fidelity(device="DMA2D", source="RM0090 11.3")
@pytest.mark.parametrize(("form", "data"), [
    (0, b"\x00\x00\xff\xff"), (1, b"\x00\x00\xff"), (3, halfwords(0x7C00)), (4, halfwords(0x0F00)),
    (5, b"\x07"),
])  # fmt: skip
def test_red_of_every_format_is_red(bus: FakeBus, device: Dma2d, form: int, data: bytes) -> None:
    """11.3.3, pixel format conversion; L8 by its colour table."""
    bus.memory_write(SOURCE, data)
    device.write(dma2d.FGCLUT + 4 * 7, 4, 0xFFFF_0000)
    draw(bus, device, dma2d.CONVERT, 1, 1, FGMAR=SOURCE, FGPFCCR=form, OPFCCR=2)
    assert bus.memory_read(TARGET, 2) == halfwords(RED)


@pytest.mark.fidelity(device="DMA2D", source="RM0090 11.3.6")
def test_half_of_red_on_blue(bus: FakeBus, device: Dma2d) -> None:
    bus.memory_write(SOURCE, halfwords(RED))
    bus.memory_write(SOURCE + 16, halfwords(BLUE))
    draw(bus, device, dma2d.BLEND, 1, 1, FGMAR=SOURCE, FGPFCCR=2 | 1 << 16 | 128 << 24,
         BGMAR=SOURCE + 16, BGPFCCR=2, OPFCCR=0)  # fmt: skip
    blue, green, red, alpha = bus.memory_read(TARGET, 4)
    assert (alpha, red, green, blue) == (255, 128, 0, 127)


@pytest.mark.fidelity(device="DMA2D", source="RM0090 11.3")
def test_an_address_without_memory_is_an_error(bus: FakeBus, device: Dma2d) -> None:
    draw(bus, device, dma2d.COPY, 1, 1, FGMAR=0x1234_0000, FGPFCCR=2)
    assert device.read(dma2d.ISR, 4) == dma2d.TEIF


@pytest.mark.parametrize(
    "form", [ColourFormat.ARGB1555, ColourFormat.ARGB4444, ColourFormat.RGB565]
)
def test_there_and_back(form: ColourFormat) -> None:
    data = np.arange(0, 0x1_0000, 7).astype("<u2").tobytes()
    clut = np.zeros((256, 4), np.uint8)
    assert encode(form, decode(form, data, clut)) == data


# LTDC


@pytest.fixture(name="screen")
def screen_fixture(bus: FakeBus) -> Ltdc:
    """4 by 2 pixels, one line and column before and behind, at 6 MHz."""
    screen = Ltdc("LTDC", 88, 89)
    bus.place(0x4001_6800, screen)
    screen.clock_hz = lambda: 6_000_000
    for offset, value in (
        (ltdc.SSCR, 0), (ltdc.BPCR, 0), (ltdc.AWCR, 4 << 16 | 2), (ltdc.TWCR, 5 << 16 | 3),
        (ltdc.BCCR, 0x00FF00), (ltdc.GCR, ltdc.GCR_LTDCEN),
    ):  # fmt: skip
        screen.write(offset, 4, value)
    return screen


def show(bus: FakeBus, screen: Ltdc, layer: int = 0, **registers: int) -> None:
    """Two pixels, red and blue, in columns 1 and 2 of the first line."""
    bus.memory_write(SOURCE, halfwords(RED, BLUE))
    setting = {
        "CFBAR": SOURCE, "CFBLR": 4 << 16 | 7, "CFBLNR": 1, "PFCR": 2, "CACR": 255, "CR": 1,
        "WHPCR": 3 << 16 | 2, "WVPCR": 1 << 16 | 1,
    } | registers  # fmt: skip
    for name, value in setting.items():
        screen.write(ltdc.LAYERS[layer] + getattr(ltdc, name), 4, value)


@pytest.mark.fidelity(device="LTDC", source="RM0090 16.4")
def test_a_layer_shows_after_the_reload(bus: FakeBus, screen: Ltdc) -> None:
    """16.4.3: layer registers are shadowed."""
    show(bus, screen)
    assert (screen.rgb == [0, 255, 0]).all()
    screen.write(ltdc.SRCR, 4, ltdc.SRCR_IMR)
    assert screen.rgb.tolist()[0] == [[0, 255, 0], [255, 0, 0], [0, 0, 255], [0, 255, 0]]
    assert (screen.rgb[1] == [0, 255, 0]).all()


@pytest.mark.fidelity(device="LTDC", source="RM0090 16.4.3")
def test_a_reload_in_the_blanking_and_its_interrupt(bus: FakeBus, screen: Ltdc) -> None:
    show(bus, screen)
    screen.write(ltdc.IER, 4, ltdc.RRIF)
    screen.write(ltdc.SRCR, 4, ltdc.SRCR_VBR)
    bus.run_us(2)  # 3 of 4 lines of 1 us
    assert not bus.irqs.get(88)
    bus.run_us(1.1)
    assert bus.irqs[88]
    assert screen.read(ltdc.SRCR, 4) == 0
    assert screen.rgb[0, 1].tolist() == [255, 0, 0]


@pytest.mark.fidelity(device="LTDC", source="RM0090 16.4.2")
def test_blending(bus: FakeBus, screen: Ltdc) -> None:
    """The constant alpha mixes a layer with what is below."""
    show(bus, screen)
    show(bus, screen, 1, CACR=128, CKCR=0x0000FF, CR=3, BFCR=0x405)
    bus.memory_write(SOURCE, halfwords(RED, BLUE))
    screen.write(ltdc.LAYERS[0] + ltdc.CR, 4, 0)
    screen.write(ltdc.SRCR, 4, ltdc.SRCR_IMR)
    assert screen.rgb[0, 1].tolist() == [128, 127, 0]


@pytest.mark.fidelity(device="LTDC", source="RM0090 16.5")
def test_the_line_interrupt_comes_once_a_frame(bus: FakeBus, screen: Ltdc) -> None:
    screen.write(ltdc.LIPCR, 4, 2)
    screen.write(ltdc.IER, 4, ltdc.LIF)
    bus.run_us(1.9)
    assert not bus.irqs.get(88)
    bus.run_us(0.2)
    assert bus.irqs[88]
    screen.write(ltdc.ICR, 4, ltdc.LIF)
    bus.run_us(3.7)
    assert dict(bus.irqs)[88] is False
    bus.run_us(0.3)
    assert bus.irqs[88]


@pytest.mark.fidelity(device="LTDC", source="RM0090 16.4")
def test_without_its_clock_it_is_black(bus: FakeBus, screen: Ltdc) -> None:
    screen.clock_hz = lambda: 0
    assert not screen.rgb.any()
    screen.write(ltdc.SRCR, 4, ltdc.SRCR_VBR)
    bus.run_us(100)
    assert not screen.read(ltdc.ISR, 4)


# On a board

DISCOVERY = Board(
    name="stm32f429zg",
    chip=stm32f4("stm32f429zg"),
    crystal_hz=8_000_000,
    attached=(Attachment("sdram", "fmc:0xd0000000"),),
)


@pytest.fixture(name="board")
def board_fixture(tmp_path: Path) -> Iterator[ProbedBoard]:
    probed = ProbedBoard(tmp_path, replace(DISCOVERY))
    yield probed
    probed.engine.close()


@pytest.mark.fidelity(device="FSMC", source="RM0090 37.7.3")
def test_sdram_answers_when_it_is_initialised(board: ProbedBoard) -> None:
    machine = board.machine
    board.enable(rcc.AHB3ENR, 0)
    machine.device_write(0xD000_0000, 4, 0x1234)
    assert machine.device_read(0xD000_0000, 4) == 0
    for mode in (1, 2, 3, 4):
        board.write("FMC", SDCMR, mode | 1 << 3)
    machine.device_write(0xD000_0000, 4, 0x1234_5678)
    assert machine.device_read(0xD000_0002, 2) == 0x1234
    machine.memory_write(0xD000_0004, b"abcd")
    assert machine.memory_read(0xD000_0004, 4) == b"abcd"


@pytest.mark.fidelity(device="DMA2D", behaviour="dead while unclocked", source="RM0090 2.3")
def test_dma2d_is_dead_while_gated(board: ProbedBoard) -> None:
    board.write("DMA2D", dma2d.OMAR, 1)
    board.enable(rcc.AHB1ENR, 23)
    assert board.read("DMA2D", dma2d.OMAR) == 0


@pytest.mark.fidelity(device="LTDC", behaviour="dead while unclocked", source="RM0090 2.3")
def test_ltdc_is_dead_while_gated(board: ProbedBoard) -> None:
    board.write("LTDC", ltdc.LIPCR, 1)
    board.enable(rcc.APB2ENR, 26)
    assert board.read("LTDC", ltdc.LIPCR) == 0


@pytest.mark.fidelity(device="LTDC", source="RM0090 6.3.26")
def test_the_pixel_clock_comes_of_pllsai(board: ProbedBoard) -> None:
    """192 MHz / 4 / 8 of a crystal of 8 MHz."""
    board.set_bits("RCC", rcc.CR, 1 << 16)
    board.run_us(5000)
    board.write("RCC", rcc.PLLCFGR, 1 << 22 | 8)
    board.write("RCC", 0x88, 192 << 6 | 4 << 28)
    board.write("RCC", 0x8C, 2 << 16)
    assert board.machine.devices.rcc.lcd_hz() == 0
    board.set_bits("RCC", rcc.CR, 1 << 28)
    board.run_us(1000)
    assert board.machine.devices.rcc.lcd_hz() == 6_000_000
