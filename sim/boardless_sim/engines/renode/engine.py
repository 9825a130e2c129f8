"""Renode as an engine: the same firmware, frames and answers, by another emulator."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import NO_FRAME, compose
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.calls import CallCount
from boardless_sim.engines.engine import (
    Capability,
    Capture,
    Engine,
    FaultInfo,
    StopReason,
    UartLine,
)
from boardless_sim.engines.renode.install import board_files, find_renode
from boardless_sim.engines.renode.monitor import CoreAborted, RenodeMonitor
from boardless_sim.errors import EngineError
from boardless_sim.faults.sensor import (
    DeadSensor,
    DroppedLine,
    SccbNack,
    SensorFault,
    TruncatedFrame,
    WrongPid,
)
from boardless_sim.timing_basis import TimingBasis

START_LIMIT_S, ANSWER_LIMIT_S = 60.0, 60.0
_LIMIT_S_PER_VIRTUAL_SECOND = 120.0
FAST_QUANTUM_US, PRECISE_QUANTUM_US = 1000, 10
_STEP_US = 1_000_000.0  # virtual time of one question: it cannot be interrupted
_FAULT_EXCEPTIONS = frozenset({3, 4, 5, 6})
_CONTROL, _OTHER_SP, _XPSR = 18, 22, 25
_REGISTERS = {f"r{number}": number for number in range(16)} | {
    "sp": 13, "lr": 14, "pc": 15, "xpsr": _XPSR,
}  # fmt: skip


class RenodeEngine(Engine):
    """A Renode of its own. Times count instructions at 168 MHz.

    `quantum_us` is how far a run may go beyond what it waited for, and how early SysTick may start;
    the devices' own times do not depend on it. Host time is bounded by `start_limit_s` and
    `answer_limit_s`.
    """

    name = "renode"
    timing_basis = TimingBasis("instruction count")
    capabilities = frozenset(
        {
            Capability.CAMERA,
            Capability.MEMORY,
            Capability.REGISTERS,
            Capability.DETERMINISTIC,
            Capability.PRECISE_TIME,
            Capability.CAMERA_FAULTS,
            Capability.CAPTURE_TIMES,
            Capability.CALL_COUNTS,
        }
    )

    def __init__(
        self,
        quantum_us: int = FAST_QUANTUM_US,
        start_limit_s: float = START_LIMIT_S,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> None:
        self._quantum_us = quantum_us
        self._start_limit_s = start_limit_s
        self._answer_limit_s = answer_limit_s
        self._monitor: RenodeMonitor | None = None
        self._image: FirmwareImage | None = None
        self._forget()

    # ---- life ----

    def load(self, image: FirmwareImage) -> None:
        """Start Renode, build the board and put the image into its Flash."""
        self.close()
        self._image = image
        self._forget()
        self._monitor = RenodeMonitor(find_renode(), self._start_limit_s)
        try:
            self._build_board(self._monitor, image)
        except BaseException:
            self.close()
            raise

    def _forget(self) -> None:
        self._shown: list[Frame] = []
        self._captured: list[Frame] = []
        self._captures: list[Capture] = []
        self._lines: list[UartLine] = []
        self._unread: deque[UartLine] = deque()
        self._fault: FaultInfo | None = None
        self._call_counts: list[int] = []
        self._aborted = False
        self._time_us = 0.0

    def close(self) -> None:
        """End Renode. Harmless twice."""
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None

    @property
    def version(self) -> str:
        """The version of the Renode that runs."""
        return self._running.version

    @property
    def process_group(self) -> int:
        """Of the Renode that runs, and of everything that it started."""
        return self._running.process_group

    def _build_board(self, monitor: RenodeMonitor, image: FirmwareImage) -> None:
        (monitor.folder / "firmware.elf").write_bytes(image.raw)
        (monitor.folder / "board").symlink_to(board_files(), target_is_directory=True)
        monitor.tell("include @board/setup.resc")
        _set_quantum(monitor, self._quantum_us)
        monitor.tell("sysbus LoadELF @firmware.elf")
        monitor.tell('emulation CreateBench "bench"')
        monitor.ask("Begin", limit_s=self._start_limit_s)

    def be_precise(self) -> None:
        """Go in steps of 10 us from here on, where a long quantum would only make a run shorter."""
        _set_quantum(self._running, min(self._quantum_us, PRECISE_QUANTUM_US))

    @property
    def image(self) -> FirmwareImage:
        """The loaded one."""
        if self._image is None:
            raise EngineError("engine renode: no image loaded, call load() first")
        return self._image

    @property
    def _running(self) -> RenodeMonitor:
        if self._monitor is None:
            raise EngineError("engine renode: no image loaded, call load() first")
        return self._monitor

    def _ask(self, call: str, *arguments: str | int) -> dict[str, list[str]]:
        return self._running.ask(call, *arguments, limit_s=self._answer_limit_s)

    # ---- camera ----

    def show(self, frame: Frame) -> int:
        """Queue a frame for the lens."""
        file = self._running.folder / f"frame{len(self._shown)}"
        file.write_bytes(compose(frame).tobytes())
        self._shown.append(frame)
        number = int(self._ask("Show", f'"{file}"')["frame"][0])
        file.unlink()
        return number

    def captured(self) -> list[Frame]:
        """The frames that were captured whole, in order."""
        return list(self._captured)

    def captures(self) -> list[Capture]:
        """When each of them was whole."""
        return self._captures

    def set_camera_faults(self, faults: Sequence[SensorFault]) -> None:
        """What is wrong with the sensor from its next frame or SCCB transfer on."""
        self._ask("Break", f'"{",".join(_fault_text(fault) for fault in faults)}"')

    # ---- running ----

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run until a line satisfies `until`, or for `limit_us` of virtual time."""
        if self._read_lines(until):
            return StopReason.RESULT
        if self._aborted:
            return StopReason.FAULT
        end_us = self._time_us + limit_us
        while (left_us := end_us - self._time_us) >= 0.5:
            try:
                self._step(min(left_us, _STEP_US), stop_at_line=until is not None)
            except CoreAborted as abort:
                return self._end_at(abort)
            if self._read_lines(until):
                return StopReason.RESULT
        stuck = self._fault is not None and self._active_exception() in _FAULT_EXCEPTIONS
        return StopReason.FAULT if stuck else StopReason.LIMIT

    def _end_at(self, abort: CoreAborted) -> StopReason:
        """What would be a lockup on the chip: nothing runs from here on."""
        self._aborted = True
        if self._fault is None:
            self._fault = FaultInfo("CPU abort", abort.pc, self._function_at(abort.pc), 0, 0, None)
        return StopReason.FAULT

    def count_calls(self, function: str) -> None:
        """Count the instructions of each call of a function from here on."""
        self._ask("CountCalls", hex(CallCount(self.image, function).entry))

    def call_counts(self) -> list[int]:
        """Instructions of every call that returned."""
        return self._call_counts

    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self._time_us

    def _step(self, duration_us: float, *, stop_at_line: bool) -> None:
        limit_s = self._answer_limit_s + duration_us / 1e6 * _LIMIT_S_PER_VIRTUAL_SECOND
        state = self._running.ask(
            "Run", math.ceil(duration_us), str(stop_at_line).lower(), limit_s=limit_s
        )
        before_us = self._time_us
        try:
            self._take_over(state)
        except (LookupError, ValueError):
            raise self._running.failure("answer to Run not understood") from None
        if self._time_us <= before_us:
            raise self._running.failure(f"virtual time stands still at {before_us:g} us")

    def _take_over(self, state: dict[str, list[str]]) -> None:
        self._time_us = int(state["time"][0]) / 1000
        for capture in state.get("captured", ()):
            shown, number, whole_ns = map(int, capture.split(","))
            self._captured.append(self._shown[shown] if shown >= 0 else NO_FRAME)
            self._captures.append(Capture(number, whole_ns / 1000))
        self._call_counts += map(int, state.get("call", ()))
        for line in state.get("line", ()):
            port, time_ns, text = line.split(",")
            decoded = bytes.fromhex(text).decode("utf-8", "backslashreplace").rstrip("\r")
            self._unread.append(UartLine(port, decoded, int(time_ns) / 1000))
        if self._fault is None and "fault" in state:
            self._fault = self._decode_fault(state["fault"][0])

    def _read_lines(self, until: Callable[[UartLine], bool] | None) -> bool:
        """Take over the lines that came, up to the one that was waited for."""
        while self._unread:
            line = self._unread.popleft()
            self._lines.append(line)
            if until is not None and until(line):
                return True
        return False

    # ---- UART ----

    def uart_lines(self) -> list[UartLine]:
        """Every complete line so far."""
        return self._lines

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver."""
        self._ask("Send", f'"{port}"', f'"{data.hex()}"')

    # ---- state ----

    def fault(self) -> FaultInfo | None:
        """The first fault the CPU took, if any."""
        return self._fault

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash."""
        return bytes.fromhex(self._ask("Read", hex(address), size)["bytes"][0])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory as a debug probe would."""
        self._ask("Write", hex(address), f'"{data.hex()}"')

    def read_register(self, name: str) -> int:
        """A core register by name."""
        lowered = name.lower()
        if lowered in ("msp", "psp"):
            on_process = bool(self._register(_CONTROL) & 2) and not self._active_exception()
            return self._register(13 if (lowered == "psp") is on_process else _OTHER_SP)
        if lowered not in _REGISTERS:
            raise EngineError(f"register {name!r}, expected r0-r15, sp, lr, pc, xpsr, msp or psp")
        return self._register(_REGISTERS[lowered])

    def log(self) -> list[str]:
        """What Renode had to say: warnings and errors."""
        return self._running.warnings()

    def _register(self, number: int) -> int:
        return int(self._ask("Register", number)["value"][0])

    def _active_exception(self) -> int:
        return self._register(_XPSR) & 0x1FF

    def _decode_fault(self, text: str) -> FaultInfo:
        kind, *numbers = text.split(",")
        pc, cfsr, hfsr, mmfar, bfar = map(int, numbers)
        valid = {1 << 7: mmfar, 1 << 15: bfar}
        address = next((value for bit, value in valid.items() if cfsr & bit), None)
        return FaultInfo(kind, pc, self._function_at(pc), cfsr, hfsr, address)

    def _function_at(self, address: int) -> str:
        return self.image.function_at(address)


def _set_quantum(monitor: RenodeMonitor, quantum_us: int) -> None:
    monitor.tell(f'emulation SetGlobalQuantum "{quantum_us / 1e6:.6f}"')


def _fault_text(fault: SensorFault) -> str:
    def each(number: int | None) -> int:
        return -1 if number is None else number

    match fault:
        case DeadSensor():
            return "dead"
        case SccbNack():
            return f"nack {fault.after} {each(fault.times)}"
        case WrongPid():
            return f"pid {fault.pid}"
        case DroppedLine():
            return f"drop {fault.row} {each(fault.frame)}"
        case TruncatedFrame():
            return f"cut {fault.rows} {each(fault.frame)}"
        case _:
            raise EngineError(f"engine renode: no fault {type(fault).__name__}, expected native")
