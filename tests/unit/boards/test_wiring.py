"""The sensor where the user's board has it: on another I2C, with an oscillator."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.boards.board import CameraWiring
from boardless_sim.boards.plan import BoardPlan, make_board
from boardless_sim.peripherals import i2c, rcc
from tests.unit.boards.probed_board import ProbedBoard

SENSOR_WRITE = 0x42
PINS = {"I2C1": ("B8", "B9"), "I2C2": ("B10", "B11")}


def addressed(board: ProbedBoard, name: str) -> int:
    """SR2 and SR1 after a start and the sensor's address on that bus."""
    board.enable(rcc.APB1ENR, 20 + int(name[-1]))
    for pin in PINS[name]:
        board.alternate(pin, 4, open_drain=True)
    for offset, value in ((i2c.CR2, 16), (i2c.CCR, 80), (i2c.TRISE, 17), (i2c.CR1, 1)):
        board.write(name, offset, value)
    board.write(name, i2c.CR1, 0x101)
    board.run_us(100)
    assert board.read(name, i2c.SR1) & 1
    board.write(name, i2c.DR, SENSOR_WRITE)
    board.run_us(200)
    found = board.read(name, i2c.SR1)
    return board.read(name, i2c.SR2) << 16 | found


@pytest.mark.parametrize(("bus", "other"), [("i2c2", "I2C1"), ("i2c1", "I2C2")])
def test_the_sensor_answers_on_its_bus_alone(bus: str, other: str, tmp_path: Path) -> None:
    """EV6 with TXE, as StdPeriph waits for it: BUSY, MSL, TRA and ADDR, TXE (RM0090 27.6.6, 7)."""
    plan = BoardPlan(camera=CameraWiring("ov7670", bus, "24M"))
    board = ProbedBoard(tmp_path, make_board(plan))
    assert addressed(board, bus.upper()) == 0x0007_0082
    assert addressed(board, other) & 0x402 == 0x400  # AF, no ADDR
    board.engine.close()
