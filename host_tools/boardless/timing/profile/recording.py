"""A firmware's run on the native engine, with every cycle of it accounted for: `record`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from boardless.project.model_hash import require_model_in
from boardless.running.classify import DEFAULT_LIMIT_US, classify
from boardless.running.frame_stream import FrameResult, stop_detail
from boardless.running.post_mortem import PostMortem, examine, in_short
from boardless.running.session import BoardSetup
from boardless.timing.profile.costs import LayerCost, LayerCosts, Stage, StageCosts, label
from boardless.timing.profile.sampling import (
    EVERY_CYCLES,
    SampledFunction,
    Sampler,
    SourceLine,
    Stack,
    by_line,
    files_of,
    functions,
)
from boardless_sim.boards.plan import PLAIN, BoardPlan
from boardless_sim.camera.frame import Frame
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.elf.image import AS_IT_IS, FirmwareImage, ImagePlan
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.engines.engine import Engine, StopReason
from boardless_sim.engines.mailbox.box import mailbox_of
from boardless_sim.engines.mailbox.fed import MailboxFed
from boardless_sim.errors import FrameError, ResultError
from boardless_sim.timing_basis import TimingBasis

# They choose a kernel, they are none.
DISPATCHERS = (REFERENCE.symbols.layer, REFERENCE.symbols.layer_plain)


@dataclass(frozen=True)
class ProfilePlan:
    """What is run, and how closely it is looked at."""

    elf: Path
    every_cycles: int = EVERY_CYCLES
    limit_us: float = DEFAULT_LIMIT_US  # what one frame may take
    strict: bool = False
    peripherals: tuple[str, ...] = ()
    contract: Contract = REFERENCE
    model: Path | None = None  # the artifact that the ELF must carry
    bounds: Bounds = DEFAULT
    board: BoardPlan = PLAIN
    image: ImagePlan = AS_IT_IS

    @property
    def setup(self) -> BoardSetup:
        """The board that it is run on."""
        return BoardSetup(
            elf=self.elf,
            strict=self.strict,
            peripherals=self.peripherals,
            contract=self.contract,
            bounds=self.bounds,
            board=self.board,
            image=self.image,
        )


@dataclass(frozen=True)
class Profile:
    """Where the cycles of a run went. `frames` is None where time was profiled, not frames.

    `stacks`: cycles by call stack, outermost function first; their sum is `cycles`.
    """

    elf: Path
    sha256: str
    timing_basis: TimingBasis
    hz: int
    frames: int | None
    cycles: int
    instructions: int
    sleep_cycles: int
    stages: tuple[Stage, ...]
    layers: tuple[LayerCost, ...]
    stacks: Mapping[Stack, int]
    every_cycles: int
    samples: int
    knows_callers: bool
    dispatchers: tuple[str, ...] = DISPATCHERS
    stands: PostMortem | None = None  # where a profile of time ended
    lines: Mapping[SourceLine, int] = field(default_factory=dict)  # cycles of its own
    files: Mapping[str, str] = field(default_factory=dict)  # where each function stands
    is_stuck: bool = False  # most of that time in an exception that did not return

    @property
    def functions(self) -> tuple[SampledFunction, ...]:
        """The functions of the stacks, the one with the most cycles of its own first."""
        return functions(self.stacks)

    @property
    def macs(self) -> int:
        """Of one inference."""
        return sum(layer.layer.macs for layer in self.layers)

    def kernel(self, cost: LayerCost) -> str | None:
        """The function that ran most of a layer, called by who chooses; None: never sampled."""
        name, found = label(cost.layer), dict[str, int]()
        for stack, cycles in self.stacks.items():
            if name in stack:
                under = stack[stack.index(name) + 1 :]
                kernel = next((f for f in under if f not in self.dispatchers), None)
                kernel = kernel or (under[-1] if under else None)
                if kernel is not None:
                    found[kernel] = found.get(kernel, 0) + cycles
        return max(found, key=lambda kernel: (found[kernel], kernel)) if found else None


def record_frames(plan: ProfilePlan, frames: Iterable[Frame]) -> Profile:
    """Profile whole frames: from the result before the first one to the result of the last.

    The first frame is shown once before it is counted, and pays for the boot. Raises `FrameError`
    for no frame, `ResultError` where the firmware ends before the last result.
    """
    source = iter(frames)
    first = next(source, None)
    if first is None:
        raise FrameError("no frames, expected at least one")
    with closing(_Recording(plan)) as recording:

        def progress(result: FrameResult) -> None:
            if result.frame == 0:
                recording.begin()

        shown = chain([first, first], source)
        report = classify(recording.board, shown, plan.limit_us, progress)
        if not report.is_complete:
            hint = "" if report.results else "; without frames: --for-us"
            raise ResultError(
                f"{plan.elf}: no whole run to profile: {len(report.results)} results, then "
                f"{report.detail}{hint}"
            )
        return recording.end(len(report.results) - 1)


def record_time(plan: ProfilePlan, for_us: float) -> Profile:
    """Profile so much virtual time from power-on, or less where the firmware halts before.

    Raises `ResultError` for a firmware that faults, or whose stack goes into variables.
    """
    with closing(_Recording(plan)) as recording:
        reason = recording.board.run(for_us)
        stands = examine(recording.board)
        if reason.is_bound or reason in (StopReason.FAULT, StopReason.STACK):
            detail = stop_detail(recording.board, reason, for_us)
            said = "" if stands is None else f"; {in_short(stands)}"
            raise ResultError(f"{plan.elf}: no whole run to profile: {detail}{said}")
        stuck_us = 0.0 if stands is None else stands.handler_us or 0.0
        return replace(recording.end(None), stands=stands, is_stuck=stuck_us > for_us / 2)


class _Recording:
    """A powered board with its probes."""

    def __init__(self, plan: ProfilePlan) -> None:
        self._plan = plan
        self._image: FirmwareImage = plan.setup.load()
        self._image.require_names("a profile")
        if plan.model is not None:
            require_model_in(self._image, plan.model, plan.contract.symbols)
        self._engine = plan.setup.native()
        has_mailbox = mailbox_of(self._image, plan.contract) is not None
        self.board: Engine = MailboxFed(self._engine) if has_mailbox else self._engine
        self.close: Callable[[], None] = self.board.close
        try:
            self.board.load(self._image)
            self._stages = StageCosts(self._engine, self._image)
            self._layers = LayerCosts(self._engine, self._image)
            self._sampler = Sampler(
                self._engine, self._image, plan.every_cycles, self._layers.within
            )
        except BaseException:
            self.close()
            raise
        self.begin()

    def begin(self) -> None:
        """What came before does not count."""
        engine = self._engine
        for part in (self._stages, self._layers, self._sampler):
            part.begin()
        self._start = engine.cycles(), engine.instructions(), engine.sleep_cycles()

    def end(self, frames: int | None) -> Profile:
        """Everything up to now."""
        engine, symbols = self._engine, self._plan.contract.symbols
        samples = self._sampler.samples
        self._sampler.take()
        end = engine.cycles(), engine.instructions(), engine.sleep_cycles()
        cycles, instructions, slept = (
            after - before for after, before in zip(end, self._start, strict=True)
        )
        return Profile(
            elf=self._plan.elf,
            sha256=self._image.sha256,
            timing_basis=engine.timing_basis,
            hz=engine.machine.clocks().hclk_hz,
            frames=frames,
            cycles=cycles,
            instructions=instructions,
            sleep_cycles=slept,
            stages=tuple(self._stages.found()),
            layers=tuple(self._layers.found()),
            stacks=dict(sorted(self._sampler.stacks.items())),
            lines=by_line(self._sampler.places, self._image),
            files=dict(files_of(self._sampler.stacks, self._image)),
            every_cycles=self._plan.every_cycles,
            samples=samples,
            knows_callers=self._sampler.knows_callers,
            dispatchers=(symbols.layer, symbols.layer_plain),
        )
