"""An engine whose firmware takes its frames from memory instead of a camera."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager

from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.core_image import CoreImage
from boardless_sim.engines.engine import (
    Activity,
    Capability,
    Engine,
    FaultInfo,
    PinBench,
    StackMark,
    StopReason,
    UartLine,
)
from boardless_sim.engines.mailbox.box import Mailbox, mailbox_of
from boardless_sim.errors import EngineError
from boardless_sim.faults.board import BoardFault
from boardless_sim.finding import Finding

_OF_A_CAMERA = {Capability.CAMERA, Capability.CAMERA_FAULTS, Capability.CAPTURE_TIMES}
_STEP_US = 1000.0  # of virtual time between two looks at the mailbox


class MailboxFed(Engine):
    """Another engine, and a mailbox that is looked at every millisecond."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._mailbox: Mailbox | None = None
        self.name = engine.name
        self.contract = engine.contract
        self.checks = engine.checks
        self.bounds = engine.bounds
        self.timing_basis = engine.timing_basis
        self.capabilities = engine.capabilities - _OF_A_CAMERA | {Capability.MAILBOX}

    @property
    def mailbox(self) -> Mailbox:
        """Where frames go. Raises `EngineError` before `load`."""
        if self._mailbox is None:
            raise EngineError(f"engine {self.name}: no firmware with a mailbox, expected one")
        return self._mailbox

    @property
    def image(self) -> FirmwareImage:
        return self.engine.image

    def load(self, image: FirmwareImage) -> None:
        self.engine.load(image)
        address = mailbox_of(image, self.contract)
        self._mailbox = None if address is None else Mailbox(self.engine, address)

    def show(self, frame: Frame) -> int:
        return self.mailbox.show(frame)

    def captured(self) -> Sequence[Frame]:
        return self.mailbox.captured()

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        deadline_us = self.engine.time_us() + limit_us
        with self.engine.one_wait():
            while (left_us := deadline_us - self.engine.time_us()) > 0:
                self.mailbox.serve()
                reason = self.engine.run(min(left_us, _STEP_US), until)
                if reason is not StopReason.LIMIT:
                    return reason
        return StopReason.LIMIT

    def one_wait(self) -> AbstractContextManager[None]:
        return self.engine.one_wait()

    def uart_lines(self) -> Sequence[UartLine]:
        return self.engine.uart_lines()

    def uart_send(self, port: str, data: bytes) -> None:
        self.engine.uart_send(port, data)

    def forget_history(self, keep: int) -> None:
        self.engine.forget_history(keep)
        self.mailbox.forget_history(keep)

    def uart_bytes(self, port: str) -> bytes:
        return self.engine.uart_bytes(port)

    def be_precise(self) -> None:
        self.engine.be_precise()

    def ask_for_layers(self, *, print_all: bool = False, dump: int | None = None) -> None:
        self.mailbox.ask(print_layers=print_all, dump_layer=dump)

    def count_calls(self, function: str) -> None:
        self.engine.count_calls(function)

    def call_counts(self) -> list[int]:
        return self.engine.call_counts()

    def time_us(self) -> float:
        return self.engine.time_us()

    def fault(self) -> FaultInfo | None:
        return self.engine.fault()

    def inject(self, fault: BoardFault, at_us: float) -> None:
        self.engine.inject(fault, at_us)

    def stack_mark(self) -> StackMark:
        return self.engine.stack_mark()

    def read_memory(self, address: int, size: int) -> bytes:
        return self.engine.read_memory(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        self.engine.write_memory(address, data)

    def read_register(self, name: str) -> int:
        return self.engine.read_register(name)

    def core_image(self) -> CoreImage | None:
        return self.engine.core_image()

    def activity(self) -> Activity:
        return self.engine.activity()

    def place_of(self, address: int) -> str:
        return self.engine.place_of(address)

    def bench(self) -> PinBench:
        return self.engine.bench()

    def parts(self) -> Mapping[str, object]:
        return self.engine.parts()

    def findings(self) -> Sequence[Finding]:
        return self.engine.findings()

    def log(self) -> list[str]:
        return self.engine.log()

    def close(self) -> None:
        self.engine.close()
