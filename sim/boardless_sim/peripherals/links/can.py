"""bxCAN: mailboxes, filters and FIFOs, on a bus where nobody else is (RM0090 chapter 32).

In loop-back a frame is received by the controller that sent it. Without it nobody acknowledges,
and the error counter goes up as on a cable that ends nowhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

MCR, MSR, TSR, RF0R, RF1R, IER, ESR, BTR = range(0x00, 0x20, 4)
TI0R, RI0R = 0x180, 0x1B0
FMR, FM1R, FS1R, FFA1R, FA1R, F0R1 = 0x200, 0x204, 0x20C, 0x214, 0x21C, 0x240
MCR_INRQ, MCR_SLEEP, MCR_RFLM, MCR_NART, MCR_RESET = 1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 15
MSR_INAK, MSR_SLAK, MSR_ERRI = 1 << 0, 1 << 1, 1 << 2
TSR_RQCP0, TSR_TXOK0, TSR_TERR0, TSR_ABRQ0, TSR_TME0 = 1 << 0, 1 << 1, 1 << 3, 1 << 7, 1 << 26
RFR_FMP, RFR_FULL, RFR_FOVR, RFR_RFOM = 3, 1 << 3, 1 << 4, 1 << 5
BTR_LBKM, BTR_SILM = 1 << 30, 1 << 31
IER_TMEIE, IER_FMPIE0, IER_FMPIE1, IER_ERRIE = 1 << 0, 1 << 1, 1 << 4, 1 << 15
_IER_FIFO = (0x0E, 0x70)  # FMPIE, FFIE, FOVIE of FIFO 0 and 1
TIR_TXRQ, TIR_RTR, TIR_IDE = 1 << 0, 1 << 1, 1 << 2
_MAILBOXES, _FIFO_DEPTH, _BANKS = 3, 3, 28
_ACK_ERROR, _PASSIVE, _OFF_LIMIT = 3, 128, 248
_OVERHEAD_BITS, _EXTENDED_BITS = 47, 20  # of a frame without data; stuffing is not counted


@dataclass(frozen=True)
class CanFrame:
    """A frame: TIxR without TXRQ, the length, the data."""

    identity: int
    length: int
    low: int
    high: int


class Can(ApbPeripheral):
    """One controller. `first` of a pair has the filter banks of both (section 32.7.4)."""

    layout: ClassVar[Mapping[int, Register]] = {
        MCR: Register("MCR", 0x1_0002, 0x1_00FF), MSR: Register("MSR", 0xC02, 0),
        TSR: Register("TSR", 0x1C00_0000, 0), RF0R: Register("RF0R", 0, 0),
        RF1R: Register("RF1R", 0, 0), IER: Register("IER", 0, 0x3_8F7F),
        ESR: Register("ESR", 0, 0x70), BTR: Register("BTR", 0x0123_0000, 0xC37F_03FF),
        **{TI0R + 0x10 * n + at: Register(f"T{name}{n}R")
           for n in range(3) for at, name in ((0, "I"), (4, "DT"), (8, "DL"), (12, "DH"))},
        **{RI0R + 0x10 * n + at: Register(f"R{name}{n}R", 0, 0)
           for n in range(2) for at, name in ((0, "I"), (4, "DT"), (8, "DL"), (12, "DH"))},
        FMR: Register("FMR", 0x2A1C_0E01, 0x3F01), FM1R: Register("FM1R", 0, 0x0FFF_FFFF),
        FS1R: Register("FS1R", 0, 0x0FFF_FFFF), FFA1R: Register("FFA1R", 0, 0x0FFF_FFFF),
        FA1R: Register("FA1R", 0, 0x0FFF_FFFF),
        **{F0R1 + 8 * n + 4 * half: Register(f"F{n}R{half + 1}")
           for n in range(_BANKS) for half in range(2)},
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str, *irqs: int) -> None:
        """`irqs`: transmit, FIFO 0, FIFO 1, status change and error."""
        self._lines = tuple(IrqLine(self, irq) for irq in irqs)
        self._sending, self._changing = Delay(self), Delay(self)
        super().__init__(name)
        self.first: Can | None = None

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._fifos: tuple[deque[tuple[CanFrame, int]], ...] = (deque(), deque())
        self._overrun = [0, 0]
        self._errors = 0
        self._sending.cancel()
        self._changing.cancel()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """A frame on its way stands still without a clock."""
        super().clock(on)
        self._sending.clock(on)
        self._changing.clock(on)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; a FIFO shows its oldest frame."""
        if offset in (RF0R, RF1R):
            return self._fifo_status(int(offset == RF1R))
        if RI0R <= offset < RI0R + 0x20:
            fifo = self._fifos[(offset - RI0R) >> 4]
            return _mailbox_word(*fifo[0], offset & 0xC) if fifo else 0
        if offset == ESR:
            passive = 2 if self._errors >= _PASSIVE else 0
            warning = 1 if self._errors >= 96 else 0
            return super().read_word(ESR) | self._errors << 16 | passive | warning
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == TSR:
            self._write_transmit_status(value)
        elif offset in (RF0R, RF1R):
            self._write_fifo(int(offset == RF1R), value)
        elif offset == MSR:
            self.values[MSR] &= ~(value & 0x1C)
        elif offset == MCR and value & MCR_RESET:
            self.reset_values()
        elif offset == BTR and not self.values[MSR] & MSR_INAK:
            return  # written in initialisation mode only
        else:
            self.store(offset, value)
            if offset == MCR:
                self._changing.start(self._bit_cycles() or 1, self._mode_changed)
            elif offset in range(TI0R, TI0R + 0x30, 0x10) and value & TIR_TXRQ:
                self.values[TSR] &= ~(TSR_TME0 << ((offset - TI0R) >> 4))
            self._send_next()
        self._update_irq()

    def _mode_changed(self) -> None:
        """INAK and SLAK follow INRQ and SLEEP (section 32.4)."""
        control = self.values[MCR]
        acknowledged = MSR_INAK if control & MCR_INRQ else MSR_SLAK if control & MCR_SLEEP else 0
        self.values[MSR] = self.values[MSR] & ~(MSR_INAK | MSR_SLAK) | acknowledged
        if control & MCR_INRQ:
            self._errors = 0
        self._send_next()

    # Transmission (section 32.7.1)

    def _bit_cycles(self) -> int:
        timing, clocks = self.values[BTR], self.bus.clocks()
        quanta = 3 + (timing >> 16 & 0xF) + (timing >> 20 & 7)
        pclk_cycles = quanta * ((timing & 0x3FF) + 1)
        return pclk_cycles * max(clocks.hclk_hz // clocks.pclk1_hz, 1)

    def _pending(self) -> list[int]:
        """Mailboxes that wait, the one with the lowest identifier first."""
        waiting = [n for n in range(_MAILBOXES) if self.values[TI0R + 0x10 * n] & TIR_TXRQ]
        return sorted(waiting, key=lambda n: self.values[TI0R + 0x10 * n] >> 3)

    def _send_next(self) -> None:
        ready = not self.values[MSR] & (MSR_INAK | MSR_SLAK)
        waiting = self._pending()
        if not ready or not waiting or self._sending.waiting or self._errors >= _OFF_LIMIT:
            return
        self._mailbox = waiting[0]
        base = TI0R + 0x10 * self._mailbox
        length = min(self.values[base + 4] & 0xF, 8)
        extended = _EXTENDED_BITS if self.values[base] & TIR_IDE else 0
        bits = _OVERHEAD_BITS + extended + 8 * length
        self._sending.start(bits * self._bit_cycles(), self._sent)

    def _sent(self) -> None:
        number, base = self._mailbox, TI0R + 0x10 * self._mailbox
        loops = bool(self.values[BTR] & BTR_LBKM)
        if not loops:
            self._fail()
        if loops or self.values[MCR] & MCR_NART:
            self.values[base] &= ~TIR_TXRQ
            flags = TSR_RQCP0 | (TSR_TXOK0 if loops else TSR_TERR0)
            self.values[TSR] |= flags << 8 * number | TSR_TME0 << number
        if loops:
            at = self.values
            length = min(at[base + 4] & 0xF, 8)
            self.receive(CanFrame(at[base] & ~TIR_TXRQ, length, at[base + 8], at[base + 12]))
        self._send_next()
        self._update_irq()

    def _fail(self) -> None:
        """Nobody acknowledges: 8 points, up to the passive limit (section 32.7.6)."""
        self._errors = min(self._errors + 8, _PASSIVE)
        self.values[ESR] = self.values[ESR] & ~0x70 | _ACK_ERROR << 4
        self.values[MSR] |= MSR_ERRI

    def _write_transmit_status(self, value: int) -> None:
        for number in range(_MAILBOXES):
            if value & TSR_RQCP0 << 8 * number:
                self.values[TSR] &= ~(0xF << 8 * number)
            if value & TSR_ABRQ0 << 8 * number:
                self._abort(number)

    def _abort(self, number: int) -> None:
        base = TI0R + 0x10 * number
        if not self.values[base] & TIR_TXRQ:
            return
        if self._sending.waiting and self._mailbox == number:
            self._sending.cancel()
        self.values[base] &= ~TIR_TXRQ
        self.values[TSR] |= TSR_RQCP0 << 8 * number | TSR_TME0 << number
        self._send_next()

    # Reception (sections 32.7.3 and 32.7.4)

    def receive(self, frame: CanFrame) -> None:
        """A frame from the bus goes to the FIFO of the first filter that lets it through."""
        filters = self.first or self
        banks = filters.values[FMR] >> 8 & 0x3F
        own = range(banks, _BANKS) if self.first is not None else range(min(banks, _BANKS))
        for bank in own:
            if filters.values[FA1R] >> bank & 1 and filters.passes(bank, frame):
                self._store(filters.values[FFA1R] >> bank & 1, frame, bank)
                break
        self._update_irq()

    def passes(self, bank: int, frame: CanFrame) -> bool:
        """Whether a bank matches: one of 32 bits or two of 16; a mask or a list of identifiers."""
        pair = (self.values[F0R1 + 8 * bank], self.values[F0R1 + 8 * bank + 4])
        by_list = bool(self.values[FM1R] >> bank & 1)
        if self.values[FS1R] >> bank & 1:
            if by_list:
                return frame.identity in pair
            return not (frame.identity ^ pair[0]) & pair[1] & ~1
        short = _short_form(frame.identity)
        halves = [(word & 0xFFFF, word >> 16) for word in pair]
        if by_list:
            return any(short in half for half in halves)
        return any(not (short ^ identity) & mask for identity, mask in halves)

    def _store(self, number: int, frame: CanFrame, bank: int) -> None:
        fifo = self._fifos[number]
        if len(fifo) == _FIFO_DEPTH:
            self._overrun[number] = RFR_FOVR
            if self.values[MCR] & MCR_RFLM:
                return
            fifo.pop()
        fifo.append((frame, bank))

    def _fifo_status(self, number: int) -> int:
        count = len(self._fifos[number])
        return count | (RFR_FULL if count == _FIFO_DEPTH else 0) | self._overrun[number]

    def _write_fifo(self, number: int, value: int) -> None:
        if value & RFR_FOVR:
            self._overrun[number] = 0
        if value & RFR_RFOM and self._fifos[number]:
            self._fifos[number].popleft()

    def _update_irq(self) -> None:
        enables = self.values[IER]
        sent = self.values[TSR] & 0x0001_0101 and enables & IER_TMEIE
        levels = [bool(sent)]
        for number in (0, 1):
            status = self._fifo_status(number)
            flags = bool(status & RFR_FMP) << 1 | (status & (RFR_FULL | RFR_FOVR)) >> 1
            levels.append(bool(flags << 3 * number & enables & _IER_FIFO[number]))
        levels.append(bool(self.values[MSR] & MSR_ERRI and enables & IER_ERRIE))
        for line, level in zip(self._lines, levels, strict=True):
            line.drive(level)


def _mailbox_word(frame: CanFrame, bank: int, offset: int) -> int:
    """RIxR, RDTxR, RDLxR or RDHxR."""
    return (frame.identity, frame.length | bank << 8, frame.low, frame.high)[offset >> 2]


def _short_form(identity: int) -> int:
    """STDID[10:0], RTR, IDE, EXID[17:15], as a filter of 16 bits has them."""
    return (
        identity >> 21 << 5 | (identity & TIR_RTR) << 3 | (identity & TIR_IDE) << 1
        | identity >> 18 & 7
    )  # fmt: skip
