"""A board under test, step by step: power on, show frames, wait for what the firmware says.

with Rig() as rig:
    rig.power_on(BoardSetup(Path("app.elf")))
    rig.show(frame)
    result = rig.run_until_result(limit_us=500_000)
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from boardless.running.board_checks import Observation, observe
from boardless.running.classify import RunReport, classify, require_results
from boardless.running.evidence import Evidence, gather
from boardless.running.frame_stream import FrameResult
from boardless.running.post_mortem import examine
from boardless.running.result_lines import read_result
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import (
    Capability,
    Engine,
    StackMark,
    StopReason,
    UartLine,
)
from boardless_sim.errors import EngineError
from boardless_sim.faults.board import BoardFault
from boardless_sim.faults.optics import disturbed
from boardless_sim.faults.sensor import SensorFault
from boardless_sim.result import InferenceResult

_STEP_US = 1000.0  # of virtual time, from one look at unfinished text to the next


class Rig:
    """At most one powered board; what was shown to it, and what it answered."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._setup: BoardSetup | None = None
        self._image: FirmwareImage | None = None
        self._unanswered: deque[Frame] = deque()
        self._answered = 0  # result lines since power-on
        self._faults: list[SensorFault] = []
        self._optics: tuple[str, float, int] | None = None
        self._seen_through = 0
        self._said = hashlib.sha256()
        self._deterministic = True
        self._last_shown: Frame | None = None
        self._last_evidence: Evidence | None = None
        self._observed: list[Observation] = []
        self.results: list[FrameResult] = []
        self.stop_reason: StopReason | None = None

    def __enter__(self) -> Rig:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.power_off()

    @property
    def engine(self) -> Engine:
        """The powered board's engine. Raises `EngineError` where none is powered."""
        if self._engine is None:
            raise EngineError("no board is powered, expected one: power it on first")
        return self._engine

    @property
    def is_powered(self) -> bool:
        """Whether there is a board to look at."""
        return self._engine is not None

    @property
    def image(self) -> FirmwareImage:
        """The firmware of the powered board."""
        return self.engine.image

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the firmware's classes, where its project gives them."""
        return () if self._setup is None else self._setup.contract.classes

    @property
    def last_run(self) -> tuple[BoardSetup, FirmwareImage] | None:
        """What the last board was set up with; None where none was powered."""
        if self._setup is None or self._image is None:
            return None
        return self._setup, self._image

    def power_on(self, setup: BoardSetup, image: FirmwareImage | None = None) -> None:
        """A fresh board in place of the one before; virtual time is 0.

        `image`: the setup's ELF, where it is read already.
        """
        self.power_off()
        self.results = []
        self._unanswered.clear()
        self._answered = 0
        self._faults, self._optics = [], None
        self._last_shown = self._last_evidence = self.stop_reason = None
        self._engine = setup.power_on(image)
        if Capability.DETERMINISTIC not in self._engine.capabilities:
            self._deterministic = False
        self._setup = setup
        self._image = self._engine.image

    def power_off(self) -> None:
        """Give the board back and keep its evidence. Harmless without a board."""
        if self._engine is not None:
            self._last_evidence = self.evidence()
            self._observed += self._observe(self._engine)
            self._said.update(_said_by(self._engine))
            self._engine.close()
            self._engine = None

    @property
    def observations(self) -> tuple[Observation, ...]:
        """What the boards did since `forget_observations` that the chip would not have carried."""
        now = [] if self._engine is None else self._observe(self._engine)
        return (*self._observed, *now)

    def take_fingerprint(self) -> str:
        """SHA-256 over what the boards said, and when, since it was taken last.

        Empty where one of them promises not to be the same twice.
        """
        if self._engine is not None:
            self._said.update(_said_by(self._engine))
        digest, self._said = self._said.hexdigest(), hashlib.sha256()
        is_sure, self._deterministic = self._deterministic, True
        return digest if is_sure else ""

    def forget_observations(self) -> None:
        """They were judged."""
        self._observed = []

    def restart(self) -> None:
        """The same firmware on a fresh board."""
        if self._setup is None:
            raise EngineError("no board was powered, expected one: power it on first")
        optics = self._optics
        self.power_on(self._setup, self._image)
        self._optics = optics

    def ask_for_precise_time(self) -> None:
        """On this board from here on, and after `restart` from power-on."""
        engine = self.engine
        assert self._setup is not None
        self._setup = replace(self._setup, precise=True)
        engine.be_precise()

    def show(self, frame: Frame) -> None:
        """Queue a frame for the lens, as it looks through the optics of now."""
        (frame,) = self._seen([frame])
        self.engine.show(frame)
        self._unanswered.append(frame)
        self._last_shown = frame

    def break_camera(self, fault: SensorFault) -> None:
        """Add a fault to the sensor, from its next frame or SCCB transfer on."""
        self._set_faults([*self._faults, fault])

    def repair_camera(self) -> None:
        """Take every fault of the sensor away."""
        self._set_faults([])

    def disturb_optics(self, name: str, severity: float, seed: int) -> None:
        """What frames look like from the next one shown on; a severity of 0 is clear again."""
        list(disturbed([], name, severity, seed))
        self._optics = None if severity == 0 else (name, severity, seed)
        self._seen_through = 0

    def _seen(self, frames: Iterable[Frame]) -> Iterable[Frame]:
        if self._optics is None:
            return frames
        name, severity, seed = self._optics
        # Frames that are shown one by one are disturbed each in its own way.
        self._seen_through += 1
        return disturbed(frames, name, severity, seed + self._seen_through)

    def break_board(self, fault: BoardFault, at_us: float | None = None) -> None:
        """Let something go wrong beside the camera, at a virtual time; None: now."""
        self.engine.inject(fault, self.engine.time_us() if at_us is None else at_us)

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run for at most `limit_us` from now; the reason stays in `stop_reason`."""
        self.stop_reason = self.engine.run(limit_us, until)
        return self.stop_reason

    def run_until_line(
        self, limit_us: float, wanted: Callable[[UartLine], bool]
    ) -> UartLine | None:
        """The first wanted line from now on; None where the run stopped before."""
        found: list[UartLine] = []

        def until(line: UartLine) -> bool:
            if wanted(line):
                found.append(line)
            return bool(found)

        self.run(limit_us, until)
        return found[0] if found else None

    def run_until_text(self, limit_us: float, wanted: str) -> bool:
        """Whether the text came, in a line or before a line end; looks once a millisecond."""
        with self.engine.one_wait():
            return self._look_for(limit_us, wanted)

    def _look_for(self, limit_us: float, wanted: str) -> bool:
        engine = self.engine
        deadline_us, first = engine.time_us() + limit_us, len(engine.uart_lines())
        while True:
            unfinished = engine.activity().unfinished.values()
            lines = (line.text for line in engine.uart_lines()[first:])
            if any(wanted in text for text in (*unfinished, *lines)):
                self.stop_reason = StopReason.RESULT
                return True
            left_us = deadline_us - engine.time_us()
            if left_us <= 0:
                return False
            if self.run(min(left_us, _STEP_US)) is not StopReason.LIMIT:
                return False

    def run_until_result(self, limit_us: float) -> FrameResult | None:
        """The result of the oldest frame that has none, or the next result where all have one.

        The last frame stays in view, so a firmware that captures on its own may answer it again
        before it answers a new one; such a result is passed over.
        """
        with self.engine.one_wait():
            return self._next_result(limit_us)

    def _next_result(self, limit_us: float) -> FrameResult | None:
        deadline_us = self.engine.time_us() + limit_us
        while (left_us := deadline_us - self.engine.time_us()) > 0:
            line = self.run_until_line(left_us, self._is_result)
            if line is None:
                return None
            answered = read_result(self.engine, line)
            number = self._answered if answered.frame is None else answered.frame
            self._answered += 1
            frame = self._frame_of(number)
            if self._unanswered and frame is not self._unanswered[0]:
                continue
            if self._unanswered:
                self._unanswered.popleft()
            self.results.append(_result(answered, number, frame, line.time_us))
            return self.results[-1]
        self.stop_reason = StopReason.LIMIT
        return None

    def classify(self, frames: Iterable[Frame], limit_us: float) -> RunReport:
        """Show every frame to a fresh board; its results are the rig's results."""
        self.restart()
        report = require_results(classify(self.engine, self._seen(frames), limit_us))
        self.results = list(report.results)
        self.stop_reason = report.stop_reason
        return report

    def stack_of(self, elf: Path) -> StackMark | None:
        """The stack's high-water mark where the powered board runs that ELF."""
        if self._engine is None or self._setup is None or not elf.exists():
            return None
        return self._engine.stack_mark() if elf.samefile(self._setup.elf) else None

    @property
    def waits_for(self) -> Frame | None:
        """The oldest frame that was shown and has no result yet."""
        return self._unanswered[0] if self._unanswered else None

    def evidence(self) -> Evidence | None:
        """What the board shows now, or showed last when it was powered off."""
        if self._engine is None:
            return self._last_evidence
        return gather(self._engine, self._last_shown)

    def _observe(self, engine: Engine) -> list[Observation]:
        ran_to_its_end = self.stop_reason in (None, StopReason.RESULT)
        return list(observe(engine, None if ran_to_its_end else examine(engine, with_frames=False)))

    def _is_result(self, line: UartLine) -> bool:
        return self.engine.contract.is_result(line.port, line.text)

    def _frame_of(self, number: int) -> Frame | None:
        captured = self.engine.captured()
        return captured[number] if number < len(captured) else None

    def _set_faults(self, faults: list[SensorFault]) -> None:
        self.engine.set_camera_faults(faults)
        self._faults = faults


def _result(
    answered: InferenceResult, number: int, frame: Frame | None, sent_us: float
) -> FrameResult:
    return FrameResult(
        frame=number,
        name=f"number {number}" if frame is None else frame.name,
        label=None if frame is None else frame.label,
        class_index=answered.class_index,
        score=answered.score,
        times_us=answered.times_us,
        line=answered.line,
        sent_us=sent_us,
        values=answered.values,
    )


def _said_by(engine: Engine) -> bytes:
    """Its lines, each with its port and its time, and how long it ran."""
    lines = [f"{line.port} {line.time_us:.3f} {line.text}" for line in engine.uart_lines()]
    return "\n".join([*lines, f"{engine.time_us():.3f}\n"]).encode("utf-8", "backslashreplace")
