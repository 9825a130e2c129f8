"""SCCB by hand, over two pins: what a driver does with BSRR and IDR."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.errors import BoardError
from boardless_sim.peripherals import gpio, rcc
from tests.unit.boards.probed_board import ProbedBoard

CLOCK, DATA = 1 << 6, 1 << 7
PRODUCT = 0x0A


class Driver:
    """Open-drain PD6 and PD7, moved by BSRR."""

    def __init__(self, board: ProbedBoard) -> None:
        self.board = board
        board.enable(rcc.AHB1ENR, 3)
        board.write("GPIOD", gpio.OTYPER, CLOCK | DATA)
        board.write("GPIOD", gpio.ODR, CLOCK | DATA)
        board.write("GPIOD", gpio.MODER, 0x5000)

    def set(self, line: int, high: bool) -> None:
        self.board.write("GPIOD", gpio.BSRR, line if high else line << 16)

    def start(self) -> None:
        self.set(DATA, True)
        self.set(CLOCK, True)
        self.set(DATA, False)
        self.set(CLOCK, False)

    def stop(self) -> None:
        self.set(DATA, False)
        self.set(CLOCK, True)
        self.set(DATA, True)

    def bit(self, value: bool) -> bool:
        """What stands on the line while the clock is high."""
        self.set(DATA, value)
        self.set(CLOCK, True)
        seen = bool(self.board.read("GPIOD", gpio.IDR) & DATA)
        self.set(CLOCK, False)
        return seen

    def send(self, byte: int) -> bool:
        """Whether it was acknowledged."""
        for n in range(7, -1, -1):
            self.bit(bool(byte >> n & 1))
        return not self.bit(True)

    def receive(self) -> int:
        value = sum(self.bit(True) << n for n in range(7, -1, -1))
        self.bit(True)  # no acknowledge: it was the last
        return value

    def read(self, register: int) -> int:
        self.start()
        assert self.send(0x42)
        assert self.send(register)
        self.stop()
        self.start()
        assert self.send(0x43)
        value = self.receive()
        self.stop()
        return value


def by_hand(folder: Path, bus: str = "gpio:PD6,PD7", xclk: str = "24M") -> ProbedBoard:
    assert REFERENCE.camera is not None
    camera = replace(REFERENCE.camera, bus=bus, xclk=xclk)
    return ProbedBoard(folder, replace(REFERENCE, camera=camera))


@pytest.fixture(name="driver")
def driver_fixture(tmp_path: Path) -> Iterator[Driver]:
    board = by_hand(tmp_path)
    yield Driver(board)
    board.engine.close()


def test_registers_are_read_and_written(driver: Driver) -> None:
    assert driver.read(PRODUCT) == 0x76
    driver.start()
    assert all(driver.send(byte) for byte in (0x42, 0x11, 0x05))
    driver.stop()
    assert driver.read(0x11) == 0x05


def test_another_address_is_not_acknowledged(driver: Driver) -> None:
    driver.start()
    assert not driver.send(0x60)
    driver.stop()
    assert driver.read(PRODUCT) == 0x76


def test_without_a_clock_nobody_acknowledges(tmp_path: Path) -> None:
    board = by_hand(tmp_path, xclk="MCO1")
    driver = Driver(board)
    driver.start()
    assert not driver.send(0x42)
    assert board.found() == [("xclk", "ov7670")]
    board.engine.close()


@pytest.mark.parametrize(
    ("bus", "message"),
    [
        ("gpio:PD6", "bus 'gpio:PD6', expected the pins of its clock and its data"),
        ("gpio:PD6,D7", "pin 'D7', expected one of the chip's, as PG9"),
        ("SPI1", "bus 'SPI1', expected one of i2c1, i2c2, i2c3, or two pins"),
    ],
)
def test_an_impossible_bus_is_named(tmp_path: Path, bus: str, message: str) -> None:
    with pytest.raises(BoardError) as caught:
        by_hand(tmp_path, bus=bus)
    assert message in str(caught.value)
