"""The native engine: firmware on a Cortex-M4F in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from boardless_sim.boards.board import Board
from boardless_sim.boards.own import blaming, file_of, load_placement
from boardless_sim.boards.ram_fill import RAM_FILL
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.camera.frame import Frame
from boardless_sim.core.cpu import UNUSED_PSP
from boardless_sim.core.library import RECENT
from boardless_sim.core.names import EXCEPTION_NAMES
from boardless_sim.core.timing import REFILL, Refill
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.calls import CallCount
from boardless_sim.engines.console import PortConsole
from boardless_sim.engines.engine import (
    Activity,
    Capability,
    Capture,
    Engine,
    FaultInfo,
    StackMark,
    StopReason,
    UartLine,
)
from boardless_sim.engines.native import rtt
from boardless_sim.engines.native.machine import Machine, Outcome
from boardless_sim.engines.native.places import exception_name, place_in_words
from boardless_sim.errors import EngineError
from boardless_sim.finding import Check, Finding
from boardless_sim.history import History
from boardless_sim.peripherals.links.itm import Itm
from boardless_sim.timing_basis import ESTIMATED_CYCLES

if TYPE_CHECKING:
    from boardless_sim.boards.bench import BoardBench
    from boardless_sim.engines.core_image import CoreImage
    from boardless_sim.faults.board import BoardFault
    from boardless_sim.faults.sensor import SensorFault
    from boardless_sim.parts.part import Part


class NativeEngine(Engine):
    """Estimated cycles, exact devices, the same bytes on every run.

    `strict`: an unmodelled register is an error. `fast_forward`: skip polling loops up to the next
    event, and carry out in the core what a device foresees; off, the results are the same and only
    take longer. `peripherals`: devices in files of the user's own, as `FILE:CLASS@BASE`. `refill`:
    other constants of the cycle table, to see what they would have said. `board`: what the firmware
    is flashed to. `ram_fill`: the seed of what RAM holds at power-on, 0 for zeros.
    """

    name = "native"
    timing_basis = ESTIMATED_CYCLES
    capabilities = frozenset(Capability) - {Capability.MAILBOX}
    # Every load from RAM would have to be told: a hook on loads alone halves the speed of a run.
    checks = frozenset(Check) - {Check.UNINITIALISED_READ}

    def __init__(
        self,
        strict: bool = False,
        fast_forward: bool = True,
        peripherals: Iterable[str] = (),
        refill: Refill = REFILL,
        board: Board = REFERENCE,
        ram_fill: int = RAM_FILL,
    ) -> None:
        self._board = board
        self._strict = strict
        self._ram_fill = ram_fill
        specs = tuple(peripherals)
        self._peripherals = [load_placement(spec) for spec in specs]
        self._own_files = frozenset(map(file_of, specs))
        self._fast_forward = fast_forward
        self._refill = refill
        self._machine: Machine | None = None
        self._image: FirmwareImage | None = None
        self._lines: History[UartLine] = History()
        self._consoles: dict[str, PortConsole] = {}
        self._until: Callable[[UartLine], bool] | None = None
        self._calls: CallCount | None = None
        self._visits: dict[int, list[Callable[[], None]]] = {}
        self._rtt: rtt.Rtt | None = None
        self._captures: History[Capture] = History()

    # ---- life ----

    def load(self, image: FirmwareImage) -> None:
        """Build a fresh board and put the image into its Flash."""
        self.close()
        self._image = image
        self._lines, self._consoles, self._captures = History(), {}, History()
        self._calls, self._visits = None, {}
        with blaming(self._own_files):
            machine = Machine(
                self._board,
                strict=self._strict,
                fast_forward=self._fast_forward,
                own=self._peripherals,
                refill=self._refill,
                bounds=self.bounds,
                ram_fill=self._ram_fill,
            )
        self._machine = machine
        machine.load(image)
        for port, usart in machine.devices.usarts.items():
            usart.on_transmit = self._receiver(port)
            usart.late_words = partial(self._patience, self._consoles[port])
            usart.on_late = partial(self._receive_late, self._consoles[port])
        machine.semihosting.on_output = self._receiver("semihosting")
        machine.semihosting.folder = self._board.semihosting
        self._connect_probe(machine, image)
        if machine.devices.fitted is not None:
            machine.devices.camera.lens.on_capture = self._note_capture

    def close(self) -> None:
        """Free the board. Harmless twice."""
        if self._machine is not None:
            self._machine.close()
            self._machine = None

    @property
    def machine(self) -> Machine:
        """The board itself, for tests that reach below the seam."""
        if self._machine is None:
            raise EngineError("native engine: no image loaded, call load() first")
        return self._machine

    # ---- camera ----

    def show(self, frame: Frame) -> int:
        """Queue a frame for the lens."""
        return self.machine.devices.camera.lens.show(frame)

    def captured(self) -> Sequence[Frame]:
        """The frames that were captured whole, in order."""
        return self.machine.devices.camera.lens.captured

    def captures(self) -> Sequence[Capture]:
        """When each of them was whole."""
        return self._captures

    def _note_capture(self) -> None:
        number = self.machine.devices.camera.frames_clocked
        self._captures.append(Capture(number, self.machine.time_us()))

    def set_camera_faults(self, faults: Sequence[SensorFault]) -> None:
        """What is wrong with the sensor from its next frame or SCCB transfer on."""
        self.machine.devices.camera.faults = tuple(faults)

    def inject(self, fault: BoardFault, at_us: float) -> None:
        """Let something go wrong on the board at a virtual time."""
        from boardless_sim.engines.native.board_faults import inject

        inject(self.machine, fault, at_us)

    # ---- running ----

    def run(self, limit_us: float, until: Callable[[UartLine], bool] | None = None) -> StopReason:
        """Run until a line satisfies `until`, or for `limit_us` of virtual time."""
        self._until = until
        outcome = self._run(limit_us)
        self._until = None
        if self.machine.guard.exceeded:
            return StopReason(self.machine.guard.exceeded.partition(":")[0])
        if outcome == Outcome.STOPPED:
            return StopReason.RESULT
        if outcome == Outcome.EXIT:
            self.machine.say_once(f"the firmware ended itself with code {self.exit_code}")
            return StopReason.EXIT
        if outcome == Outcome.LOCKUP or self.machine.in_fault_handler():
            return StopReason.FAULT
        if outcome == Outcome.STACK:
            self._report_stack()
            return StopReason.STACK
        return StopReason.HALT if outcome == Outcome.HALT else StopReason.LIMIT

    def bench(self) -> BoardBench:
        """The pins of the chip, from outside."""
        from boardless_sim.boards.bench import BoardBench

        return BoardBench(self.machine.devices, self.time_us)

    def parts(self) -> Mapping[str, Part]:
        """What hangs on the board, by its name."""
        return self.machine.devices.parts.by_name

    @property
    def exit_code(self) -> int | None:
        """With which code the firmware ended itself; None while it runs."""
        return self.machine.semihosting.exit_code

    def _connect_probe(self, machine: Machine, image: FirmwareImage) -> None:
        """What a debug probe reads beside the USARTs: ITM on SWO, and RTT where it is linked in."""
        itm = machine.devices.by_name["ITM"][1]
        assert isinstance(itm, Itm)
        itm.on_byte = lambda port, byte: self._receiver(f"itm{port}")(byte)
        symbol = image.symbols.get(rtt.SYMBOL)
        self._rtt = None
        if symbol is None and not any(rtt.IDENTITY in part.data for part in image.segments):
            return
        areas = {area.base: area.size for area in self._board.chip.memories if area.writable}
        probe = self._rtt = rtt.Rtt(
            machine.cpu, None if symbol is None else symbol.address, areas, self._receiver
        )

        def look() -> None:
            probe.poll()
            machine.schedule_ns(rtt.EVERY_NS, look)

        machine.schedule_ns(rtt.EVERY_NS, look)

    def _report_stack(self) -> None:
        """Which stack went where, by the names of the variables."""
        shared, image = self.machine.cpu.shared, self.image
        which = "main" if shared.stack_left == 1 else "process"
        victim = self.machine.variables.at(shared.stack_floor - 1)
        into = "another area" if victim is None else f"variable `{victim.name}`"
        text = (
            f"the {which} stack went below {shared.stack_floor:#010x} into {into}, "
            f"in {image.function_at(shared.stack_left_pc)} (SP {shared.stack_left_sp:#010x})"
        )
        self.machine.report(Check.STACK_INTO_VARIABLES, "core", text, shared.stack_left_pc)

    def one_wait(self) -> AbstractContextManager[None]:
        """Several calls of `run` with one sum of the host's time, bytes and resets."""
        return self.machine.guard.one_wait()

    def run_to(self, address: int, limit_us: float) -> bool:
        """Run until the basic block at `address` is about to run; False: it was not reached."""
        self.machine.cpu.mark(address)
        outcome = self._run(limit_us, address)
        self.machine.cpu.mark(address, marked=address in self._visits)
        return outcome == Outcome.MARK

    def _run(self, limit_us: float, target: int | None = None) -> Outcome:
        """Visit what is watched, and go on unless it is the target."""
        self.machine.guard.begin()
        with blaming(self._own_files):
            return self._run_on(limit_us, target)

    def _run_on(self, limit_us: float, target: int | None) -> Outcome:
        machine = self.machine
        deadline_us = machine.time_us() + limit_us
        outcome = machine.run(limit_us)
        while outcome == Outcome.MARK:
            place = self.read_register("pc")
            for visit in tuple(self._visits.get(place, ())):
                visit()
            if place == target:
                break
            outcome = machine.run(max(deadline_us - machine.time_us(), 0.0))
        return outcome

    def cycles(self) -> int:
        """Cycles of the core clock since power-on."""
        return self.machine.cpu.shared.cycles

    def instructions(self) -> int:
        """Instructions executed since power-on."""
        return self.machine.cpu.shared.instructions

    def count_calls(self, function: str) -> None:
        """Count the instructions of each call of a function from here on."""
        self._calls = CallCount(self.image, function)
        self.watch(self._calls.place, self._count_call)

    def call_counts(self) -> list[int]:
        """Instructions of every call that returned."""
        return [] if self._calls is None else list(self._calls.counts)

    def _count_call(self) -> None:
        if self._calls is not None:
            self.unwatch(self._calls.place, self._count_call)
            self._calls.pass_by(self.read_register("lr"), self.instructions())
            self.watch(self._calls.place, self._count_call)

    def watch(self, address: int, visit: Callable[[], None]) -> None:
        """Call `visit` whenever `run` comes to the basic block at `address`, before it runs."""
        self._visits.setdefault(address, []).append(visit)
        self.machine.cpu.mark(address)

    def unwatch(self, address: int, visit: Callable[[], None]) -> None:
        """Take back one `watch`."""
        self._visits[address].remove(visit)
        if not self._visits[address]:
            del self._visits[address]
            self.machine.cpu.mark(address, marked=False)

    def sample(self, every_cycles: int, visit: Callable[[], None]) -> None:
        """Call `visit` every so many cycles from here on, between two basic blocks.

        A sample is due at a multiple of `every_cycles` from now and comes before the next block.
        The firmware does not notice: no cycle is added.
        """

        def due() -> None:
            visit()
            self.machine.schedule(every_cycles, due)

        self.machine.schedule(every_cycles, due)

    def sleep_cycles(self) -> int:
        """Of `cycles`, those in which the core slept (WFI, WFE)."""
        return self.machine.cpu.shared.sleep_cycles

    def is_in_handler(self) -> bool:
        """Whether an exception is active."""
        return bool(self.machine.cpu.shared.active_exception)

    def is_asleep(self) -> bool:
        """Whether the core sleeps now."""
        return bool(self.machine.cpu.shared.sleeping)

    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self.machine.time_us()

    # ---- UART ----

    def uart_lines(self) -> Sequence[UartLine]:
        """Every complete line so far."""
        return self._lines

    def forget_history(self, keep: int) -> None:
        """All lines and captures but the last ones."""
        self._lines.forget(keep)
        self._captures.forget(keep)
        for console in self._consoles.values():
            console.forget(keep)
        if self.machine.devices.fitted is not None:
            self.machine.devices.camera.lens.captured.forget(keep)

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver, semihosting's console or a down buffer of RTT."""
        if port == "semihosting":
            self.machine.semihosting.feed(data)
            return
        if port.startswith("rtt") and port[3:].isdecimal() and self._rtt is not None:
            self._rtt.send(int(port[3:]), data)
            return
        usart = self.machine.devices.usarts.get(port)
        if usart is None:
            ports = ", ".join(self.machine.devices.usarts)
            raise EngineError(f"port {port!r}, expected one of {ports}")
        usart.receive(data)

    def _receiver(self, port: str) -> Callable[[int], None]:
        console = self._consoles.setdefault(port, PortConsole(port, self._lines))

        def receive(byte: int) -> None:
            if self.machine.guard.note_byte(byte == 0x0A):
                self.machine.stop()
                return
            line = console.take(byte, self.machine.time_us())
            if line is not None and self._until is not None and self._until(line):
                self.machine.stop()

        return receive

    def uart_bytes(self, port: str) -> bytes:
        """Everything that a port said."""
        console = self._consoles.get(port)
        if console is None:
            raise EngineError(f"port {port!r}, expected one of {', '.join(self._consoles)}")
        return console.data

    def _patience(self, console: PortConsole) -> int:
        """Bytes of a line that may come together: no bound is met by any of them."""
        return max(min(console.room, self.machine.guard.room_bytes), 0)

    def _receive_late(self, console: PortConsole, sent: bytes) -> None:
        self.machine.guard.note_bytes(len(sent))
        console.take_late(sent)

    # ---- state ----

    def fault(self) -> FaultInfo | None:
        """The first fault the CPU took, if any."""
        shared = self.machine.cpu.shared
        if not shared.fault_number:
            return None
        return FaultInfo(
            kind=EXCEPTION_NAMES.get(shared.fault_number, str(shared.fault_number)),
            pc=shared.fault_pc,
            function=self._function_at(shared.fault_pc),
            cfsr=shared.fault_cfsr,
            hfsr=shared.fault_hfsr,
            address=shared.fault_address if shared.fault_has_address else None,
            sp=shared.fault_sp,
            lr=shared.fault_lr,
            caller=self._function_at(shared.fault_lr & ~1),
            registers=tuple(shared.fault_registers),
        )

    def stack_mark(self) -> StackMark:
        """The lowest main stack pointer so far."""
        shared = self.machine.cpu.shared
        image = self.image
        top = image.initial_sp
        functions: dict[str, int] = {}
        for function in image.functions:
            end = function.address + function.size
            lowest = self.machine.cpu.lowest_msp(function.address & ~1, end)
            if lowest is not None:
                functions[function.name] = max(top - lowest, functions.get(function.name, 0))
        return StackMark(
            used_bytes=top - shared.lowest_msp,
            lowest_address=shared.lowest_msp,
            lowest_function=self._function_at(shared.lowest_msp_pc),
            process_lowest_address=(None if shared.lowest_psp == UNUSED_PSP else shared.lowest_psp),
            functions=functions,
        )

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of RAM or Flash, or what registers would read as: a look has no effect."""
        return self.machine.peek(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory as a debug probe would."""
        self.machine.cpu.write(address, data)

    def read_register(self, name: str) -> int:
        """A core register by name."""
        return self.machine.cpu.register(name)

    def log(self) -> list[str]:
        """What the board had to say."""
        return list(self.machine.log)

    def activity(self) -> Activity:
        """What the core is at now."""
        shared = self.machine.cpu.shared
        active = shared.cycles - shared.handler_since if shared.active_exception else 0
        return Activity(
            handler_share=(shared.handler_cycles + active) / max(shared.cycles, 1),
            handler_us=active * 1e6 / self.machine.clocks().hclk_hz,
            is_asleep=self.is_asleep(),
            polled=self.machine.polled(),
            touched=self.machine.touched(),
            unfinished={
                port: console.unfinished
                for port, console in self._consoles.items()
                if console.unfinished
            },
            entered=tuple(self._entered()),
        )

    def _entered(self) -> Iterator[tuple[str, float]]:
        shared = self.machine.cpu.shared
        taken = shared.exceptions_taken
        for number in range(max(taken - RECENT, 0), taken):
            place = number % RECENT
            at_us = self.machine.ps_at(shared.entered_at[place]) / 1e6
            yield exception_name(self.machine, shared.entered[place]), at_us

    def core_image(self) -> CoreImage:
        """The board as it is; takes a third of a second."""
        from boardless_sim.engines.native.core_image import core_image

        return core_image(self.machine)

    def place_of(self, address: int) -> str:
        """Memory, variable or register there, or what is nearest."""
        return place_in_words(self.machine, address)

    def findings(self) -> Sequence[Finding]:
        """What the chip would not have carried, in the order in which it was seen."""
        return tuple(self.machine.findings)

    def _function_at(self, address: int) -> str:
        return self.image.function_at(address)

    @property
    def image(self) -> FirmwareImage:
        """The loaded one."""
        if self._image is None:
            raise EngineError("native engine: no image loaded, call load() first")
        return self._image
