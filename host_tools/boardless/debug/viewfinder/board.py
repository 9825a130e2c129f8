"""A board to watch: frame by frame forward and back, with pictures and faults put in by hand."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from boardless.debug.viewfinder.activations import Activations, LayerValues
from boardless.running.post_mortem import examine, in_lines
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import StopReason, UartLine
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.snapshot import Snapshot, restore, take
from boardless_sim.errors import EngineError, ResultError
from boardless_sim.faults.optics import noisy
from boardless_sim.faults.sensor import (
    DeadSensor,
    DroppedLine,
    SccbNack,
    SensorFault,
    TruncatedFrame,
    WrongPid,
)
from boardless_sim.parts.ssd1306 import Ssd1306
from boardless_sim.peripherals.i2c import I2c
from boardless_sim.result import InferenceResult

FRAME_LIMIT_US = 2_000_000.0  # a step to the next result waits no longer
_KEPT_STEPS = 60
_AHEAD = 2  # frames before the lens: what is dropped in is seen soon
SENSOR_FAULTS: Mapping[str, Callable[[], SensorFault]] = {
    "dead sensor": DeadSensor,
    "no SCCB answer": SccbNack,
    "wrong part": WrongPid,
    "dropped line": lambda: DroppedLine(60),
    "short frame": lambda: TruncatedFrame(70),
}
NOISE = "noise"
_SIGMA = 40.0


@dataclass(frozen=True)
class _Step:
    """The board behind a result, and what was seen by then."""

    snapshot: Snapshot
    results: int
    fed: int
    seen: dict[int, LayerValues]


class WatchedBoard:
    """One powered board; `source` gives what stands before its lens, over and over."""

    def __init__(self, engine: NativeEngine, source: Iterable[Frame]) -> None:
        self.engine = engine
        self._activations = Activations(engine)
        self.results: list[InferenceResult] = []
        self.seen: dict[int, LayerValues] = {}  # of the last result
        self.stands: tuple[str, ...] = ()  # where the core is, once it cannot go on
        self.held = False  # a picture was dropped in: the source waits
        self._source: Iterator[Frame] = iter(source)
        self._frames: list[Frame] = []  # of the source so far, to show them again after a way back
        self._fed = 0
        self._noise_seed: int | None = None
        self._steps: deque[_Step] = deque(maxlen=_KEPT_STEPS)
        self._keep()

    # ---- time ----

    def advance(self, limit_us: float) -> bool:
        """Let so much virtual time pass at most; True: it ended with a result."""
        self._feed()
        reason = self.engine.run(limit_us, self._is_result)
        if reason is StopReason.RESULT:
            self._note_result(self.engine.uart_lines()[-1])
            self.seen = self._activations.whole
            self._keep()
            return True
        if reason is not StopReason.LIMIT:
            found = examine(self.engine)
            self.stands = (
                f"stopped    {reason.value}",
                *(() if found is None else in_lines(found)),
            )
        return False

    def step(self) -> bool:
        """On to the next result; False: none came within two seconds of virtual time."""
        until_us = self.engine.time_us() + FRAME_LIMIT_US
        while not self.stands and self.engine.time_us() < until_us:
            if self.advance(until_us - self.engine.time_us()):
                return True
        return False

    def back(self) -> bool:
        """To the result before the last one; False: there is none that is still known."""
        if len(self._steps) < 2:
            return False
        self._steps.pop()
        step = self._steps[-1]
        restore(self.engine, step.snapshot)
        del self.results[step.results :]
        self._fed, self.stands = step.fed, ()
        self.seen = step.seen
        self._activations.forget()
        return True

    def _keep(self) -> None:
        """Raises `EngineError` where a device of the user's own has a state that cannot be kept."""
        self._steps.append(_Step(take(self.engine), len(self.results), self._fed, self.seen))

    def _is_result(self, line: UartLine) -> bool:
        return self.engine.contract.is_result(line.port, line.text)

    def _note_result(self, line: UartLine) -> None:
        try:
            self.results.append(self.engine.contract.parse_result(line.text))
        except ResultError as error:
            self.stands = (str(error),)

    # ---- what it sees ----

    def show(self, frame: Frame) -> None:
        """A picture before the lens, until the source goes on."""
        self.held = True
        self.engine.machine.devices.camera.lens.replace(self._seen(frame))

    def go_on_with_source(self) -> None:
        """Show what the source gives again."""
        self.held = False

    def _feed(self) -> None:
        lens = self.engine.machine.devices.camera.lens
        while not self.held and lens.waiting < _AHEAD:
            frame = next(self._source, None) if self._fed >= len(self._frames) else None
            if frame is not None:
                self._frames.append(frame)
            if not self._frames:
                return
            self.engine.show(self._seen(self._frames[self._fed % len(self._frames)]))
            self._fed += 1

    def _seen(self, frame: Frame) -> Frame:
        if self._noise_seed is None:
            return frame
        self._noise_seed += 1
        name = f"{frame.name} with noise"
        return replace(next(noisy([frame], _SIGMA, self._noise_seed)), name=name)

    # ---- what goes wrong ----

    def faults(self) -> dict[str, bool]:
        """Every fault by name, and whether it is on."""
        kinds = {type(fault) for fault in self.engine.machine.devices.camera.faults}
        found = {name: type(make()) in kinds for name, make in SENSOR_FAULTS.items()}
        return {**found, NOISE: self._noise_seed is not None}

    def set_fault(self, name: str, on: bool) -> None:
        """From the next frame or SCCB transfer on. Raises `EngineError` for an unknown one."""
        if name == NOISE:
            self._noise_seed = 0 if on else None
            return
        if name not in SENSOR_FAULTS:
            raise EngineError(f"fault {name!r}, expected one of: {', '.join(self.faults())}")
        wanted = {**self.faults(), name: on}
        self.engine.set_camera_faults([make() for n, make in SENSOR_FAULTS.items() if wanted[n]])


def fit_display(engine: NativeEngine) -> Ssd1306:
    """An SSD1306 on I2C1. Raises `EngineError` where the chip has none."""
    _, bus = engine.machine.devices.by_name.get("I2C1", (0, None))
    if not isinstance(bus, I2c):
        raise EngineError(f"{engine.machine.board.chip.name}: no I2C1, expected one for a display")
    display = Ssd1306(engine.machine.time_us)
    bus.connect(display)
    return display
