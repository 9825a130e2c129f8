"""The QEMU engine: qemu-system-arm's netduinoplus2, a second opinion on the core.

QEMU has no camera, DMA, clock tree or cycle counter: frames come through the mailbox of
`boardless-mailbox.elf`. With `-icount` an instruction takes 8 ns of virtual time. A run stops
exactly where the firmware wants a frame, faults or ends; elsewhere QEMU cannot be stopped at a
virtual time, so a limit may be overrun.

TIM4 and TIM5 are the engine's clock: a firmware that sets their prescalers spoils its times.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.calls import CallCount
from boardless_sim.engines.engine import (
    Capability,
    Engine,
    FaultInfo,
    StopReason,
    UartLine,
)
from boardless_sim.engines.gdb.qemu_machine import QemuMachine, find_qemu
from boardless_sim.engines.gdb.remote import Refused
from boardless_sim.engines.mailbox.box import Mailbox, mailbox_of
from boardless_sim.errors import EngineError
from boardless_sim.timing_basis import TimingBasis

NS_PER_INSTRUCTION = 8
# Host time until QEMU is interrupted, and until it is after a line. With a mailbox it soon stops by
# itself, where its time is exact, so it may take long.
_LONGEST_S, _GRACE_S = 0.2, 0.02
_MAILBOX_S, _MAILBOX_GRACE_S = 2.0, 0.5
_SHORTEST_S = 0.005
_STILL_ROUNDS = 5
_STILL_TOTAL_S = 1.0
_FAULT_NAMES = {3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault"}
_CFSR, _HFSR, _MMFAR, _BFAR = 0xE000_ED28, 0xE000_ED2C, 0xE000_ED34, 0xE000_ED38
_MMARVALID, _BFARVALID = 1 << 7, 1 << 15
_EXC_RETURN_PSP = 1 << 2
_REGISTERS = {
    **{f"r{number}": number for number in range(16)},
    "sp": 13,
    "lr": 14,
    "pc": 15,
    "xpsr": 25,
}


class QemuEngine(Engine):
    """QEMU, a process of its own."""

    name = "qemu"
    timing_basis = TimingBasis(f"instruction count ({NS_PER_INSTRUCTION} ns each)")
    capabilities = frozenset(
        {Capability.MAILBOX, Capability.MEMORY, Capability.REGISTERS, Capability.CALL_COUNTS}
    )

    def __init__(self, program: Path | None = None) -> None:
        self._program = program or find_qemu()
        self._machine: QemuMachine | None = None
        self._image: FirmwareImage | None = None
        self._mailbox: Mailbox | None = None
        self._lines: list[UartLine] = []
        self._waiting: list[tuple[str, str]] = []  # lines that no run has looked at yet
        self._stops: frozenset[int] = frozenset()
        self._faults: dict[int, int] = {}
        self._first_fault: FaultInfo | None = None
        self._calls: CallCount | None = None
        self._time_ns = 0
        self._pc = 0
        self._ended = False

    # ---- life ----

    def load(self, image: FirmwareImage) -> None:
        """Start QEMU with the image, stopped before its first instruction."""
        self.close()
        self._image = image
        self._lines, self._waiting, self._calls = [], [], None
        self._first_fault, self._time_ns, self._ended = None, 0, False
        self._machine = QemuMachine(self._program, image.path, NS_PER_INSTRUCTION)
        box = mailbox_of(image, self.contract)
        with self._guarded():
            self._machine.connect()
            self._faults = self._fault_handlers()
            names = [] if box is None else [self.contract.symbols.wants_frame]
            symbols = [image.symbols.get(name) for name in [*names, self.contract.symbols.stop]]
            self._stops = frozenset(symbol.address for symbol in symbols if symbol is not None)
            for address in self._stops | self._faults.keys():
                self._machine.gdb.set_breakpoint(address)
            self._pc = self._machine.gdb.read_register(_REGISTERS["pc"])
        self._mailbox = None if box is None else Mailbox(self, box)

    def close(self) -> None:
        """End QEMU. Harmless twice."""
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    @property
    def machine(self) -> QemuMachine:
        """The process. Raises `EngineError` where there is none."""
        if self._machine is None:
            raise EngineError("engine qemu: no image loaded, call load() first")
        return self._machine

    # ---- frames ----

    @property
    def mailbox(self) -> Mailbox:
        """Where frames go. Raises `EngineError` for a firmware without one."""
        if self._mailbox is None:
            name = self.contract.symbols.mailbox
            path = "the firmware" if self._image is None else str(self._image.path)
            raise EngineError(
                f"engine qemu: {path} has no variable {name}, expected a firmware that "
                "takes frames from memory, as boardless-mailbox.elf (QEMU has no camera)"
            )
        return self._mailbox

    def show(self, frame: Frame) -> int:
        """Queue a frame for the mailbox."""
        return self.mailbox.show(frame)

    def ask_for_layers(self, *, print_all: bool = False, dump: int | None = None) -> None:
        """In the flags of the frames to come."""
        self.mailbox.ask(print_layers=print_all, dump_layer=dump)

    def captured(self) -> Sequence[Frame]:
        """The frames that the firmware took."""
        return [] if self._mailbox is None else self._mailbox.captured()

    # ---- running ----

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run until a line satisfies `until`, or for about `limit_us` of virtual time."""
        deadline_ns = self._time_ns + int(limit_us * 1000)
        still = _Stillness()
        with self._guarded():
            while True:
                if self._look_at_lines(until):
                    return StopReason.RESULT
                if self._ended or still.is_for_ever(self._pc, self._time_ns):
                    return self._how_it_ended()
                left_ns = deadline_ns - self._time_ns
                if left_ns <= 0:
                    return StopReason.FAULT if self._in_fault() else StopReason.LIMIT
                self._run_to_a_stop(left_ns)
                self._at_a_stop()

    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self._time_ns / 1000

    def count_calls(self, function: str) -> None:
        """Count the instructions of each call of a function from here on.

        The function does not sleep: time asleep would count as if it had executed some.
        """
        self._calls = CallCount(self.image, function)
        with self._guarded():
            self._change_breakpoint(self.machine.gdb.set_breakpoint)

    def call_counts(self) -> list[int]:
        """Instructions of every call that returned."""
        return [] if self._calls is None else list(self._calls.counts)

    def _change_breakpoint(self, change: Callable[[int], None]) -> None:
        """Of the counted function, where the engine has none of its own."""
        assert self._calls is not None
        if self._calls.place not in self._stops | self._faults.keys():
            change(self._calls.place)

    def _run_to_a_stop(self, left_ns: int) -> None:
        machine = self.machine
        if self._mailbox is None:  # so that a limit is overrun by little
            seconds = min(max(left_ns / 1e9 / 5, _SHORTEST_S), _LONGEST_S)
            grace_s = _GRACE_S
        else:
            seconds, grace_s = _MAILBOX_S, _MAILBOX_GRACE_S
        if self._stands_at_a_breakpoint():
            machine.gdb.clear_breakpoint(self._pc)
            machine.gdb.step()
            machine.gdb.set_breakpoint(self._pc)
        machine.gdb.resume()
        if not machine.stop_within(seconds, grace_s):
            machine.gdb.interrupt()
            machine.wait_for_stop()
        self._waiting += machine.take_lines()

    def _stands_at_a_breakpoint(self) -> bool:
        counted = self._calls is not None and self._pc == self._calls.place
        return counted or self._pc in self._stops or self._pc in self._faults

    def _at_a_stop(self) -> None:
        machine, image = self.machine, self.image
        self._pc = machine.gdb.read_register(_REGISTERS["pc"])
        self._time_ns = machine.time_ns()
        if self._pc in self._faults and self._first_fault is None:
            self._first_fault = self._read_fault(self._faults[self._pc])
        if self._calls is not None and self._pc == self._calls.place:
            self._change_breakpoint(machine.gdb.clear_breakpoint)
            link = machine.gdb.read_register(_REGISTERS["lr"])
            self._calls.pass_by(link, self._time_ns // NS_PER_INSTRUCTION)
            self._change_breakpoint(machine.gdb.set_breakpoint)
        stop = image.symbols.get(self.contract.symbols.stop)
        self._ended = stop is not None and self._pc == stop.address
        wants_frame = image.symbols.get(self.contract.symbols.wants_frame)
        if self._mailbox and wants_frame is not None and self._pc == wants_frame.address:
            self._mailbox.serve()

    def _look_at_lines(self, until: Callable[[UartLine], bool] | None) -> bool:
        while self._waiting:
            port, text = self._waiting.pop(0)
            line = UartLine(port, text, self.time_us())
            self._lines.append(line)
            if until is not None and until(line):
                return True
        return False

    # ---- UART ----

    def uart_lines(self) -> list[UartLine]:
        """Every line so far; its time is that of the stop after it."""
        return self._lines

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver."""
        with self._guarded():
            self.machine.uart_send(port, data)

    # ---- state ----

    def fault(self) -> FaultInfo | None:
        """The first fault that reached a handler of the vector table in Flash."""
        return self._first_fault

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash."""
        with self._guarded():
            return self.machine.gdb.read_memory(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory as a debug probe would."""
        with self._guarded():
            self.machine.gdb.write_memory(address, data)

    def read_register(self, name: str) -> int:
        """A core register by name; QEMU 7.2 does not tell msp and psp."""
        number = _REGISTERS.get(name)
        if number is None:
            raise EngineError(f"engine qemu: register {name!r}, expected {', '.join(_REGISTERS)}")
        with self._guarded():
            return self.machine.gdb.read_register(number)

    def log(self) -> list[str]:
        """What QEMU printed."""
        return [] if self._machine is None else self._machine.child.said()

    # ---- faults and ends ----

    def _fault_handlers(self) -> dict[int, int]:
        table = self.machine.gdb.read_memory(self.image.vector_table, 7 * 4)
        words = [int.from_bytes(table[at : at + 4], "little") & ~1 for at in range(0, 28, 4)]
        return {words[number]: number for number in reversed(_FAULT_NAMES) if words[number]}

    def _read_fault(self, number: int) -> FaultInfo:
        gdb = self.machine.gdb
        cfsr, hfsr, mmfar, bfar = (
            int.from_bytes(gdb.read_memory(register, 4), "little")
            for register in (_CFSR, _HFSR, _MMFAR, _BFAR)
        )
        pc = 0
        if not gdb.read_register(14) & _EXC_RETURN_PSP:
            pc = int.from_bytes(gdb.read_memory(gdb.read_register(13) + 24, 4), "little")
        address = bfar if cfsr & _BFARVALID else mmfar if cfsr & _MMARVALID else None
        active = gdb.read_register(25) & 0x1FF
        kind = _FAULT_NAMES.get(active, _FAULT_NAMES[number])
        return FaultInfo(kind, pc, self.image.function_at(pc), cfsr, hfsr, address)

    def _in_fault(self) -> bool:
        return self.machine.gdb.read_register(25) & 0x1FF in _FAULT_NAMES

    def _how_it_ended(self) -> StopReason:
        return StopReason.FAULT if self._in_fault() else StopReason.HALT

    @property
    def image(self) -> FirmwareImage:
        """The loaded one."""
        if self._image is None:
            raise EngineError("engine qemu: no image loaded, call load() first")
        return self._image

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """What goes wrong with QEMU ends it, and names it and its log, which stays."""
        try:
            yield
        except Refused as error:
            raise EngineError(f"engine qemu: {error}") from error
        except EngineError as error:
            if str(error).startswith("engine qemu"):
                raise
            machine, self._machine = self._machine, None
            if machine is None:
                raise
            raise machine.failed(error) from error


class _Stillness:
    """Notices a firmware that sleeps and that nothing will wake: its time stands still."""

    def __init__(self) -> None:
        self._seen: tuple[int, int] | None = None
        self._rounds = 0
        self._since = time.monotonic()

    def is_for_ever(self, pc: int, time_ns: int) -> bool:
        """Whether the target stood in the same place at the same time for long enough."""
        if (pc, time_ns) != self._seen:
            self._seen, self._rounds, self._since = (pc, time_ns), 0, time.monotonic()
        self._rounds += 1
        waited_s = time.monotonic() - self._since
        return self._rounds > _STILL_ROUNDS and waited_s > _STILL_TOTAL_S
