"""The host's half of the mailbox, against a few bytes of memory."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from boardless_sim.camera.frame import Frame
from boardless_sim.engines.mailbox.box import Mailbox
from boardless_sim.errors import FrameError

ADDRESS, WINDOW = 0x2000_0100, 0x2000_1000
MAGIC, EMPTY, FULL = 0x424C_4D42, 1, 2


class Firmware:
    """The firmware's half, as its header says."""

    def __init__(self) -> None:
        self.memory = bytearray(0x10000)
        self.written: list[int] = []

    def read_memory(self, address: int, size: int) -> bytes:
        start = address - 0x2000_0000
        return bytes(self.memory[start : start + size])

    def write_memory(self, address: int, data: bytes) -> None:
        start = address - 0x2000_0000
        self.memory[start : start + len(data)] = data
        self.written.append(address)

    def want(self) -> None:
        taken = self.words()[2]
        self.memory[0x100:0x110] = struct.pack("<4I", MAGIC, EMPTY, taken, WINDOW)

    def take(self) -> bytes:
        """Take the frame: its first byte tells which it is."""
        words = self.words()
        assert words[1] == FULL
        self.memory[0x104:0x10C] = struct.pack("<2I", 0, words[4])
        return bytes(self.memory[0x120 : 0x120 + 784])

    def words(self) -> tuple[int, ...]:
        return struct.unpack("<8I", self.memory[0x100:0x120])


def small(value: int) -> Frame:
    return Frame(f"frame {value}", np.full((28, 28), value, np.uint8))


def make() -> tuple[Firmware, Mailbox]:
    firmware = Firmware()
    return firmware, Mailbox(firmware, ADDRESS)


def test_nothing_is_written_before_the_firmware_listens() -> None:
    firmware, mailbox = make()
    firmware.want()
    firmware.memory[0x100:0x104] = bytes(4)  # RAM as it was before the firmware started
    assert mailbox.show(small(7)) == 0
    mailbox.serve()
    assert firmware.written == []


def test_the_state_is_written_last() -> None:
    firmware, mailbox = make()
    firmware.want()
    mailbox.show(small(7))
    mailbox.serve()
    assert firmware.written[-1] == ADDRESS + 4
    assert set(firmware.take()) == {7}


def test_frames_come_in_order_and_the_last_stays_in_view() -> None:
    firmware, mailbox = make()
    for value in (1, 2):
        mailbox.show(small(value))
    seen = []
    for _ in range(4):
        firmware.want()
        mailbox.serve()
        seen.append(firmware.take()[0])
    assert seen == [1, 2, 2, 2]
    assert [frame.name for frame in mailbox.captured()] == ["frame 1", *["frame 2"] * 3]


def test_a_frame_that_was_not_taken_is_given_again() -> None:
    firmware, mailbox = make()
    mailbox.show(small(1))
    mailbox.show(small(2))
    firmware.want()
    mailbox.serve()
    firmware.want()  # it gave up waiting just before the frame came
    mailbox.serve()
    assert firmware.take()[0] == 1
    assert len(mailbox.captured()) == 1


def test_a_large_frame_is_written_as_grey_pixels_to_the_window() -> None:
    firmware, mailbox = make()
    luma = np.arange(112 * 112, dtype=np.uint32).astype(np.uint8).reshape(112, 112)
    firmware.want()
    mailbox.show(Frame("large", luma))
    mailbox.serve()
    pixels = np.frombuffer(firmware.read_memory(WINDOW, 112 * 112 * 2), np.uint8)
    assert firmware.words()[5] == 2
    assert (pixels[0::2].reshape(112, 112) == luma).all()
    assert set(pixels[1::2]) == {0x80}


def test_what_is_asked_comes_with_the_frame() -> None:
    firmware, mailbox = make()
    mailbox.ask(print_layers=True, dump_layer=3)
    firmware.want()
    mailbox.show(small(1))
    mailbox.serve()
    assert firmware.words()[6:8] == (3, 3)


def test_a_frame_without_a_place_is_refused() -> None:
    _, mailbox = make()
    with pytest.raises(FrameError, match="found 5x5 uint8"):
        mailbox.show(Frame("odd", np.zeros((5, 5), np.uint8)))
