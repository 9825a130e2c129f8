"""Frames through a variable of the firmware, for engines and boards without a camera.

The host's half of `firmware/apps/classifier/frame_mailbox.h`, which is the manual.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import LEFT, SMALL, SQUARE, TOP, check, compose
from boardless_sim.camera.tensor import InputTensor
from boardless_sim.contract import Contract
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.errors import FrameError
from boardless_sim.history import History

_MAGIC = 0x424C_4D42
_EMPTY, _FULL = 1, 2
_LUMA, _YUYV, _TENSOR = 1, 2, 3
_PRINT_LAYERS, _DUMP_LAYER = 1 << 0, 1 << 1
_STATE_OFFSET, _FRAME_OFFSET = 4, 16
_TENSOR_OFFSET = 32 + SMALL * SMALL  # how many bytes a tensor of this firmware has
_GREY = 0x80


def mailbox_of(image: FirmwareImage, contract: Contract) -> int | None:
    """The address of the variable through which the firmware takes frames; None without one."""
    symbol = image.symbols.get(contract.symbols.mailbox)
    return None if symbol is None or symbol.kind != "object" else symbol.address


class MemoryAccess(Protocol):
    """What reaches the firmware's RAM."""

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Write RAM."""


class Mailbox:
    """A queue of frames before one firmware's mailbox; the last frame stays in view."""

    def __init__(self, memory: MemoryAccess, address: int) -> None:
        self._memory = memory
        self._address = address
        self._queue: deque[Frame] = deque()
        self._in_view: Frame | None = None
        self._given: Frame | None = None  # in the mailbox, not known to be taken
        self._sequence = 0
        self._captured: History[Frame] = History()
        self._flags = self._dump_layer = 0

    def show(self, frame: Frame) -> int:
        """Queue a frame; returns its number among the captures to come."""
        if not isinstance(frame, InputTensor):
            check(frame)
        self._queue.append(frame)
        return len(self._captured) + (self._given is not None) + len(self._queue) - 1

    def ask(self, *, print_layers: bool = False, dump_layer: int | None = None) -> None:
        """What the firmware is to tell about the frames given from now on, beside the result."""
        self._flags = (_PRINT_LAYERS if print_layers else 0) | (
            0 if dump_layer is None else _DUMP_LAYER
        )
        self._dump_layer = dump_layer or 0

    def captured(self) -> Sequence[Frame]:
        """The frames that the firmware took, in order."""
        self._look()
        return self._captured

    def forget_history(self, keep: int) -> None:
        """All but the last of them."""
        self._captured.forget(keep)

    def serve(self) -> None:
        """Give the firmware a frame if it wants one and there is one."""
        state, window = self._look()
        if state != _EMPTY:
            return
        if self._given is None:
            if self._queue:
                self._in_view = self._queue.popleft()
            self._given = self._in_view
        if self._given is not None:
            self._give(self._given, window)

    def _look(self) -> tuple[int, int]:
        """State and window; notes that the frame in the mailbox was taken."""
        words = struct.unpack("<4I", self._memory.read_memory(self._address, _FRAME_OFFSET))
        magic, state, taken, window = words
        if magic != _MAGIC:
            return 0, 0
        if self._given is not None and taken == self._sequence:
            self._captured.append(self._given)
            self._given = None
        return state, window

    def _give(self, frame: Frame, window: int) -> None:
        self._sequence += 1
        form = self._form(frame)
        header = struct.pack("<4I", self._sequence, form, self._flags, self._dump_layer)
        if form == _LUMA:
            header += frame.luma.tobytes()
        else:
            content = frame.luma.tobytes() if form == _TENSOR else _yuyv(frame)
            self._memory.write_memory(window, content)
        self._memory.write_memory(self._address + _FRAME_OFFSET, header)
        self._memory.write_memory(self._address + _STATE_OFFSET, struct.pack("<I", _FULL))

    def _form(self, frame: Frame) -> int:
        """How a frame goes in. Raises `FrameError` for a tensor of another size."""
        if not isinstance(frame, InputTensor):
            return _LUMA if frame.luma.shape == (SMALL, SMALL) else _YUYV
        content = self._memory.read_memory(self._address + _TENSOR_OFFSET, 4)
        (expected,) = struct.unpack("<I", content)
        if frame.luma.size != expected:
            raise FrameError(
                f"{frame.name}: found a tensor of {frame.luma.size} bytes, expected {expected}, "
                "which is what the network takes"
            )
        return _TENSOR


def _yuyv(frame: Frame) -> bytes:
    square = compose(frame)[TOP : TOP + SQUARE, LEFT : LEFT + SQUARE]
    pixels = np.full((SQUARE, SQUARE, 2), _GREY, np.uint8)
    pixels[:, :, 0] = square
    return pixels.tobytes()
