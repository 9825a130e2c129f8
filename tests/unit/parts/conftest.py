from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boardless_sim.boards.board import Attachment
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.links import spi
from tests.unit.boards.probed_board import ProbedBoard

MASTER = spi.CR1_MSTR | spi.CR1_SSM | spi.CR1_SSI | spi.CR1_SPE
Fitted = Callable[[str, str], tuple[ProbedBoard, Any]]


@pytest.fixture
def fitted(tmp_path: Path) -> Iterator[Fitted]:
    """A board with one part, and the part."""
    boards: list[ProbedBoard] = []

    def fit(device: str, at: str) -> tuple[ProbedBoard, Any]:
        board = ProbedBoard(tmp_path, replace(REFERENCE, attached=(Attachment(device, at),)))
        boards.append(board)
        return board, board.machine.devices.parts.by_name[device]

    yield fit
    for board in boards:
        board.engine.close()


class SpiMaster:
    """SPI1 on PA5 to PA7, worked by hand: chip select on PA4, D/CX on PA3."""

    def __init__(self, board: ProbedBoard) -> None:
        self.board = board
        board.enable(rcc.APB2ENR, 12)
        for pin in ("A5", "A6", "A7"):
            board.alternate(pin, 5)
        for number in (3, 4):
            board.field("GPIOA", 0x00, 2 * number, 2, 1)
        self.select(False)
        board.write("SPI1", spi.CR1, MASTER)

    def level(self, pin: int, high: bool) -> None:
        self.board.write("GPIOA", 0x18, 1 << pin if high else 1 << (pin + 16))

    def select(self, on: bool) -> None:
        self.level(4, not on)

    def send(self, *data: int) -> list[int]:
        """Bytes, and what came back for them."""
        answers = []
        for byte in data:
            self.board.write("SPI1", spi.DR, byte)
            self.board.run_us(2)
            answers.append(self.board.read("SPI1", spi.DR))
        return answers

    def transfer(self, *data: int) -> list[int]:
        self.select(True)
        answers = self.send(*data)
        self.select(False)
        return answers

    def command(self, code: int, *arguments: int) -> None:
        """To a display: D/CX low, then high."""
        self.level(3, False)
        self.transfer(code)
        self.level(3, True)
        if arguments:
            self.transfer(*arguments)
