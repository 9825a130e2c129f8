"""An engine that captures each frame once and says what a script tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import (
    Capability,
    Engine,
    FaultInfo,
    StackMark,
    StopReason,
    UartLine,
)
from boardless_sim.errors import EngineError
from boardless_sim.timing_basis import TimingBasis

FRAME_US = 33_000.0
FAULT = FaultInfo("HardFault", 0x0800_1234, "nn_run", 0x8200, 0x4000_0000, 0x2002_0000)

IMAGE = FirmwareImage(
    path=Path("app.elf"),
    segments=(),
    symbols={},
    vector_table=0x0800_0000,
    initial_sp=0x2000_1000,
    reset_address=0x0800_0008,
    sha256="",
    functions=(),
)

Says = Callable[[int, Frame], str]


def class_is_first_pixel(number: int, frame: Frame) -> str:
    class_index = int(frame.luma[0, 0])
    time_us = 9_000 + number % 7
    return (
        f"r- frame={number} class={class_index} score=90 capture_us=20000 preprocess_us=1000 "
        f"infer_us={time_us} total_us={21000 + time_us}"
    )


class FakeEngine(Engine):
    name = "fake"
    capabilities = frozenset({Capability.CAMERA, Capability.STACK_MARK})
    timing_basis = TimingBasis("fake cycles", 15)

    def __init__(
        self,
        says: Says = class_is_first_pixel,
        stop_after: int | None = None,
        reason: StopReason = StopReason.LIMIT,
    ) -> None:
        self.says, self.stop_after, self.reason = says, stop_after, reason
        self.shown: list[Frame] = []
        self.done: list[Frame] = []
        self.lines = [UartLine("USART2", "m- boardless ready", 10.0)]
        self.most_ahead = 0
        self.sent: list[tuple[str, bytes]] = []
        self.closed = False

    @property
    def image(self) -> FirmwareImage:
        return IMAGE

    def load(self, image: FirmwareImage) -> None:
        pass

    def show(self, frame: Frame) -> int:
        self.shown.append(frame)
        self.most_ahead = max(self.most_ahead, len(self.shown) - len(self.done))
        return len(self.shown) - 1

    def captured(self) -> list[Frame]:
        return list(self.done)

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        for line in self._next_lines():
            self.lines.append(line)
            if until is not None and until(line):
                return StopReason.RESULT
        return self.reason

    def _next_lines(self) -> Iterator[UartLine]:
        number = len(self.done)
        if number == self.stop_after or number == len(self.shown):
            return
        self.done.append(self.shown[number])
        for text in self.says(number, self.shown[number]).split("\n"):
            yield UartLine("USART2", text, FRAME_US * (number + 1))

    def uart_lines(self) -> list[UartLine]:
        return self.lines

    def uart_send(self, port: str, data: bytes) -> None:
        self.sent.append((port, data))

    def time_us(self) -> float:
        return FRAME_US * len(self.done)

    def fault(self) -> FaultInfo | None:
        return FAULT if self.reason is StopReason.FAULT else None

    def stack_mark(self) -> StackMark:
        return StackMark(1024, 0x2001_FC00, "nn_run")

    def read_memory(self, address: int, size: int) -> bytes:
        return bytes(range(size))

    def write_memory(self, address: int, data: bytes) -> None:
        raise EngineError(f"no memory at {address:#010x}")

    def read_register(self, name: str) -> int:
        return 0

    def log(self) -> list[str]:
        return ["RCC_CSR read: not modelled"]

    def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class FakeSetup:
    """Picklable, so that a worker process can power its own fake on."""

    stop_after: int | None = None
    error: str | None = None
    dies: bool = False

    def power_on(self, image: FirmwareImage | None = None) -> FakeEngine:
        if self.error is not None:
            raise EngineError(self.error)
        if self.dies:
            raise SystemExit(7)
        return FakeEngine(stop_after=self.stop_after)


def frames(count: int, wrong: frozenset[int] = frozenset(), labels: bool = True) -> list[Frame]:
    """Frames whose first pixel is the class that the fake answers."""
    return [
        Frame(
            f"t10k[{number}]",
            np.full((2, 2), number % 10, np.uint8),
            ((number + (number in wrong)) % 10) if labels else None,
        )
        for number in range(count)
    ]
