"""Chips as data: held against the manuals, part by part."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from boardless_sim.boards.devices import build_devices
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.chips.catalog import lines, load_facts
from boardless_sim.chips.stm32f4 import stm32f4
from boardless_sim.errors import BoardError
from tests.unit.fake_bus import FakeBus

# One part of each line: Flash and contiguous SRAM in KiB, highest HCLK in MHz (the data sheets).
PARTS = {
    "stm32f401re": (512, 96, 84), "stm32f411re": (512, 128, 100), "stm32f405rg": (1024, 128, 168),
    "stm32f407vg": (1024, 128, 168), "stm32f415vg": (1024, 128, 168),
    "stm32f417ig": (1024, 128, 168), "stm32f427vi": (2048, 192, 180),
    "stm32f429zi": (2048, 192, 180), "stm32f437vi": (2048, 192, 180),
    "stm32f439zi": (2048, 192, 180), "stm32f446re": (512, 128, 180),
    "stm32f469ni": (2048, 320, 180), "stm32f479ni": (2048, 320, 180),
}  # fmt: skip


def test_every_line_has_a_part_here() -> None:
    assert lines() == sorted({part[:9] for part in PARTS})


@pytest.mark.parametrize(("part", "sizes"), PARTS.items())
def test_memories_and_clock(part: str, sizes: tuple[int, int, int]) -> None:
    chip = stm32f4(part)
    flash, sram = chip.memory("Flash"), chip.memory("SRAM")
    assert (flash.base, flash.size >> 10) == (0x0800_0000, sizes[0])
    assert (sram.base, sram.size >> 10) == (0x2000_0000, sizes[1])
    assert chip.max_hz == sizes[2] * 1_000_000


@pytest.mark.parametrize("part", PARTS)
def test_nothing_overlaps(part: str) -> None:
    chip = stm32f4(part)
    spans = sorted(
        [(place.base, 0x400, place.name) for place in chip.placements]
        + [(known.base, known.size, known.name) for known in chip.unmodelled]
        + [(area.base, area.size, area.name) for area in chip.memories]
    )
    for (base, size, name), (following, _, other) in pairwise(spans):
        assert base + size <= following, f"{name} reaches into {other}"


@pytest.mark.parametrize("part", PARTS)
def test_its_devices_can_be_built(part: str) -> None:
    board = replace(REFERENCE, chip=stm32f4(part), camera=None)
    devices = build_devices(board, FakeBus())
    assert "GPIOA" in devices.gpios


def test_interrupts_of_the_f407_are_those_of_table_61() -> None:
    irqs = {place.name: place.irqs for place in stm32f4("stm32f407vg").placements}
    assert irqs["DCMI"] == (78,)
    assert irqs["I2C3"] == (72, 73)
    assert irqs["TIM6"] == (54,)
    assert irqs["USART6"] == (71,)


def test_alternate_functions_of_the_camera(  # DS8626 table 9
) -> None:
    pins = stm32f4("stm32f407vg").alternates
    assert pins["A8", 0] == ("MCO1",)
    assert pins["C9", 0] == ("MCO2",)
    assert "DCMI_PIXCK" in pins["A6", 13]
    assert pins["B7", 13] == ("DCMI_VSYNC",)
    assert pins["B8", 4] == ("I2C1_SCL",)
    assert pins["A2", 7] == ("USART2_TX",)


def test_wait_states_are_those_of_table_10() -> None:
    states = stm32f4("stm32f407vg").wait_states
    assert states[2700] == tuple(mhz * 1_000_000 for mhz in (30, 60, 90, 120, 150, 168))
    assert states[1800][0] == 20_000_000


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("stm32h743zi", "chip 'stm32h743zi', expected a part as stm32f407vg, of stm32f401, "),
        ("stm32f407", "chip 'stm32f407', expected a part as stm32f407vg"),
        ("stm32f407zz", "chip 'stm32f407zz', expected one of stm32f407ie, "),
    ],
)
def test_a_chip_that_is_not_known_is_named(part: str, message: str) -> None:
    with pytest.raises(BoardError) as caught:
        stm32f4(part)
    assert message in str(caught.value)


def test_an_interrupt_that_the_part_lacks_is_named() -> None:
    with pytest.raises(BoardError, match="stm32f405rg: no interrupt DCMI"):
        load_facts("stm32f405rg").irq("DCMI")


def test_a_camera_on_a_chip_without_dcmi_is_refused() -> None:
    board = replace(REFERENCE, chip=stm32f4("stm32f405rg"))
    with pytest.raises(BoardError, match="the chip has no DCMI, expected one for the camera"):
        build_devices(board, FakeBus())
