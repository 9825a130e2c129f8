"""`[[attach]]`: parts by name and by a file of the user's own, on pins, buses and memory banks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boardless_sim.boards.board import Attachment
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.engines.native.snapshot import restore, take
from boardless_sim.errors import BoardError
from tests.unit.boards.probed_board import ProbedBoard

REPO = Path(__file__).parents[3]
LAMP = (REPO / "docs/howto/part.md").read_text("utf-8").split("```python\n")[1].split("```")[0]
OWN = """
class Panel:
    def attach(self, wires, at):
        self.written = []
        wires.memory(at, 0x100, self)

    def read(self, address, size):
        return 0x9341

    def write(self, address, size, value):
        self.written.append((address, size, value))

class Broken:
    def attach(self, wires, at):
        pass

    def __init__(self):
        raise ZeroDivisionError("no lamp")
"""
MODER, BSRR, AHB3ENR = 0x00, 0x18, 0x38
BANK = 0x6000_0000


@pytest.fixture(name="own")
def own_fixture(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(LAMP + OWN, encoding="utf-8")
    return path


def probed(folder: Path, *attached: Attachment) -> ProbedBoard:
    return ProbedBoard(folder, replace(REFERENCE, attached=attached))


@pytest.fixture(name="lamp")
def lamp_fixture(own: Path, tmp_path: Path) -> Iterator[tuple[ProbedBoard, Any]]:
    board = probed(tmp_path, Attachment(f"{own}:Lamp", "PD12"))
    yield board, board.machine.devices.parts.by_name["Lamp"]
    board.engine.close()


def test_a_part_in_a_file_of_the_users_own_sees_its_pin(lamp: tuple[ProbedBoard, Any]) -> None:
    board, part = lamp
    board.enable(0x30, 3)
    board.field("GPIOD", MODER, 24, 2, 1)
    board.run_us(10)
    board.write("GPIOD", BSRR, 1 << 12)
    assert part.lit_ns == [10_000]
    board.write("GPIOD", BSRR, 1 << 28)
    assert part.lit_ns == [10_000]


def test_a_snapshot_holds_what_a_part_has(lamp: tuple[ProbedBoard, Any]) -> None:
    board, part = lamp
    board.enable(0x30, 3)
    kept = take(board.engine)
    board.field("GPIOD", MODER, 24, 2, 1)
    board.write("GPIOD", BSRR, 1 << 12)
    assert part.lit_ns
    restore(board.engine, kept)
    assert not part.lit_ns


def test_a_part_drives_a_pin(lamp: tuple[ProbedBoard, Any]) -> None:
    board, part = lamp
    part.pin.drive(True)
    assert board.machine.devices.gpios["GPIOD"].level(12)
    part.pin.release()
    assert not board.machine.devices.gpios["GPIOD"].level(12)


def test_a_bank_of_the_memory_controller_is_the_parts(own: Path, tmp_path: Path) -> None:
    """Once the controller has its clock; bank 1 is on after reset (RM0090 36.5)."""
    board = probed(tmp_path, Attachment(f"{own}:Panel", "fsmc:0x60000000"))
    part: Any = board.machine.devices.parts.by_name["Panel"]
    board.machine.device_write(BANK, 2, 0x2C)
    assert not part.written
    board.enable(AHB3ENR, 0)
    board.machine.device_write(BANK, 2, 0x2C)
    assert part.written == [(BANK, 2, 0x2C)]
    assert board.machine.device_read(BANK + 2, 2) == 0x9341
    assert board.machine.device_read(BANK + 0x100, 2) == 0
    board.engine.close()


def test_a_part_by_its_name_at_an_address(tmp_path: Path) -> None:
    both = (Attachment("ssd1306", "i2c1"), Attachment("ssd1306", "i2c2:0x3d"))
    board = probed(tmp_path, *both)
    parts: Any = board.machine.devices.parts.by_name
    assert list(parts) == ["ssd1306", "ssd1306 2"]
    assert [part.address for part in parts.values()] == [0x3C, 0x3D]
    board.engine.close()


@pytest.mark.parametrize(
    ("device", "at", "message"),
    [
        (
            "ssd1307",
            "i2c1",
            "device 'ssd1307', expected one of .*ssd1306, .*or your own as lamp.py",
        ),
        ("ssd1306", "i2c9", "ssd1306: bus 'i2c9', expected one of i2c1, i2c2, i2c3, or two pins"),
        ("ssd1306", "gpio:PB8", "bus 'gpio:PB8', expected the pins of its clock and its data"),
        ("{own}:Lamp", "PZ1", "Lamp: pin 'PZ1', expected one of the chip's, as PG9"),
        ("{own}:Panel", "fsmc:0x80000000", "'fsmc:0x80000000', expected a memory controller's"),
        ("{own}:Lump", "PD1", "own.py: no class 'Lump' with attach"),
        ("{own}:Broken", "PD1", r"own.py: Broken\(\): ZeroDivisionError: no lamp"),
    ],
)
def test_what_cannot_be_attached_is_named(
    device: str, at: str, message: str, own: Path, tmp_path: Path
) -> None:
    with pytest.raises(BoardError, match=message):
        probed(tmp_path, Attachment(device.format(own=own), at))
