"""The virtual board: one CPU, its memories and devices, and the virtual time they share."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from boardless_sim.boards.board import Board
from boardless_sim.boards.devices import build_devices
from boardless_sim.boards.ram_fill import RAM_FILL, power_on_contents
from boardless_sim.boards.room import require_room
from boardless_sim.chips.chip import MemoryArea, Placement
from boardless_sim.core.cpu import NEVER, Cpu, HostMemory, Reason, RegionKind
from boardless_sim.core.names import CORE_REGISTERS
from boardless_sim.core.schedule import PICOSECONDS, RESET_HZ, EventQueue, ScheduledEvent, Timeline
from boardless_sim.core.semihosting import Semihosting
from boardless_sim.core.timing import REFILL, Refill
from boardless_sim.core.trains import Trains
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.bounds import DEFAULT, Bounds, Guard
from boardless_sim.engines.native.look import DEVICE_ALIAS, PPB, SRAM_ALIAS, Look
from boardless_sim.engines.native.variables import Variables
from boardless_sim.errors import EngineError, StrictError
from boardless_sim.finding import Check, Finding
from boardless_sim.foreseen import DmaRoom, Foreseen, ForeseenBytes
from boardless_sim.parts.part import MemoryTarget
from boardless_sim.peripherals.gated import Gated
from boardless_sim.peripherals.peripheral import BusFault, Clocks, Event, Peripheral

_PAGE = 0x1000
_SLOT_BITS = 10  # devices stand at multiples of 1 KiB
_TOP_BITS = 24  # no two memories share the top byte of their addresses
_WORD = ~3
_READS, _OFTEN, _LATELY = 64, 3, 8
_LOOK_CYCLES = 4_000_000  # 24 ms at 168 MHz, from one look at the host's clock to the next
_FAULTS = range(2, 7)  # NMI to UsageFault
_ERASED = b"\xff"


_Slot = tuple[int, Peripheral, frozenset[int]]  # base, device, its stable offsets


class Outcome(Enum):
    """Why `Machine.run` came back."""

    STOPPED = "stopped"  # somebody called stop()
    LIMIT = "limit"
    HALT = "halt"  # asleep, and nothing will ever wake it
    LOCKUP = "lockup"
    MARK = "mark"  # a marked block is about to run
    EXIT = "exit"  # the firmware ended itself, by semihosting
    BREAK = "break"  # a debugger's stop
    STACK = "stack"  # a stack pointer left the object or free area in which it began
    BOUND = "bound"  # of the host: `guard.exceeded` says which


_OUTCOMES = {
    Reason.LOCKUP: Outcome.LOCKUP,
    Reason.MARK: Outcome.MARK,
    Reason.BREAK: Outcome.BREAK,
    Reason.STACK: Outcome.STACK,
}


class Machine:
    """Implements `Bus` for the devices and `DeviceBus` for the CPU."""

    def __init__(
        self,
        board: Board,
        *,
        strict: bool = False,
        fast_forward: bool = True,
        own: Iterable[Placement] = (),
        refill: Refill = REFILL,
        bounds: Bounds = DEFAULT,
        ram_fill: int = RAM_FILL,
    ) -> None:
        self._board = board
        self.cpu = Cpu(self, refill)
        self._shared = self.cpu.shared
        self._shared.fast_forward = int(fast_forward)
        self._strict = strict
        self._timeline = Timeline()
        self._queue = EventQueue(self._timeline, self._shared)
        self._trains = Trains(self.cpu, self._queue, self._timeline)
        self._event_cycle: int | None = None
        self._stop = self._limit_reached = False
        self._reset_cause = ""
        self.halts_at_bkpt = False  # a debugger is there (DDI 0403E, C1.6.4)
        self._said: set[str] = set()
        self._reported: set[tuple[Check, str]] = set()
        self.semihosting = Semihosting(self.say_once, seconds=lambda: self.time_us() / 1e6)
        self.log: list[str] = []
        self.variables = Variables()
        self.guard = Guard(bounds)
        self._reads: deque[tuple[int, int]] = deque(maxlen=_READS)  # address, effects by then
        self._effects_before_end = 0
        self._touched: set[int] = set()  # places in the map that the firmware accessed
        self.findings: list[Finding] = []
        self._memories: dict[int, tuple[int, HostMemory, bool]] = {}  # by the address's top byte
        self._ram_fill = ram_fill
        self._map_memories(ram_fill)
        self._clocks = Clocks(*(RESET_HZ,) * 5)
        owners = Counter(irq for place in board.chip.placements for irq in place.irqs)
        self._shared_irqs = {irq: 0 for irq, count in owners.items() if count > 1}
        self.devices = build_devices(board, self)
        self.devices.flash.on_acr = self.cpu.set_flash_acr
        self.devices.flash.cells = self._flash = _Flash(self, board.chip.memory("Flash"))
        self._own = [(place.base, place.factory(place.name)) for place in own]
        for _, device in self._own:
            device.attach(self)
            device.reset()
        self._slots: dict[int, _Slot] = {}
        self._map_devices()
        self._gated: dict[str, _Slot] = {}
        self.devices.rcc.on_gate = self._follow_gate
        self.devices.rcc.on_sleep_gates = self._follow_sleep_gates
        self.devices.low_power.wake_from_standby = lambda: self.request_reset("STANDBY")
        for name in self.devices.by_name:
            self._follow_gate(name)

    # ---- building ----

    def _map_memories(self, ram_fill: int) -> None:
        for area in self._board.chip.memories:
            memory = HostMemory(area.size)
            if area.fill:
                memory.view[:] = _ERASED * area.size
            if area.writable and not area.kept:
                memory.view[:] = power_on_contents(ram_fill, area.base, area.size)
            if area.executable:
                self.cpu.map_code(memory, area.base, writable=area.writable)
            else:
                self.cpu.map_data(memory, area.base, writable=area.writable)
            if area.waits:
                self.cpu.set_flash(memory, area.base)
            for alias in area.aliases:
                self.cpu.map_alias(memory, alias)
            for address, data in area.contents.items():
                memory.view[address - area.base : address - area.base + len(data)] = data
            if area.writable:
                self.cpu.watch_ram(memory, area.base, executable=area.executable)
            if area.dma:
                self._memories[area.base >> _TOP_BITS] = (area.base, memory, area.writable)
        self.cpu.keep_clrex(self._board.chip.boot_rom)
        self.cpu.set_identity(self._board.chip.idcode, self._board.chip.priority_bits)

    def _map_devices(self) -> None:
        pages: set[int] = set()
        for base, device in self.mapped_devices():
            self._place((base, device, device.stable))
            for slot in range(base >> _SLOT_BITS, (base + device.size + 1023) >> _SLOT_BITS):
                pages.add(slot << _SLOT_BITS & ~(_PAGE - 1))
        for known in self._board.chip.unmodelled:
            pages.update(range(known.base & ~(_PAGE - 1), known.base + known.size, _PAGE))
        regions = [
            (range(start, start + size), RegionKind.DEVICE)
            for start, size in _runs(sorted(page for page in pages if page < PPB.start))
        ]
        controller = self.devices.memory_controller
        if controller is not None:
            regions += [(window, RegionKind.DEVICE) for window in controller.windows]
        regions += [
            (PPB, RegionKind.PPB),
            (SRAM_ALIAS, RegionKind.SRAM_ALIAS),
            (DEVICE_ALIAS, RegionKind.DEVICE_ALIAS),
        ]
        for area, kind in regions:
            self.cpu.map_region(area.start, len(area), kind)
        self.cpu.map_done()
        self._look = Look(self.cpu, [area for area, _ in regions], self.device_at)

    def _follow_gate(self, name: str) -> None:
        """A device without a clock, or held in reset, is out of the map: no access asks for it.

        The entries of the map are exchanged, so that an access costs nothing more.
        """
        placed = self.devices.by_name.get(name)
        if placed is None:
            return
        base, device = placed
        slot = base >> _SLOT_BITS
        if self._slots[slot][1] not in (device, self._gated.get(name, (0, None))[1]):
            return  # one of the user's own stands there
        rcc = self.devices.rcc
        clocked, in_reset = rcc.clock_enabled(name), rcc.held_in_reset(name)
        if device.clocked is not clocked:
            device.clock(clocked)
        if clocked and not in_reset:
            self._place((base, device, device.stable))
            return
        register = rcc.gate_register(name)
        why = f"is held in reset (RCC_{register.replace('ENR', 'RSTR')})"
        if not clocked:
            why = f"is not clocked (RCC_{register})"
        gated = Gated(device, why)
        gated.attach(self)
        self._gated[name] = (base, gated, gated.stable)
        self._place(self._gated[name])

    def _place(self, slot: _Slot) -> None:
        """Let a device answer at all of its addresses."""
        base, device, _ = slot
        for number in range(base >> _SLOT_BITS, (base + device.size + 1023) >> _SLOT_BITS):
            self._slots[number] = slot

    def _follow_sleep_gates(self, any_closes: bool) -> None:
        self._shared.tells_sleep = int(any_closes)

    def mapped_devices(self) -> Iterator[tuple[int, Peripheral]]:
        """The board's devices, then the user's own, which replace what stands at their place."""
        yield from self.devices.mapped
        yield from self._own

    @property
    def board(self) -> Board:
        """What it was built from."""
        return self._board

    def load(self, image: FirmwareImage) -> None:
        """Write the image into Flash and take the reset vector.

        Raises `ImageError` for an image that the chip has no room for: one of another chip.
        """
        require_room(self._board.chip, image)
        for segment in image.segments:
            self.cpu.write(segment.load_address, segment.data)
        self.variables = Variables(image)
        self.cpu.set_stack_bounds(self.variables.bounds)
        self.cpu.power_on(image.vector_table)
        self._vector_table = image.vector_table

    def close(self) -> None:
        """Free the CPU, and the files that the firmware left open."""
        self.semihosting.close()
        self.cpu.close()

    # ---- running ----

    def run(self, limit_us: float) -> Outcome:
        """Run until `stop`, for at most `limit_us`, or until the CPU cannot go on."""
        return self.run_until(self.time_ps() + max(1, round(limit_us * 1e6)))

    def run_until(self, limit_ps: int) -> Outcome:
        """As `run`, but up to a time since power-on."""
        self._stop = self._limit_reached = False
        self._shared.effects += 1  # a test may have changed a device since
        limit = self._queue.at_ps(limit_ps, self._reach_limit)
        try:
            return self._run()
        finally:
            self._trains.withdraw()
            limit.cancel()
            self._effects_before_end = self._shared.effects - int(self._limit_reached)

    def _run(self) -> Outcome:
        while not self.guard.exceeded:
            due = self._queue.next_due(NEVER)
            self.cpu.set_next_event(min(due, self._shared.cycles + _LOOK_CYCLES))
            reason = self.cpu.run()
            if reason == Reason.EVENT:
                self._trains.make_way()
                if self._shared.cycles < self._queue.next_due(NEVER):
                    self.guard.look_at_clock()  # nothing is due: the board notices nothing
                    continue
                self._run_events()
                if self._stop:
                    return Outcome.STOPPED
                if self._limit_reached:
                    return Outcome.HALT if self.cpu.is_asleep_for_good() else Outcome.LIMIT
            elif reason in (Reason.RESET, Reason.DEEP, Reason.ASLEEP, Reason.AWAKE):
                self._follow(reason)
            elif reason in _OUTCOMES:
                return _OUTCOMES[reason]
            elif reason == Reason.DEBUG:
                outcome = self._breakpoint()
                if outcome is not None:
                    return outcome
            else:
                raise EngineError(
                    f"native engine: the CPU stopped at {self._shared.pc:#010x} for a reason it "
                    f"does not know (Unicorn {self._shared.interrupt_number})"
                )
        return Outcome.BOUND

    def _follow(self, reason: Reason) -> None:
        """The core was reset, or its clock stops or comes back."""
        self._trains.withdraw()
        if reason == Reason.RESET:
            self._reset()
            self.guard.note_reset()
        elif reason == Reason.DEEP:
            self.devices.low_power.enter()
        elif reason == Reason.ASLEEP:
            self.devices.low_power.doze()
        else:
            wake_ns = self.devices.low_power.leave()
            self._shared.cycles += wake_ns * self._clocks.hclk_hz // 10**9

    def _breakpoint(self) -> Outcome | None:
        """BKPT: None where the run goes on."""
        self._trains.withdraw()
        self.guard.look_at_clock()
        self._shared.effects += 1  # a loop that calls the host does not only poll
        if self.semihosting.call(self.cpu):
            if self.semihosting.exit_code is not None:
                return Outcome.EXIT
            return Outcome.STOPPED if self._stop else None
        if self.halts_at_bkpt:
            return Outcome.BREAK
        return None if self.cpu.breakpoint_fault() else Outcome.LOCKUP

    def _reach_limit(self) -> None:
        self._limit_reached = True

    def stop(self) -> None:
        """Come back from `run` before the next block."""
        self._stop = True
        self.cpu.set_next_event(0)

    def _run_events(self) -> None:
        now = self._shared.cycles
        self._shared.effects += 1
        try:
            while not (self._stop or self._limit_reached):
                event = self._queue.pop_due(min(now, self._shared.train_due - 1))
                if event is None:
                    return
                callback, event.callback = event.callback, None
                self._event_cycle = event.due
                if callback is not None:
                    callback()
        finally:
            self._event_cycle = None

    def _reset(self) -> None:
        cause = self._reset_cause or "SFT"
        self._reset_cause = ""
        self.log.append(f"reset at {self.time_us():.3f} us: {cause}")
        self.devices.low_power.forget()
        for _, device in self.mapped_devices():
            device.reset()
        if cause in ("STANDBY", "POWER"):
            self._lose_ram()
        if cause == "STANDBY":
            self.devices.pwr.woke_from_standby()
        if self.devices.fitted is not None:
            self.devices.fitted.reset()
        self.devices.rcc.note_reset(cause)
        self.set_clocks(self.devices.rcc.clock_tree())
        self.cpu.power_on(self._vector_table)

    def _lose_ram(self) -> None:
        """Standby and a lost supply keep the backup SRAM only (RM0090 section 5.3.6)."""
        for area in self._board.chip.memories:
            if area.writable and not area.kept:
                contents = power_on_contents(self._ram_fill, area.base, area.size)
                self.cpu.write(area.base, bytes(contents))

    # ---- time ----

    def time_us(self) -> float:
        """Virtual time since power-on."""
        return self.time_ps() / 1e6

    def time_ps(self) -> int:
        """The same in picoseconds, which are exact."""
        return self._timeline.to_ps(self._shared.cycles)

    def ps_at(self, cycle: int) -> int:
        """The time of any cycle so far."""
        return self._timeline.ps_at(cycle)

    def register_name(self, address: int) -> tuple[str, str]:
        """Device and register at an address, such as "USART2" and "CR1"."""
        slot = self._slots.get(address >> _SLOT_BITS)
        name = self._name_of(address) if slot is None else slot[1].register_name(address - slot[0])
        device, _, register = name.partition("_")
        return (device, register) if register else (name, "")

    def in_fault_handler(self) -> bool:
        """Whether NMI or a fault exception is active."""
        return self._shared.active_exception in _FAULTS

    # ---- DeviceBus: accesses of the CPU ----

    def device_read(self, address: int, size: int) -> int:
        """Answer a load from a device address."""
        if self._shared.trains_ran:
            self._trains.settle()
        self._touched.add(address >> _SLOT_BITS)
        slot = self._slots.get(address >> _SLOT_BITS)
        if slot is None:
            if not self._is_external(address):
                self.log_unmodelled(self._name_of(address), "read")
                return 0
            part = self.devices.external_at(address)
            return 0 if part is None else part.read(address, size)
        base, device, stable = slot
        offset = address - base
        if offset & _WORD not in stable:
            self._shared.effects += 1
        self._reads.append((address, self._shared.effects))
        return device.read(offset, size)

    def device_write(self, address: int, size: int, value: int) -> None:
        """Carry out a store to a device address."""
        self._trains.withdraw(disturbed=True)
        self._touched.add(address >> _SLOT_BITS)
        slot = self._slots.get(address >> _SLOT_BITS)
        if slot is None:
            if self._flash.area.holds(address):
                self.devices.flash.program(address, size, value)
            elif not self._is_external(address):
                self.log_unmodelled(self._name_of(address), f"write of {value:#x}")
            elif (part := self.devices.external_at(address)) is not None:
                part.write(address, size, value)
            return
        slot[1].write(address - slot[0], size, value)

    def _is_external(self, address: int) -> bool:
        """Whether it is of a bank of the memory controller; a bus error where that is off."""
        controller = self.devices.memory_controller
        if controller is None or not controller.holds(address):
            return False
        self._shared.effects += 1
        if not controller.answers(address):
            self.cpu.bus_error(address)
        return True

    def polled(self) -> tuple[str, ...]:
        """The device registers that the code read last, again and again.

        A stable register is read once for each effect; a loop reads another kind often.
        """
        if not self._limit_reached:
            return ()
        times = Counter(address for address, _ in self._reads)
        latest = dict(self._reads)
        end = self._effects_before_end
        return tuple(
            self._name_of(address)
            for address, effects in latest.items()
            if effects >= end or (effects >= end - _LATELY and times[address] >= _OFTEN)
        )

    def touched(self) -> tuple[str, ...]:
        """The devices that the firmware accessed, in the order of their addresses."""
        return tuple(
            dict.fromkeys(self._device_at(at << _SLOT_BITS) for at in sorted(self._touched))
        )

    def _device_at(self, address: int) -> str:
        slot = self._slots.get(address >> _SLOT_BITS)
        if slot is not None:
            return slot[1].name
        for known in self._board.chip.unmodelled:
            if known.base <= address < known.base + known.size:
                return known.name
        return f"reserved address {address:#010x}"

    def peek(self, address: int, size: int) -> bytes:
        """Bytes of memory, or of registers without the effects of reading them."""
        return self._look.at(address, size)

    def poke(self, address: int, data: bytes) -> None:
        """Write memory or registers as a debugger does."""
        self._shared.effects += 1
        self._look.put(address, data)

    def _name_of(self, address: int) -> str:
        slot = self._slots.get(address >> _SLOT_BITS)
        if slot is not None:
            return slot[1].register_name(address - slot[0])
        for known in self._board.chip.unmodelled:
            if known.base <= address < known.base + known.size:
                return known.register_name(address - known.base)
        core_register = CORE_REGISTERS.get(address & _WORD)
        if core_register is not None:
            return core_register
        return f"reserved address {address:#010x}"

    # ---- Bus: what devices ask for ----

    def now(self) -> int:
        """Virtual time in cycles."""
        return self._event_cycle if self._event_cycle is not None else self.cpu.now()

    def now_ns(self) -> int:
        """Virtual time in nanoseconds."""
        return self._timeline.to_ps(self.now()) * 10**9 // PICOSECONDS

    def schedule(self, delay_cycles: int, callback: Callable[[], None]) -> ScheduledEvent:
        """Call back after a number of core cycles."""
        event = self._queue.at_cycle(self.now() + max(1, delay_cycles), callback)
        if self._event_cycle is None:
            self._hurry(event)
        return event

    def schedule_ns(self, delay_ns: int, callback: Callable[[], None]) -> ScheduledEvent:
        """Call back after a time that does not depend on the core clock."""
        due_ps = self._timeline.to_ps(self.now()) + max(1, delay_ns) * (PICOSECONDS // 10**9)
        event = self._queue.at_ps(due_ps, callback)
        if self._event_cycle is None:
            self._hurry(event)
        return event

    def carry_on(self, event: Event, foreseen: Foreseen) -> Event:
        """Carry out what a device foresees after its event; the event to cancel from now on."""
        if not self._shared.fast_forward or self._event_cycle is None:
            return event
        if not isinstance(event, ScheduledEvent):
            return event
        memory = self._room_on_host(foreseen)
        return event if memory is None else self._trains.begin(event, foreseen, memory)

    def _room_on_host(self, foreseen: Foreseen) -> int | None:
        """Where on the host its bytes are, or go; None where not all of them may."""
        if isinstance(foreseen, ForeseenBytes):
            return self._on_host(foreseen.room.address, foreseen.count, written=False)
        ahead = foreseen.ahead
        if ahead.room is None:
            return 0
        start, size = ahead.room.address, ahead.copied * ahead.line_bytes
        if self.variables.passes_end(ahead.room.buffer, start + size):
            return None
        return self._on_host(start, size, written=True)

    def _on_host(self, address: int, size: int, *, written: bool) -> int | None:
        found = self._memories.get(address >> _TOP_BITS)
        if found is None:
            return None
        base, memory, writable = found
        offset = address - base
        fits = 0 <= offset <= memory.size - size and (writable or not written)
        return memory.address + offset if fits else None

    def dma_room(self, request: str) -> DmaRoom | None:
        """Where the stream that listens to a request stands, if nothing but that will change."""
        return self.devices.dma_room(request)

    def look_again(self) -> None:
        """Nothing is foreseen any more."""
        self._trains.withdraw()

    def settle(self) -> None:
        """Every device is as if it had carried out all its events itself, and will do so."""
        self._trains.withdraw()

    def _hurry(self, event: ScheduledEvent) -> None:
        """The running slice must end in time; after an event the run loop sees to that."""
        if event.due < self._shared.next_event:
            self.cpu.set_next_event(event.due)

    def read_had_effect(self) -> None:
        """What was remembered of device registers is no longer true."""
        self._shared.effects += 1

    def set_irq(self, irq: int, asserted: bool) -> None:
        """Drive an interrupt line; one that devices share is asserted while any of them asserts."""
        if irq in self._shared_irqs:
            self._shared_irqs[irq] += 1 if asserted else -1
            asserted = self._shared_irqs[irq] > 0
        self.cpu.set_line(irq + 16, asserted)

    def set_exti(self, line: int, level: bool) -> None:
        """Drive an EXTI input line."""
        self.devices.exti.set_line(line, level)

    def send_event(self) -> None:
        """Wake a core that waits for an event."""
        self.cpu.send_event()

    def dma_request(self, request: str, units: int = 1) -> int:
        """Raise a DMA request line."""
        return self.devices.dma_request(request, units)

    def dma_end(self, request: str) -> None:
        """End the stream that a device controls."""
        self.devices.dma_end(request)

    def memory_read(self, address: int, size: int) -> bytes:
        """Read memory as a bus master."""
        found = self._memories.get(address >> _TOP_BITS)
        if found is not None:
            base, memory, _ = found
            offset = address - base
            if offset >= 0 and offset + size <= memory.size:
                return bytes(memory.view[offset : offset + size])
        external = self.devices.external_at(address)
        if external is not None:
            return external.read(address, size).to_bytes(size, "little")
        raise BusFault(f"no memory at {address:#010x}, {size} bytes")

    def memory_write(self, address: int, data: bytes, buffer: int | None = None) -> None:
        """Write RAM as a bus master."""
        if buffer is not None and self.variables.passes_end(buffer, address + len(data)):
            for text in self.variables.overwritten(buffer, address, len(data)):
                self.report(Check.DMA_PAST_SYMBOL, "DMA", text)
        found = self._memories.get(address >> _TOP_BITS)
        if found is not None:
            base, memory, writable = found
            offset = address - base
            if writable and offset >= 0 and offset + len(data) <= memory.size:
                memory.view[offset : offset + len(data)] = data
                return
        external = self.devices.external_at(address)
        if external is not None:
            self._write_external(external, address, data)
            return
        raise BusFault(f"no RAM at {address:#010x}, {len(data)} bytes")

    def _write_external(self, target: MemoryTarget, address: int, data: bytes) -> None:
        """As the bus behind the memory controller takes it: by bytes or by halfwords."""
        width = self.devices.external_width(address)
        for start in range(0, len(data), width):
            item = data[start : start + width]
            target.write(address + start, len(item), int.from_bytes(item, "little"))

    def device_at(self, address: int) -> tuple[Peripheral, int] | None:
        """The device at an address, and the offset in it."""
        slot = self._slots.get(address >> _SLOT_BITS)
        return None if slot is None else (slot[1], address - slot[0])

    def clocks(self) -> Clocks:
        """The clock tree in force."""
        return self._clocks

    def set_clocks(self, clocks: Clocks) -> None:
        """The RCC changed the tree."""
        self._trains.withdraw()
        self._clocks = clocks
        if clocks.hclk_hz != self._timeline.hz:
            self._timeline.set_hz(self.now(), clocks.hclk_hz)
            self._queue.clock_changed()
            self.cpu.set_next_event(self._queue.next_due(NEVER))

    def request_reset(self, cause: str) -> None:
        """Reset at the next block."""
        self._reset_cause = cause
        self._shared.reset_requested = 1
        self._shared.deadline = 0

    def log_unmodelled(self, register: str, access: str) -> None:
        """Say once that a register is not modelled; an error when strict."""
        where = f"{register} is not modelled ({access})"
        device, pc = register.partition("_")[0], self.cpu.place()
        self.report(Check.UNMODELLED, device, f"{register} is not modelled", pc)
        if self._strict:
            raise StrictError(f"{where}, at pc {pc:#010x}")
        self.say_once(where)

    def report(self, check: Check, device: str, text: str, pc: int | None = None) -> None:
        """Note what the chip would not have carried, once for each text; `pc`: not the core's."""
        if (check, text) in self._reported:
            return
        self._reported.add((check, text))
        pc = self.cpu.place() if pc is None else pc
        time_us = self._timeline.to_ps(self.now()) / 1e6
        self.findings.append(Finding(check.value, check.grade, device, pc, time_us, text))

    def say_once(self, message: str) -> None:
        """Add to the log what was not said before."""
        key = message.split(" (")[0]
        if key not in self._said:
            self._said.add(key)
            self.log.append(message)


class _Flash:
    """Implements `FlashCells` on the core's memory."""

    def __init__(self, machine: Machine, area: MemoryArea) -> None:
        self._machine, self.area = machine, area
        self.base, self.size = area.base, area.size

    def read(self, address: int, size: int) -> bytes:
        return self._machine.cpu.read(address, size)

    def write(self, address: int, data: bytes) -> None:
        self._machine.cpu.write(address, data)

    def stall(self, cycles: int) -> None:
        if self.area.holds(self._machine.cpu.shared.pc):
            self._machine.cpu.stall(cycles)


def _runs(pages: list[int]) -> list[tuple[int, int]]:
    """Adjacent pages joined: (start, size)."""
    runs: list[tuple[int, int]] = []
    for page in pages:
        if runs and runs[-1][0] + runs[-1][1] == page:
            runs[-1] = (runs[-1][0], runs[-1][1] + _PAGE)
        else:
            runs.append((page, _PAGE))
    return runs
