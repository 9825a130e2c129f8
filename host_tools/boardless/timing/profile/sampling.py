"""Call stacks sampled in virtual time: the same on every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from boardless.running.unwind import Unwinder
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine

# A prime, so that no loop of the firmware keeps step with it for long.
EVERY_CYCLES = 997
ASLEEP = "(asleep)"

Stack = tuple[str, ...]  # outermost first
Place = tuple[str, int]  # the innermost function, and where in it


class SourceLine(NamedTuple):
    """A line of a function; line 0 is not known."""

    function: str
    file: str
    line: int


def by_line(places: Mapping[Place, int], image: FirmwareImage) -> dict[SourceLine, int]:
    """Cycles by source line, as the ELF's line table says."""
    table = None if image.elf is None else image.elf.lines
    found: Counter[SourceLine] = Counter()
    for (function, pc), cycles in places.items():
        file, line = (None if table is None else table.where(pc)) or ("???", 0)
        found[SourceLine(function, file, line)] += cycles
    return dict(sorted(found.items()))


def files_of(stacks: Iterable[Stack], image: FirmwareImage) -> Iterator[tuple[str, str]]:
    """The source file of each function: of its first instruction, whatever is inlined later."""
    if image.elf is not None:
        for name in {name for stack in stacks for name in stack}:
            symbol = image.symbols.get(name)
            found = None if symbol is None else image.elf.lines.where(symbol.address)
            if found is not None:
                yield name, found[0]


@dataclass(frozen=True)
class SampledFunction:
    """Cycles of a function itself, and with what it called."""

    name: str
    self_cycles: int
    total_cycles: int


class Sampler:
    """Every `every_cycles` the stack, with the cycles since the sample before: none is left out.

    Cycles asleep are counted, not sampled; they stand on top of the stack that fell asleep.
    """

    def __init__(
        self,
        engine: NativeEngine,
        image: FirmwareImage,
        every_cycles: int = EVERY_CYCLES,
        refine: Callable[[Stack], Stack] = lambda stack: stack,
    ) -> None:
        self._engine, self._refine = engine, refine
        self._unwinder = Unwinder(image, engine)
        self.knows_callers = bool(self._unwinder.frames)
        self.begin()
        engine.sample(every_cycles, self.take)

    def begin(self) -> None:
        """Forget what was sampled so far."""
        self.samples = 0
        self.stacks: Counter[Stack] = Counter()
        self.places: Counter[Place] = Counter()
        self._cycles, self._slept = self._engine.cycles(), self._engine.sleep_cycles()
        self._sleeper: tuple[tuple[int, int], Stack] | None = None

    def take(self) -> None:
        """One sample, now."""
        self.samples += 1
        cycles, slept = self._engine.cycles(), self._engine.sleep_cycles()
        new_cycles, new_slept = cycles - self._cycles, slept - self._slept
        self._cycles, self._slept = cycles, slept
        if self._engine.is_asleep():
            stack = self._asleep_stack()
        else:
            stack = self._stack()
        if new_slept:
            self.stacks[(*(self._sleeper[1] if self._sleeper else ()), ASLEEP)] += new_slept
        if new_cycles > new_slept:
            self.stacks[stack] += new_cycles - new_slept
            place = stack[-1], self._engine.read_register("pc")
            self.places[place] += new_cycles - new_slept

    def _asleep_stack(self) -> Stack:
        """The stack does not change while the core sleeps."""
        place = self._engine.read_register("pc"), self._engine.read_register("sp")
        if self._sleeper is None or self._sleeper[0] != place:
            self._sleeper = place, self._stack()
        return self._sleeper[1]

    def _stack(self) -> Stack:
        return self._refine(self._unwinder.stack())


def functions(stacks: Mapping[Stack, int]) -> tuple[SampledFunction, ...]:
    """Every function that ran, the one with the most cycles of its own first; sleep is left out."""
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for stack, cycles in stacks.items():
        if stack[-1] != ASLEEP:
            own[stack[-1]] += cycles
            for name in set(stack):
                total[name] += cycles
    found = (SampledFunction(name, own[name], cycles) for name, cycles in total.items())
    return tuple(sorted(found, key=lambda f: (-f.self_cycles, -f.total_cycles, f.name)))
