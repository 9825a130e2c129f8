"""What the core carries out by itself is what the devices would have done, at the same time."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing

import pytest

from boardless_sim.core.schedule import EventQueue, ScheduledEvent
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Machine
from boardless_sim.engines.native.snapshot import restore, take
from boardless_sim.peripherals.dma_stream import NDTR
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
FRAMES, LIMIT_PS = 3, 200_000_000_000


def asked(engine: NativeEngine) -> NativeEngine:
    """The devices are asked for every event."""
    machine = engine.machine
    machine.carry_on = lambda event, foreseen: event  # type: ignore[method-assign]
    return engine


def numbers(engine: NativeEngine) -> list[dict[str, object]]:
    """Of everything that takes part: each number that it keeps."""
    devices = engine.machine.devices
    things: list[object] = [devices.by_name["DCMI"][1], devices.camera, devices.usarts["USART2"]]
    things += [stream for dma in devices.dmas for stream in dma.streams]
    return [
        {name: str(value) for name, value in vars(thing).items() if isinstance(value, int | dict)}
        for thing in things
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_devices_look_the_same_whenever_somebody_looks(seed: int) -> None:
    choose, at_ps = random.Random(seed), 0
    with (
        closing(powered_board(ELF, FRAMES)) as carried,
        closing(asked(powered_board(ELF, FRAMES))) as plain,
    ):
        while at_ps < LIMIT_PS:
            at_ps += choose.randrange(1, 3_000_000_000)
            for engine in (carried, plain):
                engine.machine.run_until(at_ps)
            assert numbers(carried) == numbers(plain)
        assert fingerprint(carried) == fingerprint(plain)


def test_nothing_is_late_where_a_function_begins() -> None:
    with (
        closing(powered_board(ELF, FRAMES)) as carried,
        closing(asked(powered_board(ELF, FRAMES))) as plain,
    ):
        for place in ("nn_run", "result_print") * FRAMES:
            for engine in (carried, plain):
                assert engine.run_to(engine.image.symbols[place].address & ~1, 1e6)
            assert numbers(carried) == numbers(plain)
            assert fingerprint(carried) == fingerprint(plain)


def test_few_events_of_a_frame_ask_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    came = 0
    pop = EventQueue.pop_due

    def counted(queue: EventQueue, cycle: int) -> ScheduledEvent | None:
        nonlocal came
        event = pop(queue, cycle)
        came += event is not None
        return event

    monkeypatch.setattr(EventQueue, "pop_due", counted)
    with closing(powered_board(ELF, FRAMES)) as engine:
        engine.machine.run_until(LIMIT_PS)
        frames = engine.machine.devices.camera.frames_clocked
    assert came < 60 * frames  # of 218: 121 lines, 93 bytes, and some more


def looks_at_ties(engine: NativeEngine) -> list[tuple[int, int]]:
    """NDTR as events see it that are due with a byte, scheduled before it or just after it."""
    machine, looks = engine.machine, list[tuple[int, int]]()
    usart = machine.devices.usarts["USART2"]
    stream = machine.devices.dmas[0].streams[6]
    tell: Callable[[int], None] = usart.on_transmit
    ended = True

    def look() -> None:
        looks.append((machine.now(), stream.registers[NDTR]))

    def hear(byte: int) -> None:
        nonlocal ended
        tell(byte)
        if ended:  # the first byte of a line is a device's
            for words in range(1, 30):
                machine.schedule(words * usart.frame_cycles(), look)
        ended = byte == 0x0A

    usart.on_transmit = hear
    machine.run_until(LIMIT_PS)
    return looks


def test_events_of_one_cycle_come_in_the_order_of_scheduling() -> None:
    with (
        closing(powered_board(ELF, FRAMES)) as carried,
        closing(asked(powered_board(ELF, FRAMES))) as plain,
    ):
        looks = looks_at_ties(plain)
        assert len({value for _, value in looks}) > 20
        assert looks_at_ties(carried) == looks


def test_a_snapshot_from_within_a_frame_runs_on_as_the_frame_did() -> None:
    with closing(powered_board(ELF, FRAMES)) as engine:
        engine.machine.run_until(LIMIT_PS // 2)
        kept = take(engine)
        engine.machine.run_until(LIMIT_PS)
        first = fingerprint(engine)
        restore(engine, kept)
        engine.machine.run_until(LIMIT_PS)
        assert fingerprint(engine) == first


def test_a_run_by_hand_meets_the_limits_of_the_console() -> None:
    """A flood without a line's end is not carried out beyond the bound."""
    with closing(powered_board(ELF, 1)) as engine:
        machine: Machine = engine.machine
        late = machine.devices.usarts["USART2"].late_words
        most = late()
        machine.guard.note_byte(ends_line=False)
        assert late() == most  # the length of a line is the nearer bound
        for _ in range(machine.guard.room_bytes - 7):
            machine.guard.note_byte(ends_line=False)
        assert late() == 7
