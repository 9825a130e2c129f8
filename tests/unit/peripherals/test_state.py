from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

import numpy as np
import pytest

from boardless_sim.errors import EngineError
from boardless_sim.peripherals.state import Some, capture


class Part:
    def __init__(self) -> None:
        self.level = 1


class Slotted:
    __slots__ = ("due",)

    def __init__(self) -> None:
        self.due: int | None = 7


class Device:
    def __init__(self) -> None:
        self.count = 1
        self.values = {0: 1, 4: 2}
        self.queue = deque([1, 2])
        self.parts = (Part(), Part())
        self.buffer = bytearray(b"ab")
        self.event: Slotted | None = Slotted()
        self.events = [(1, self.event)]
        self.noise = random.Random(1)
        self.pixels = np.zeros(3, dtype=np.uint8)


def nothing_outside(thing: object) -> bool:
    return False


def spoil(device: Device) -> None:
    device.count = 9
    device.values[0] = 9
    device.values[8] = 9
    device.queue.popleft()
    device.parts[1].level = 9
    device.buffer += b"c"
    assert device.event is not None
    device.event.due = None
    device.event = None
    device.events.clear()
    device.noise.random()
    device.pixels[1] = 9


def test_a_device_gets_everything_back_in_the_same_objects() -> None:
    device = Device()
    buffer, event, part = device.buffer, device.event, device.parts[1]
    first = random.Random(1).random()
    state = capture([device], nothing_outside)
    for _ in range(2):
        spoil(device)
        state.restore()
        assert device.count == 1
        assert device.values == {0: 1, 4: 2}
        assert list(device.queue) == [1, 2]
        assert device.parts[1] is part
        assert part.level == 1
        assert device.buffer is buffer
        assert buffer == b"ab"
        assert device.event is event
        assert device.events == [(1, event)]
        assert event is not None
        assert event.due == 7
        assert device.noise.random() == first
        assert device.pixels.tolist() == [0, 0, 0]


def test_a_field_that_came_later_goes_again() -> None:
    device = Device()
    state = capture([device], nothing_outside)
    vars(device)["later"] = 1
    state.restore()
    assert "later" not in vars(device)


def test_some_fields_only() -> None:
    device = Device()
    state = capture([Some(device, ("count",))], nothing_outside)
    spoil(device)
    state.restore()
    assert (device.count, device.values[0]) == (1, 9)


def test_what_is_outside_keeps_what_it_has() -> None:
    device = Device()
    state = capture([device], lambda thing: isinstance(thing, Part))
    spoil(device)
    state.restore()
    assert device.parts[1].level == 9


def test_a_state_that_cannot_be_kept_is_refused_by_name() -> None:
    class Camera:
        def __init__(self) -> None:
            self.frames: Iterator[int] = (number for number in range(3))

    with pytest.raises(
        EngineError, match=r"Camera\.frames is a generator, whose state cannot be kept"
    ):
        capture([Camera()], nothing_outside)
