"""BRR and the clock of the bus make the baud that the far end must read at (RM0090 30.3.4)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.peripherals import rcc, usart
from tests.unit.boards.probed_board import ProbedBoard

pytestmark = pytest.mark.fidelity(device="USART", source="RM0090 30.3.4")


def send(board: ProbedBoard, divider: int) -> list[tuple[str, str]]:
    """What is found when a word is sent by so many clocks of 16 MHz a bit."""
    board.alternate("A2", 7)
    board.enable(rcc.APB1ENR, 17)
    board.write("USART2", usart.BRR, divider)
    board.write("USART2", usart.CR1, usart.CR1_UE | usart.CR1_TE)
    board.write("USART2", usart.DR, 0x41)
    board.run_us(1000)
    return board.found()


@pytest.mark.parametrize(
    ("divider", "found"),
    [
        (139, []),  # 115,108
        (1667, []),  # 9,598
        (365, [("baud", "USART2")]),  # 115,200 of a bus at 42 MHz: 43,836
        (134, []),  # 3.6 % too fast
        (133, [("baud", "USART2")]),  # 4.4 %
    ],
)
def test_a_rate_that_nobody_reads_is_found(
    board: ProbedBoard, divider: int, found: list[tuple[str, str]]
) -> None:
    assert send(board, divider) == found


def test_the_rate_of_the_console_counts_where_it_is_known(tmp_path: Path) -> None:
    board = ProbedBoard(tmp_path, replace(REFERENCE, console_bauds={"USART2": 115_200}))
    assert send(board, 1667) == [("baud", "USART2")]
    text = "USART2 sends at 9598 baud, expected 115200"
    assert board.engine.findings()[0].text == text
    board.engine.close()
