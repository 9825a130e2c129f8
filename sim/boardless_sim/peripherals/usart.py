"""USART: asynchronous serial port in baud-true time (RM0090 chapter 30)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from boardless_sim.finding import Check
from boardless_sim.foreseen import DmaRoom, ForeseenBytes
from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.peripheral import Clocks
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

SR, DR, BRR, CR1, CR2, CR3, GTPR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18

SR_PE, SR_FE, SR_NF, SR_ORE, SR_IDLE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
SR_RXNE, SR_TC, SR_TXE, SR_LBD, SR_CTS = 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9
CR1_SBK, CR1_RWU, CR1_RE, CR1_TE, CR1_IDLEIE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
CR1_RXNEIE, CR1_TCIE, CR1_TXEIE, CR1_PEIE = 1 << 5, 1 << 6, 1 << 7, 1 << 8
CR1_PCE, CR1_M, CR1_UE, CR1_OVER8 = 1 << 10, 1 << 12, 1 << 13, 1 << 15
CR2_LINEN, CR3_IREN, CR3_SCEN = 1 << 14, 1 << 1, 1 << 5
CR3_EIE, CR3_DMAR, CR3_DMAT = 1 << 0, 1 << 6, 1 << 7
_UNMODELLED = {
    CR1: CR1_SBK | CR1_RWU,
    CR2: 1 << 14 | 1 << 11 | 1 << 6,  # LINEN, CLKEN, LBDIE
    CR3: 1 << 9 | 1 << 5 | 1 << 3 | 1 << 1,  # CTSE, SCEN, HDSEL, IREN
}

# What terminals and modules are set to, and how far off a receiver may be (RM0090 table 142).
USUAL_BAUDS = (
    300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 31250, 38400, 57600, 74880, 115200,
    128000, 230400, 250000, 460800, 500000, 576000, 921600, 1_000_000, 1_152_000, 1_500_000,
    2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000, 5_250_000, 6_000_000, 10_500_000,
)  # fmt: skip
TOLERANCE = 0.0375

_CLEARED_BY_READING = SR_PE | SR_FE | SR_NF | SR_ORE | SR_IDLE
_CLEARED_BY_ZERO = SR_CTS | SR_LBD | SR_TC | SR_RXNE
_BYTE, _LINE_END = 0xFF, 0x0A
_HALF_STOP_BITS = (2, 1, 4, 3)  # by CR2.STOP: 1, 0.5, 2, 1.5 bits


class Usart(ApbPeripheral):
    """One USART or UART in asynchronous mode, without hardware flow control.

    `on_transmit` is called with each word when its last bit left. `late_words` says how many may
    come later and together to `on_late`, none of them a line's end. `receive` is the far end: its
    bytes wait until the receiver is on, then arrive at the baud rate.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        SR: Register("SR", 0, 0), DR: Register("DR", 0, 0), BRR: Register("BRR", 0, 0xFFFF),
        CR1: Register("CR1", 0, 0xBFFF), CR2: Register("CR2", 0, 0x7F6F),
        CR3: Register("CR3", 0, 0x0FFF), GTPR: Register("GTPR", 0, 0xFFFF),
    }  # fmt: skip
    stable = frozenset({SR, BRR, CR1, CR2, CR3, GTPR})  # reading SR twice is reading it once

    def __init__(self, name: str, irq: int, *, on_apb2: bool = False) -> None:
        self._line = IrqLine(self, irq)
        self._on_apb2 = on_apb2
        self._tx_request, self._rx_request = f"{name}_TX", f"{name}_RX"
        self._arriving: deque[int] = deque()
        self._sending, self._arrival = Delay(self), Delay(self)
        super().__init__(name)
        self.console_baud: int | None = None  # at which the far end reads, where that is known
        self.on_transmit: Callable[[int], None] = lambda byte: None
        self.late_words: Callable[[], int] = lambda: 0
        self.on_late: Callable[[bytes], None] = lambda sent: None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._tx_data: int | None = None  # TDR, when full
        self._status = SR_TXE | SR_TC
        self._shifting = 0
        self._rx_data = 0
        self._heard = False
        self._sr_was_read = False
        self._timed_for: Clocks | None = None
        self._frame_cycles = 0
        self._baud_is_known = False
        self._data_mask = 0xFF
        self._transmitting = self._receiving = False  # enabled
        self._enabled_flags = 0
        self._overrun_interrupts = False
        self._sending.cancel()
        self._arrival.cancel()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """Words on their way stand still without a clock."""
        super().clock(on)
        self._sending.clock(on)
        self._arrival.clock(on)

    def receive(self, data: bytes) -> None:
        """Send bytes to this port from outside."""
        self._arriving.extend(data)
        self._await_arrival()

    def is_receiving(self) -> bool:
        """Whether the receiver is on and has a clock and a baud rate."""
        return self._receiving and self.clocked and self.frame_cycles() > 0

    def frame_cycles(self) -> int:
        """Core cycles of one word with its start, parity and stop bits; 0 while BRR is 0."""
        clocks = self.bus.clocks()
        if clocks is not self._timed_for:
            self._timed_for = clocks
            self._frame_cycles = self._compute_frame_cycles(clocks)
            self._baud_is_known = False
        return self._frame_cycles

    @property
    def baud(self) -> float:
        """Bits a second by BRR and the clock of the bus; 0 while BRR is 0 (section 30.3.4)."""
        bit_clocks = self._bit_clocks()
        clocks = self.bus.clocks()
        pclk_hz = clocks.pclk2_hz if self._on_apb2 else clocks.pclk1_hz
        return pclk_hz / bit_clocks if bit_clocks else 0.0

    def _bit_clocks(self) -> int:
        """Clocks of the APB in a bit: USARTDIV x 16, or x 8 with OVER8."""
        brr = self.values[BRR]
        return (brr >> 4) * 8 + (brr & 7) if self.values[CR1] & CR1_OVER8 else brr

    def _check_baud(self) -> None:
        """The far end reads at the console's rate, or at a usual one."""
        self._baud_is_known = True
        baud = self.baud
        rates = (self.console_baud,) if self.console_baud else USUAL_BAUDS
        nearest = min(rates, key=lambda rate: abs(rate - baud))
        if abs(baud - nearest) > TOLERANCE * nearest:
            other = "" if self.console_baud else " or another usual rate"
            text = f"{self.name} sends at {baud:.0f} baud, expected {nearest}{other}"
            self.bus.report(Check.BAUD, self.name, text)

    def write(self, offset: int, size: int, value: int) -> None:
        """Store a value at an offset, any width; the data register is short and often written."""
        if offset == DR:
            self._write_data(value)
        else:
            super().write(offset, size, value)

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset == SR:
            self._sr_was_read = True
            if self._status & SR_TC and self._sending.waiting:
                self.bus.look_again()  # the next word clears it
            return self._status
        if offset == DR:
            return self._read_data()
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == SR:
            self._status &= value | ~_CLEARED_BY_ZERO
            self._update_irq()
        else:
            self.store(offset, value)
            if self.values[CR2] & CR2_LINEN or self.values[CR3] & (CR3_SCEN | CR3_IREN):
                self.values[CR1] &= ~CR1_OVER8  # forced to 0 by hardware (section 30.6.4)
            if not self._heard:
                self.values[CR1] &= ~CR1_RWU  # mute mode needs a byte received before (30.6.4)
            self._configure(offset, value)

    def dma_listening(self, request: str) -> None:
        """Raise the requests that stand."""
        if request == self._tx_request:
            self._request_transmit()
        elif request == self._rx_request:
            self._request_receive()

    def _configure(self, offset: int, value: int) -> None:
        self._timed_for = None
        cr1 = self.values[CR1]
        self._transmitting = cr1 & (CR1_UE | CR1_TE) == CR1_UE | CR1_TE
        self._receiving = cr1 & (CR1_UE | CR1_RE) == CR1_UE | CR1_RE
        self._enabled_flags = cr1 & (CR1_TXEIE | CR1_TCIE | CR1_RXNEIE | CR1_IDLEIE)
        by_dma = self.values[CR3] & (CR3_EIE | CR3_DMAR) == CR3_EIE | CR3_DMAR
        self._overrun_interrupts = bool(cr1 & CR1_RXNEIE) or by_dma
        data_bits = (9 if cr1 & CR1_M else 8) - (1 if cr1 & CR1_PCE else 0)
        self._data_mask = (1 << data_bits) - 1
        if value & _UNMODELLED.get(offset, 0):
            self.unmodelled_write(offset, value)
        self._await_arrival()
        self._request_transmit()
        self._request_receive()
        self._update_irq()

    def _compute_frame_cycles(self, clocks: Clocks) -> int:
        cr1, bit_clocks = self.values[CR1], self._bit_clocks()
        if not bit_clocks:
            return 0
        half_bits = 2 * (10 if cr1 & CR1_M else 9) + _HALF_STOP_BITS[self.values[CR2] >> 12 & 3]
        pclk_hz = clocks.pclk2_hz if self._on_apb2 else clocks.pclk1_hz
        return max(1, bit_clocks * half_bits * (clocks.hclk_hz // pclk_hz) // 2)

    # Transmitter

    def _write_data(self, value: int) -> None:
        if self._sr_was_read:
            self._sr_was_read = False
            self._status &= ~SR_TC
        if self._transmitting:
            if not self._sending.waiting:
                self._shift_out(value)
            else:
                self._tx_data = value
                self._status &= ~SR_TXE
        self._update_irq()

    def _shift_out(self, value: int) -> None:
        self._shifting = value & self._data_mask
        cycles = self.frame_cycles()
        if cycles:
            if not self._baud_is_known:
                self._check_baud()
            self._sending.start(cycles, self._shifted_out)

    def _shifted_out(self) -> None:
        sent = self._shifting
        if self._tx_data is not None:
            waiting, self._tx_data = self._tx_data, None
            self._status |= SR_TXE
            self._shift_out(waiting)
        self._request_transmit()
        if not self._sending.waiting:
            self._status |= SR_TC
        self._update_irq()
        if "TX" in self.signals:
            self.on_transmit(sent)
            self._foresee()
        else:
            self._report_no_pin("TX", "sends")

    def _foresee(self) -> None:
        """While DMA feeds the transmitter, a word follows the other and no flag changes."""
        waiting = self._tx_data
        if waiting is None or self._sr_was_read or self._data_mask < _BYTE:
            return
        late = self.late_words()
        if not late or not self.values[CR3] & CR3_DMAT or not self._transmitting:
            return
        room = self.bus.dma_room(self._tx_request)
        if room is None or room.to_memory or room.unit_bytes != 1 or room.device is not self:
            return
        count = min(late, room.units)
        if count > 0 and self._shifting <= _BYTE and waiting <= _BYTE:
            self._sending.carry_on(
                ForeseenBytes(
                    self._shifting,
                    waiting,
                    _LINE_END,
                    count,
                    self.frame_cycles(),
                    room,
                    partial(self._were_sent, room),
                )
            )

    def _were_sent(self, room: DmaRoom, sent: bytes, shifting: int, waiting: int, due: int) -> None:
        """The board sent these for the device, and fetched as many."""
        room.advance(len(sent))
        self._shifting, self._tx_data = shifting, waiting
        self._sr_was_read = False
        self._sending.move_to(due)
        self.on_late(sent)

    def _request_transmit(self) -> None:
        if self.values[CR3] & CR3_DMAT and self._transmitting and self.values[BRR]:
            for _ in range(2):  # one word for the shift register, one for DR
                if not self._status & SR_TXE or not self.bus.dma_request(self._tx_request):
                    return

    # Receiver

    def _await_arrival(self) -> None:
        if self._arriving and not self._arrival.waiting and self._receiving and self.frame_cycles():
            self._arrival.start(self.frame_cycles(), self._arrived)

    def _arrived(self) -> None:
        if not self._receiving:
            return
        if not self._arriving:  # a whole frame time without a start bit
            self._status |= SR_IDLE
            self._update_irq()
            return
        word = self._arriving.popleft()
        if "RX" not in self.signals:  # the line at the receiver stays high
            self._report_no_pin("RX", "is sent to")
            self._await_arrival()
            return
        self._heard = True
        if self._status & SR_RXNE:
            self._status |= SR_ORE  # the word in DR stays, the new one is lost
        else:
            self._rx_data = word & self._data_mask
            self._status |= SR_RXNE
        self._arrival.start(self.frame_cycles(), self._arrived)
        self._request_receive()
        self._update_irq()

    def _report_no_pin(self, signal: str, does: str) -> None:
        text = f"{self.name} {does}, and no pin is in the alternate function {self.name}_{signal}"
        self.bus.report(Check.PIN_FUNCTION, self.name, text)

    def _read_data(self) -> int:
        cleared = SR_RXNE
        if self._sr_was_read:
            self._sr_was_read = False
            cleared |= _CLEARED_BY_READING
        self._status &= ~cleared
        self._update_irq()
        return self._rx_data

    def _request_receive(self) -> None:
        if self.values[CR3] & CR3_DMAR and self._status & SR_RXNE:
            self.bus.dma_request(self._rx_request)

    def _update_irq(self) -> None:
        # TXE, TC, RXNE and IDLE stand at the places of their enable bits.
        asserted = self._status & self._enabled_flags
        if self._status & SR_ORE:
            asserted |= self._overrun_interrupts
        self._line.drive(asserted != 0)
