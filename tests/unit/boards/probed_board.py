"""A board whose core sleeps, worked by hand: registers, pins, time."""

from __future__ import annotations

from pathlib import Path

from boardless_sim.boards.board import Board
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.peripherals import rcc
from tests.unit.core.programs import SLEEP_FOREVER, assemble
from tests.unit.elf.elf_bytes import build_elf

GPIO_CLOCKS = 0x1FF  # AHB1ENR


class ProbedBoard:
    """Accesses as the core makes them, at the board's addresses."""

    def __init__(self, folder: Path, board: Board = REFERENCE) -> None:
        path = folder / "sleep.elf"
        path.write_bytes(build_elf(code=assemble(SLEEP_FOREVER)))
        self.engine = NativeEngine(board=board)
        self.engine.load(load_image(path))
        self.machine = self.engine.machine

    def address(self, device: str, offset: int) -> int:
        return self.machine.devices.by_name[device][0] + offset

    def read(self, device: str, offset: int) -> int:
        return self.machine.device_read(self.address(device, offset), 4)

    def write(self, device: str, offset: int, value: int) -> None:
        self.machine.device_write(self.address(device, offset), 4, value)

    def set_bits(self, device: str, offset: int, bits: int) -> None:
        self.write(device, offset, self.read(device, offset) | bits)

    def enable(self, register: int, *bits: int) -> None:
        self.set_bits("RCC", register, sum(1 << bit for bit in bits))

    def alternate(self, pin: str, function: int, *, open_drain: bool = False) -> None:
        """A pin to its alternate function, clock included."""
        port, number = f"GPIO{pin[0]}", int(pin[1:])
        self.enable(rcc.AHB1ENR, ord(pin[0]) - ord("A"))
        self.field(port, 0x20 if number < 8 else 0x24, 4 * (number & 7), 4, function)
        self.field(port, 0x04, number, 1, int(open_drain))
        self.field(port, 0x00, 2 * number, 2, 2)

    def field(self, device: str, offset: int, shift: int, width: int, value: int) -> None:
        mask = (1 << width) - 1
        old = self.read(device, offset) & ~(mask << shift)
        self.write(device, offset, old | value << shift)

    def run_us(self, time_us: float) -> None:
        self.engine.run(time_us)

    def found(self) -> list[tuple[str, str]]:
        """Check and device of every finding."""
        return [(finding.kind, finding.device) for finding in self.engine.findings()]
