"""Instructions of a function's calls, from where it is called and where it returns to."""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.engines.calls import CallCount
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import ImageError
from tests.unit.elf.elf_bytes import FLASH, build_elf

NOP, BX_LR, BL_OVER_FOUR, BRANCH_TO_BL = 0xBF00, 0x4770, (0xF000, 0xF802), 0xE7FC
FUNCTION = FLASH + 16
# A loop that calls `main`, which is three NOPs and its return.
CODE = struct.pack("<2I", 0x2000_2000, FLASH + 9) + struct.pack(
    "<8H", *BL_OVER_FOUR, BRANCH_TO_BL, NOP, NOP, NOP, NOP, BX_LR
)


@pytest.fixture(name="image")
def image_fixture(tmp_path: Path) -> FirmwareImage:
    path = tmp_path / "app.elf"
    path.write_bytes(build_elf(code=CODE, symbol_at=FUNCTION))
    return load_image(path)


def test_a_call_counts_from_its_first_instruction_to_its_return(image: FirmwareImage) -> None:
    calls = CallCount(image, "main")
    assert calls.place == FUNCTION
    calls.pass_by(FLASH + 12 | 1, 100)
    assert (calls.place, calls.counts) == (FLASH + 12, [])
    calls.pass_by(0, 142)
    assert (calls.place, calls.counts) == (FUNCTION, [42])


def test_a_function_that_is_not_there_is_refused(image: FirmwareImage) -> None:
    with pytest.raises(ImageError, match="no symbol 'nn_run'"):
        CallCount(image, "nn_run")


def test_the_native_engine_counts_every_call(image: FirmwareImage) -> None:
    with closing(NativeEngine()) as engine:
        engine.load(image)
        assert engine.call_counts() == []
        engine.count_calls("main")
        engine.run(10)
        counts = engine.call_counts()
        assert len(counts) > 3
        assert set(counts) == {4}
        engine.run(10)
        assert len(engine.call_counts()) > len(counts)
        assert engine.time_us() == pytest.approx(20, abs=2)
