"""The firmware of another chip is told apart: by its stack, its size, the RCC that it looks for."""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path

import pytest

from boardless.running.post_mortem import examine, in_lines, in_short
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.boards.room import require_room
from boardless_sim.elf.image import load_image
from boardless_sim.errors import ImageError
from tests.unit.core.programs import STOP_HERE, constant, load, poke, power_on
from tests.unit.elf.elf_bytes import FLASH, build_elf


@pytest.mark.parametrize(
    ("stack", "at", "expected"),
    [
        (0x2003_0000, FLASH, "it fits .*stm32f427, stm32f429, stm32f437, stm32f439, stm32f469"),
        (0x2005_0000, FLASH, r"it fits stm32f469, stm32f479 \(\[board\] chip, --chip\)"),
        (0x2000_2000, FLASH + (1 << 20), "it fits stm32f427, .*stm32f479"),
        (0x2008_0000, FLASH, "it is of an STM32F7"),
        (0x2408_0000, FLASH, "it is of an STM32H7"),
        (0x2100_0000, FLASH, "it fits no known part"),
    ],
)
def test_what_does_not_fit_names_what_it_fits(
    stack: int, at: int, expected: str, tmp_path: Path
) -> None:
    code = struct.pack("<II", stack, FLASH + 9) + bytes(8)
    path = tmp_path / "app.elf"
    path.write_bytes(bytes(build_elf(code=code, load_address=at)))
    with pytest.raises(ImageError, match=f"stm32f407vg has .*; {expected}"):
        require_room(REFERENCE.chip, load_image(path))


@pytest.mark.parametrize(
    ("rcc", "family"),
    [(0x4002_1000, "STM32F0, F1, F3, G0, G4, L4 or WB"), (0x5802_4400, "STM32H7")],
)
def test_the_rcc_that_it_looks_for_tells_the_family(rcc: int, family: str, tmp_path: Path) -> None:
    """On an STM32F4 the first is GPIOE, the second nothing (RM0090 table 1)."""
    code = [*poke(rcc, 0x0001_0000), *constant(0, rcc), *load(1, 0), *STOP_HERE]
    with closing(power_on(tmp_path, code)) as engine:
        engine.run(1000)
        found = examine(engine)
    assert found is not None
    assert f"it looks for the RCC of an {family}" in in_short(found)
    assert any(line.startswith("chip       another one: ") for line in in_lines(found))


def test_a_firmware_of_this_family_is_not_another_ones(tmp_path: Path) -> None:
    code = [*poke(0x4002_3830, 0x10), *poke(0x4002_1000, 1), *STOP_HERE]
    with closing(power_on(tmp_path, code)) as engine:
        engine.run(1000)
        found = examine(engine)
    assert found is not None
    assert not found.other_chip
