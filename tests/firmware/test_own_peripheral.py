"""The how-to's device, in a file of its own, answers the CPU."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.own import load_placement
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.chips.chip import KnownPeripheral
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import BoardError
from boardless_sim.finding import Grade
from tests.firmware.conftest import BUILD, REPO

BASE = 0x5006_0800


@pytest.fixture(name="rng_file")
def rng_file_fixture(tmp_path: Path) -> Path:
    how_to = (REPO / "docs" / "howto" / "peripheral.md").read_text()
    code = re.search(r"```python \S+rng.py\n(.*?)```", how_to, re.DOTALL)
    assert code is not None
    path = tmp_path / "rng.py"
    path.write_text(code[1])
    return path


def test_the_device_of_the_how_to_gives_numbers(rng_file: Path) -> None:
    engine = NativeEngine(peripherals=[f"{rng_file}:Rng@{BASE:#x}"])
    engine.load(load_image(BUILD / "selftest.elf"))
    machine = engine.machine
    machine.device_write(BASE, 4, 1 << 2)  # RNG_CR_RNGEN
    assert machine.device_read(BASE + 4, 4) == 0
    engine.run(10.0)
    assert machine.device_read(BASE + 4, 4) == 1
    assert machine.device_read(BASE + 8, 4) == 1 * 1_664_525 + 1_013_904_223
    assert not any("RNG" in line for line in engine.log())
    engine.close()


def test_without_a_device_the_register_is_named_once() -> None:
    toy = KnownPeripheral("TOY", BASE, registers={8: "DR"})
    chip = REFERENCE.chip
    bare = replace(
        chip,
        placements=tuple(place for place in chip.placements if place.base != BASE),
        unmodelled=(toy,),
    )
    engine = NativeEngine(board=replace(REFERENCE, chip=bare))
    engine.load(load_image(BUILD / "selftest.elf"))
    engine.machine.device_read(BASE + 8, 4)
    engine.machine.device_read(BASE + 8, 4)
    assert [line for line in engine.log() if "TOY" in line] == ["TOY_DR is not modelled (read)"]
    finding = engine.findings()[0]
    assert (finding.kind, finding.grade) == ("unmodelled", Grade.WARNING)
    assert (finding.device, finding.text) == ("TOY", "TOY_DR is not modelled")
    engine.close()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("rng.py", "peripheral 'rng.py', expected FILE:CLASS@BASE, as rng.py:Rng@0x50060800"),
        ("{file}:Rng@0x50060804", "base 0x50060804, expected a multiple of 0x400"),
        ("{file}:Other@0x50060800", "no class 'Other' derived from Peripheral"),
        (
            "none.py:Rng@0x50060800",
            "none.py: No such file or directory, expected Python with a Peripheral",
        ),
        ("{bad}:Rng@0x50060800", "bad.py: SyntaxError"),
    ],
)
def test_what_is_wrong_with_the_file_is_said(
    rng_file: Path, tmp_path: Path, spec: str, message: str
) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("class Rng(:\n")
    with pytest.raises(BoardError, match=re.escape(message)) as caught:
        load_placement(spec.format(file=rng_file, bad=bad))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('odd')", "bad.py:9: RuntimeError: odd"),
        ("import sys; sys.exit(0)", "bad.py:9: SystemExit: 0"),
    ],
)
def test_what_a_device_raises_is_said_by_its_file(tmp_path: Path, body: str, message: str) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from boardless_sim.peripherals.peripheral import Peripheral\n\n"
        "class Rng(Peripheral):\n"
        "    def read(self, offset, size):\n        return 0\n"
        "    def write(self, offset, size, value):\n        pass\n"
        f"    def reset(self):\n        {body}\n"
    )
    engine = NativeEngine(peripherals=[f"{bad}:Rng@{BASE:#x}"])
    with pytest.raises(BoardError, match=re.escape(message)):
        engine.load(load_image(BUILD / "selftest.elf"))
