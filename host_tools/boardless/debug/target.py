"""A board under a debugger: go on, step, go back, look and change, one verb each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from boardless.debug.history import FAR_PS, RunHistory
from boardless.debug.travel import Travel
from boardless_sim.core.stops import EVERY_LEVEL, Hit, Stops
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome

SLICE_PS = 20_000_000_000  # how often somebody may ask for a stop: 20 ms of virtual time


class Why(Enum):
    """What a stop was for."""

    STEP = "step"
    BREAKPOINT = "breakpoint"
    WATCHPOINT = "watchpoint"
    CAUGHT = "exception caught"
    BKPT = "BKPT instruction"
    ASKED = "asked to stop"
    LOCKUP = "lockup"
    STACK = "stack into variables"
    ASLEEP = "asleep for good"
    START = "start of the history"


_FOR_GOOD = {
    Outcome.LOCKUP: Why.LOCKUP,
    Outcome.HALT: Why.ASLEEP,
    Outcome.STACK: Why.STACK,
}


@dataclass(frozen=True)
class Stop:
    """Why the board stands; `hit` is the access of a watchpoint, `exception` the one caught."""

    why: Why
    hit: Hit | None = None
    exception: int = 0


def never() -> bool:
    """Nobody asks for a stop."""
    return False


class DebugTarget:
    """One board, powered on and loaded, and what a debugger does with it."""

    def __init__(
        self, engine: NativeEngine, image: FirmwareImage, every_ps: int | None = 50_000_000_000
    ) -> None:
        self.engine, self.image = engine, image
        self.stops = Stops(engine.machine.cpu)
        engine.machine.halts_at_bkpt = True
        self.history = RunHistory(engine, self.stops, every_ps)
        self._settle()
        self._travel = Travel(engine, self.stops, self.history)
        self.steps_enter_handlers = False

    def close(self) -> None:
        """Give the board back as if no debugger had been there."""
        self.engine.machine.halts_at_bkpt = False
        self.stops.close()

    # ---- forward ----

    def go_on(self, wants_stop: Callable[[], bool] = never, limit_ps: int = FAR_PS) -> Stop:
        """Run until something stops the board; `wants_stop` is asked every 20 ms of its time."""
        self.stops.go_on()
        while True:
            stop = self._slice(limit_ps)
            if stop is not None:
                return stop
            if wants_stop() or self.engine.machine.time_ps() >= limit_ps:
                self._settle()
                return Stop(Why.ASKED)
            if self.history.replayed:
                self.stops.go_on()

    def step(
        self, count: int = 1, within: tuple[int, int] = (0, 0),
        wants_stop: Callable[[], bool] = never,
    ) -> Stop:  # fmt: skip
        """Instructions, or out of a range of addresses; handlers are passed through."""
        deepest = EVERY_LEVEL if self.steps_enter_handlers else self.stops.depth()
        self.stops.step(count, deepest=deepest, within=within)
        while True:
            stop = self._slice(FAR_PS)
            if stop is not None:
                return stop
            if wants_stop():
                self._settle()
                return Stop(Why.ASKED)
            if self.history.replayed:
                return Stop(Why.STEP)

    def _slice(self, limit_ps: int) -> Stop | None:
        """None: it only ran its time."""
        machine = self.engine.machine
        outcome = self.history.run(min(limit_ps, machine.time_ps() + SLICE_PS))
        if outcome in _FOR_GOOD:
            return Stop(_FOR_GOOD[outcome])
        if self.history.replayed:
            return Stop(Why.BREAKPOINT) if self.stops.is_hit() else None
        return self._why() if outcome is Outcome.BREAK else None

    def _why(self) -> Stop:
        stops = self.stops
        hit, exception = stops.hit(), stops.caught()
        inside = stops.where().inside_block
        self._settle()
        if exception:
            return Stop(Why.CAUGHT, exception=exception)
        if hit is not None:
            return Stop(Why.WATCHPOINT, hit)
        if self.engine.read_register("pc") in stops.breakpoints:
            return Stop(Why.BREAKPOINT)
        return Stop(Why.STEP if inside else Why.BKPT)

    def _settle(self) -> None:
        """Stand before an instruction, its block begun, unless the core sleeps."""
        if not self.stops.where().inside_block and not self.engine.is_asleep():
            with self.stops.muted():
                self.stops.settle()
                self.engine.machine.run_until(FAR_PS)

    # ---- back ----

    def step_back(self) -> Stop:
        """One instruction."""
        return Stop(Why.STEP if self._travel.step_back() else Why.START)

    def run_back(self) -> Stop:
        """To the last breakpoint or watched access."""
        landing = self._travel.run_back()
        if landing is None:
            return Stop(Why.START)
        return Stop(Why.WATCHPOINT if landing.hit else Why.BREAKPOINT, landing.hit)

    # ---- changes from outside ----

    def note_input(self) -> None:
        """What lay ahead in the history is no longer true."""
        self.history.note_input()
        self._travel.forget()

    def set_register(self, name: str, value: int) -> None:
        """A core register by name."""
        if name == "pc":
            self.stops.jump(value)
        else:
            self.engine.machine.cpu.set_register(name, value)
        self.note_input()

    def set_double(self, number: int, bits: int) -> None:
        """d0 to d15."""
        self.engine.machine.cpu.set_double(number, bits)
        self.note_input()

    def write(self, address: int, data: bytes) -> None:
        """Memory or registers. Raises `EngineError`."""
        self.engine.machine.poke(address, data)
        self.note_input()

    def write_flash(self, contents: Iterable[tuple[int, bytes]]) -> None:
        """Program the Flash as a probe does; code that was there is forgotten."""
        cpu = self.engine.machine.cpu
        base, memory = cpu.flash
        programmed = bytearray(memory.view)
        for address, data in contents:
            programmed[address - base : address - base + len(data)] = data
        if programmed != bytes(memory.view):
            memory.view[:] = programmed
            cpu.forget_code()
            self.note_input()

    def reset(self) -> None:
        """Power-on with the Flash as it is now; the history begins anew."""
        base, memory = self.engine.machine.cpu.flash
        flash = bytes(memory.view)
        self._travel.forget()
        self.history.go_to_start()
        self.write_flash([(base, flash)])
        self.engine.machine.cpu.power_on(base)
        self.history.begin()
        self._settle()
