"""I2C: the bus master, event by event in SCL-true time (RM0090 chapter 27)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import ClassVar, Protocol

from boardless_sim.finding import Check
from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CR1, CR2, OAR1, OAR2, DR = 0x00, 0x04, 0x08, 0x0C, 0x10
SR1, SR2, CCR, TRISE, FLTR = 0x14, 0x18, 0x1C, 0x20, 0x24

CR1_PE, CR1_START, CR1_STOP, CR1_ACK = 1 << 0, 1 << 8, 1 << 9, 1 << 10
CR1_POS, CR1_SWRST = 1 << 11, 1 << 15
CR2_ITERREN, CR2_ITEVTEN, CR2_ITBUFEN = 1 << 8, 1 << 9, 1 << 10
CR2_DMAEN, CR2_LAST = 1 << 11, 1 << 12
SR1_SB, SR1_ADDR, SR1_BTF, SR1_ADD10, SR1_STOPF = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
SR1_RXNE, SR1_TXE, SR1_BERR, SR1_ARLO, SR1_AF = 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
SR1_OVR, SR1_TIMEOUT = 1 << 11, 1 << 14
SR2_MSL, SR2_BUSY, SR2_TRA = 1 << 0, 1 << 1, 1 << 2
CCR_FS, CCR_DUTY = 1 << 15, 1 << 14

_SR1_ERRORS = 0xDF00  # cleared by writing 0
_EVENTS = SR1_SB | SR1_ADDR | SR1_BTF | SR1_ADD10 | SR1_STOPF
_CR1_UNMODELLED = 0x703A  # ALERT, PEC, ENPEC, ENARP, SMBTYPE, SMBUS


class I2cTarget(Protocol):
    """A device on the I2C bus, at a 7-bit address."""

    address: int

    def start(self, read: bool) -> bool:
        """Addressed after a start or repeated start; true acknowledges."""

    def write(self, byte: int) -> bool:
        """A byte from the master; true acknowledges."""

    def read(self) -> int:
        """The next byte for the master."""

    def stop(self) -> None:
        """The stop condition."""


class _Phase(Enum):
    IDLE = auto()
    STARTING = auto()
    ADDRESSING = auto()  # from SB to the address acknowledge
    REFUSED = auto()  # the target did not acknowledge: stop or start again
    WRITING = auto()
    READING = auto()
    STOPPING = auto()


_STOPPABLE = (_Phase.ADDRESSING, _Phase.REFUSED, _Phase.WRITING, _Phase.READING)


class I2c(ApbPeripheral):
    """One I2C in master mode, 7-bit addresses. It stretches the clock as the real one does."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR1: Register("CR1", 0, 0xBFFB), CR2: Register("CR2", 0, 0x1F3F),
        OAR1: Register("OAR1", 0, 0xC3FF), OAR2: Register("OAR2", 0, 0xFF),
        DR: Register("DR", 0, 0),
        SR1: Register("SR1", 0, 0), SR2: Register("SR2", 0, 0), CCR: Register("CCR", 0, 0xCFFF),
        TRISE: Register("TRISE", 2, 0x3F), FLTR: Register("FLTR", 0, 0x1F),
    }  # fmt: skip
    # Reading SR1 or SR2 twice is reading it once.
    stable = frozenset({CR1, CR2, OAR1, OAR2, SR1, SR2, CCR, TRISE, FLTR})

    def __init__(self, name: str, event_irq: int, error_irq: int) -> None:
        self._event_line = IrqLine(self, event_irq)
        self._error_line = IrqLine(self, error_irq)
        self._targets: dict[int, I2cTarget] = {}
        self._delay = Delay(self)
        self._stalled: Callable[[], None] | None = None  # waits for the lines
        super().__init__(name)
        self.held_low: Callable[[], bool] = lambda: False

    def connect(self, target: I2cTarget) -> None:
        """Put a device on the bus."""
        self._targets[target.address] = target

    def lose_arbitration(self) -> None:
        """Another master wins the bus: this one is no longer master (ARLO)."""
        self._release()
        self.values[SR1] |= SR1_ARLO
        self._update_irq()

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._phase = _Phase.IDLE
        self._target: I2cTarget | None = None
        self._to_send: int | None = None  # DR, when full
        self._received: int | None = None  # the shift register, when it waits for DR
        self._cancel()
        self._sr1_was_read = False
        self._acknowledge_next = True
        self._refused_last = False  # the last byte read was not acknowledged

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """A byte on its way stands still without a clock."""
        super().clock(on)
        self._delay.clock(on)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset == SR1:
            self._sr1_was_read = True
            return self.values[SR1]
        if offset == SR2:
            return self._read_sr2()
        if offset == DR:
            return self._read_data()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DR:
            self._write_data(value & 0xFF)
        elif offset == SR1:
            self.values[SR1] &= value | ~_SR1_ERRORS
        elif offset == CR1:
            self._write_cr1(value)
        else:
            self.store(offset, value)
            if offset == CR2:
                if value & CR2_LAST:
                    self.unmodelled_write(offset, value)
                self._request_dma()
        self._update_irq()

    def dma_listening(self, request: str) -> None:
        """Raise the requests that stand."""
        self._request_dma()

    def _write_cr1(self, value: int) -> None:
        if value & CR1_SWRST:
            self.reset_values()
            self.values[CR1] = CR1_SWRST
            return
        if value & _CR1_UNMODELLED:
            self.unmodelled_write(CR1, value)
        self.store(CR1, value)
        if not value & CR1_PE:
            self._release()
        elif not self._in_progress:
            self._serve_conditions()

    def _read_sr2(self) -> int:
        value = self.values[SR2]
        if self.values[CR1] & CR1_PE and self.held_low():
            value |= SR2_BUSY  # a low line is a busy bus (section 27.6.7)
        if self._sr1_was_read and self.values[SR1] & SR1_ADDR:
            self.values[SR1] &= ~SR1_ADDR
            self.bus.read_had_effect()
            self._begin_data()
            self._update_irq()
        return value

    # Conditions on the bus

    @property
    def _in_progress(self) -> bool:
        return self._delay.waiting or self._stalled is not None

    def _serve_conditions(self) -> bool:
        """Start or stop, if asked for and the bus is between bytes."""
        control = self.values[CR1]
        if control & CR1_START and self._phase is not _Phase.STARTING:
            self._phase = _Phase.STARTING
            self._wait(self._bit_cycles(1), self._started)
            return True
        stretched = self.values[SR1] & SR1_ADDR  # a stop waits until ADDR is cleared
        if control & CR1_STOP and self._phase in _STOPPABLE and not stretched:
            self._phase = _Phase.STOPPING
            self._wait(self._bit_cycles(1), self._stopped)
            return True
        return False

    def _started(self) -> None:
        self.values[CR1] &= ~CR1_START
        self.values[SR2] = SR2_MSL | SR2_BUSY
        self.values[SR1] = (self.values[SR1] & ~(SR1_TXE | SR1_BTF | SR1_ADDR)) | SR1_SB
        self._to_send = None
        self._phase = _Phase.ADDRESSING
        self._update_irq()

    def _stopped(self) -> None:
        self.values[CR1] &= ~CR1_STOP
        if self._target is not None:
            self._target.stop()
        self._release()
        self._serve_conditions()
        self._update_irq()

    def _release(self) -> None:
        """The bus is free; received bytes that nobody read yet stay."""
        self._cancel()
        self._phase = _Phase.IDLE
        self._target = None
        self._to_send = None
        self.values[SR2] = 0
        self.values[SR1] &= ~(SR1_SB | SR1_ADDR | SR1_TXE)
        if self._received is None:
            self.values[SR1] &= ~SR1_BTF

    def _write_data(self, byte: int) -> None:
        after_sr1, self._sr1_was_read = self._sr1_was_read, False
        if self.values[SR1] & SR1_SB and after_sr1:
            self.values[SR1] &= ~SR1_SB
            self._wait(self._bit_cycles(9), lambda: self._addressed(byte))
        elif self._phase is _Phase.WRITING:
            self.values[SR1] &= ~SR1_BTF
            if not self._in_progress and not self.values[SR1] & SR1_ADDR:
                self._send(byte)
            else:
                self._to_send = byte
                self.values[SR1] &= ~SR1_TXE

    def _addressed(self, byte: int) -> None:
        read = bool(byte & 1)
        self._target = self._targets.get(byte >> 1) if self._reaches_the_bus() else None
        if self._target is None or not self._target.start(read):
            self.values[SR1] |= SR1_AF
            self._phase = _Phase.REFUSED
            self._serve_conditions()
        else:
            # As transmitter DR is empty already: EV6 with TXE is what drivers wait for (27.3.3).
            self.values[SR1] |= SR1_ADDR if read else SR1_ADDR | SR1_TXE
            self._sr1_was_read = False  # what counts is a read that saw ADDR
            self.values[SR2] |= 0 if read else SR2_TRA
            self._phase = _Phase.READING if read else _Phase.WRITING
        self._update_irq()

    def _reaches_the_bus(self) -> bool:
        """Whether both lines have a pin, and one that lets a target pull it low."""
        for signal in ("SCL", "SDA"):
            if signal not in self.signals:
                text = f"no pin is in the alternate function {self.name}_{signal}"
            elif f"{signal} open drain" not in self.signals:
                text = f"{self.name}_{signal} is push-pull, and the bus needs open drain"
            else:
                continue
            self.bus.report(Check.PIN_FUNCTION, self.name, f"{self.name} addresses: {text}")
            return False
        return True

    def _begin_data(self) -> None:
        """ADDR was cleared: the clock is no longer stretched."""
        if self._phase is _Phase.WRITING:
            self.values[SR1] |= SR1_TXE
            waiting, self._to_send = self._to_send, None
            if waiting is not None:
                self._send(waiting)
            if not self._serve_conditions():
                self._request_dma()
        elif self._phase is _Phase.READING:
            self._acknowledge_next = True
            self._refused_last = False
            self._wait(self._bit_cycles(9), self._byte_received)

    # Writing

    def _send(self, byte: int) -> None:
        self._wait(self._bit_cycles(9), lambda: self._byte_sent(byte))

    def _byte_sent(self, byte: int) -> None:
        if self._target is None or not self._target.write(byte):
            self.values[SR1] = (self.values[SR1] | SR1_AF) & ~SR1_TXE
            self._to_send = None
            self._phase = _Phase.REFUSED
        elif self._to_send is not None:
            waiting, self._to_send = self._to_send, None
            self._send(waiting)
            self.values[SR1] |= SR1_TXE
        if not self._in_progress and not self._serve_conditions() and self._phase is _Phase.WRITING:
            self.values[SR1] |= SR1_BTF
        self._request_dma()
        self._update_irq()

    # Reading

    def _byte_received(self) -> None:
        assert self._target is not None
        byte = self._target.read() & 0xFF
        control = self.values[CR1]
        # With POS the ACK bit speaks of the next byte, without it of this one (section 27.6.1).
        acknowledge = self._acknowledge_next if control & CR1_POS else bool(control & CR1_ACK)
        self._acknowledge_next = bool(control & CR1_ACK)
        self._refused_last = not acknowledge
        if self.values[SR1] & SR1_RXNE:
            self._received = byte
            self.values[SR1] |= SR1_BTF
        else:
            self.values[DR] = byte
            self.values[SR1] |= SR1_RXNE
        self._continue_reading()
        self._request_dma()
        self._update_irq()

    def _continue_reading(self) -> None:
        stretched = self._received is not None
        if self._serve_conditions() or stretched or self._refused_last:
            return
        self._wait(self._bit_cycles(9), self._byte_received)

    def _read_data(self) -> int:
        byte = self.values[DR]
        self.values[SR1] &= ~(SR1_RXNE | SR1_BTF)
        if self._received is not None:
            self.values[DR], self._received = self._received, None
            self.values[SR1] |= SR1_RXNE
            if self._phase is _Phase.READING and not self._in_progress:
                self._continue_reading()
        self._update_irq()
        return byte

    # Timing, requests, interrupts

    def _bit_cycles(self, bits: int) -> int:
        """Core cycles of `bits` periods of SCL."""
        ccr = self.values[CCR]
        periods = 2 if not ccr & CCR_FS else 25 if ccr & CCR_DUTY else 3
        clocks = self.bus.clocks()
        return max(1, bits * periods * (ccr & 0xFFF) * (clocks.hclk_hz // clocks.pclk1_hz))

    def _wait(self, cycles: int, then: Callable[[], None]) -> None:
        self._delay.start(cycles, lambda: self._when_free(then))

    def _when_free(self, then: Callable[[], None]) -> None:
        """Somebody who holds a line low stretches the clock, or keeps the bus busy."""
        if self.held_low():
            self._stalled = then
        else:
            then()

    def lines_changed(self) -> None:
        """SCL or SDA was let go, perhaps."""
        then = self._stalled
        if then is not None and not self.held_low():
            self._stalled = None
            then()

    def _cancel(self) -> None:
        self._delay.cancel()
        self._stalled = None

    def _request_dma(self) -> None:
        for _ in range(2):  # one byte for the shift register, one for DR
            if not self.values[CR2] & CR2_DMAEN:
                return
            if self.values[SR1] & SR1_RXNE:
                request = f"{self.name}_RX"
            elif self.values[SR1] & SR1_TXE and self._phase is _Phase.WRITING:
                request = f"{self.name}_TX"
            else:
                return
            if not self.bus.dma_request(request):
                return

    def _update_irq(self) -> None:
        status, control = self.values[SR1], self.values[CR2]
        buffer = SR1_RXNE | SR1_TXE if control & CR2_ITBUFEN else 0
        self._event_line.drive(bool(control & CR2_ITEVTEN and status & (_EVENTS | buffer)))
        self._error_line.drive(bool(control & CR2_ITERREN and status & _SR1_ERRORS))
