"""The firmware without a camera, on the native engine, spoken to as a debug probe would."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest

from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.contract import REFERENCE
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.mailbox.box import mailbox_of
from boardless_sim.engines.native.engine import NativeEngine
from tests.firmware.conftest import BUILD

FULL, LUMA, NO_FORMAT = 2, 1, 9
PRINT_LAYERS = 1


class Probe:
    """Reads and writes the mailbox of a board that waits for a frame."""

    def __init__(self) -> None:
        image = load_image(BUILD / "boardless-mailbox.elf")
        address = mailbox_of(image, REFERENCE)
        assert address is not None
        self.address = address
        self.engine = NativeEngine()
        self.engine.load(image)
        self.engine.run(1e5, lambda line: line.text.startswith("m- mailbox"))
        self.engine.run(1e3)

    def give(self, frame_format: int, flags: int = 0) -> None:
        frame = struct.pack("<4I", 1, frame_format, flags, 0) + bytes(784)
        self.engine.write_memory(self.address + 16, frame)
        self.engine.write_memory(self.address + 4, struct.pack("<I", FULL))

    def said_before(self, last: str) -> list[str]:
        before = len(self.engine.uart_lines())
        assert self.engine.run(1e6, lambda line: line.text.startswith(last)) is StopReason.RESULT
        return [line.text for line in self.engine.uart_lines()[before:]]


@pytest.fixture(name="probe")
def probe_fixture() -> Iterator[Probe]:
    probe = Probe()
    yield probe
    probe.engine.close()


def test_a_frame_gives_one_result_and_no_layers_unasked(probe: Probe) -> None:
    probe.give(LUMA)
    (line,) = probe.said_before("r-")
    assert line.startswith("r- frame=0 ")


def test_layers_are_printed_where_the_frame_asks(probe: Probe) -> None:
    probe.give(LUMA, PRINT_LAYERS)
    *layers, _ = probe.said_before("r-")
    assert [line.split(" bytes")[0] for line in layers] == [f"l- layer={i}" for i in range(5)]


def test_what_is_no_frame_is_an_error_and_the_next_is_awaited(probe: Probe) -> None:
    probe.give(NO_FORMAT)
    assert probe.said_before("e-") == ["e- capture format code=-5"]
    probe.engine.run(1e3)
    probe.give(LUMA)
    assert probe.said_before("r-")[0].startswith("r- frame=0 ")


def test_no_frame_is_an_error_after_half_a_second(probe: Probe) -> None:
    assert probe.said_before("e-") == ["e- capture timeout code=-1"]
    assert 500_000 < probe.engine.time_us() < 550_000


def test_calls_are_counted_through_the_mailbox() -> None:
    board = BoardSetup(BUILD / "boardless-mailbox.elf").power_on()
    board.count_calls("nn_run")
    board.show(Frame("black", np.zeros((28, 28), np.uint8)))
    assert board.run(1e6, lambda line: line.text.startswith("r-")) is StopReason.RESULT
    assert [count > 100_000 for count in board.call_counts()] == [True]
    board.close()
