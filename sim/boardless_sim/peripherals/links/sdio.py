"""SDIO: commands and data to a card, in the time of its clock (RM0090 chapter 31)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

POWER, CLKCR, ARG, CMD, RESPCMD, RESP1 = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
DTIMER, DLEN, DCTRL, DCOUNT, STA, ICR, MASK, FIFOCNT, FIFO = (
    0x24, 0x28, 0x2C, 0x30, 0x34, 0x38, 0x3C, 0x48, 0x80,
)  # fmt: skip
POWER_ON = 3
CLKCR_CLKEN, CLKCR_BYPASS, CLKCR_WIDBUS, CLKCR_HWFC_EN = 1 << 8, 1 << 10, 3 << 11, 1 << 14
CMD_CPSMEN = 1 << 10
DCTRL_DTEN, DCTRL_DTDIR, DCTRL_DMAEN = 1 << 0, 1 << 1, 1 << 3
CCRCFAIL, CTIMEOUT, DTIMEOUT, TXUNDERR, RXOVERR = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 5
CMDREND, CMDSENT, DATAEND, DBCKEND, CMDACT = 1 << 6, 1 << 7, 1 << 8, 1 << 10, 1 << 11
TXACT, RXACT, TXFIFOHE, RXFIFOHF, TXFIFOF, RXFIFOF = (
    1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17,
)  # fmt: skip
TXFIFOE, RXFIFOE, TXDAVL, RXDAVL = 1 << 18, 1 << 19, 1 << 20, 1 << 21
_STATIC = 0x00C0_07FF
_SHORT, _LONG = 1, 3  # WAITRESP
_COMMAND_BITS, _SHORT_BITS, _LONG_BITS, _GAP, _TIMEOUT = 48, 48, 136, 8, 64
FIFO_WORDS, _PORTION = 32, 8  # words; so many move at a time


@dataclass(frozen=True)
class CardAnswer:
    """What a card answers: 32 or 128 bits, with or without a CRC of its own."""

    value: int
    bits: int = 32
    has_crc: bool = True


class Card(Protocol):
    """A card in the slot."""

    def command(self, index: int, argument: int) -> CardAnswer | None:
        """A command; None where the card says nothing."""

    def send(self, size: int) -> bytes:
        """The next bytes of a read; fewer, or none, while there are none."""

    def take(self, data: bytes) -> None:
        """The next bytes of a write."""

    @property
    def wants_data(self) -> bool:
        """Whether it waits for the data of a write."""


class Sdio(ApbPeripheral):
    """The host. Without a `card` every command that wants an answer times out.

    `clock_hz` is SDIOCLK, the 48 MHz of the PLL.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        POWER: Register("POWER", 0, 3), CLKCR: Register("CLKCR", 0, 0x7FFF),
        ARG: Register("ARG"), CMD: Register("CMD", 0, 0x7FFF), RESPCMD: Register("RESPCMD", 0, 0),
        **{RESP1 + 4 * n: Register(f"RESP{n + 1}", 0, 0) for n in range(4)},
        DTIMER: Register("DTIMER"), DLEN: Register("DLEN", 0, 0x01FF_FFFF),
        DCTRL: Register("DCTRL", 0, 0xFFF), DCOUNT: Register("DCOUNT", 0, 0),
        STA: Register("STA", 0, 0), ICR: Register("ICR", 0, 0),
        MASK: Register("MASK", 0, 0xFF_FFFF), FIFOCNT: Register("FIFOCNT", 0, 0),
        **{FIFO + 4 * n: Register("FIFO", 0, 0) for n in range(FIFO_WORDS)},
    }  # fmt: skip
    stable = frozenset(offset for offset in layout if offset < FIFO)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._answer, self._portion = Delay(self), Delay(self)
        self._fifo: deque[int] = deque()
        super().__init__(name)
        self.card: Card | None = None
        self.clock_hz: Callable[[], int] = lambda: 48_000_000

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._status = 0
        self._left = 0  # bytes of the transfer
        self._moving = 0  # TXACT or RXACT
        self._waited = 0  # clocks
        self._answer.cancel()
        self._portion.cancel()
        self._fifo.clear()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update()

    def clock(self, on: bool) -> None:
        """Nothing moves without a clock."""
        super().clock(on)
        self._answer.clock(on)
        self._portion.clock(on)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; reading the FIFO takes a word."""
        if offset == STA:
            return self._status | self._levels()
        if offset == DCOUNT:
            return self._left
        if offset == FIFOCNT:
            return len(self._fifo)
        if offset >= FIFO and offset in self.layout:
            word = self._fifo.popleft() if self._moving != TXACT and self._fifo else 0
            self._finish_read()
            self._update()
            return word
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == ICR:
            self._status &= ~(value & _STATIC)
        elif offset >= FIFO and offset in self.layout:
            if self._moving == TXACT and len(self._fifo) < FIFO_WORDS:
                self._fifo.append(value)
        else:
            self.store(offset, value)
            if offset == CMD and value & CMD_CPSMEN:
                self._send_command()
            elif offset == DCTRL:
                self._start_data()
        self._update()

    def dma_listening(self, request: str) -> None:
        """Raise the request that stands."""
        self._request()

    # Commands (section 31.3.1)

    def _cycles(self, sdio_clocks: int) -> int:
        """Core cycles of so many SDIO_CK; 0 while it does not run."""
        control, hertz = self.values[CLKCR], self.clock_hz()
        if self.values[POWER] != POWER_ON or not control & CLKCR_CLKEN or not hertz:
            return 0
        divider = 1 if control & CLKCR_BYPASS else (control & 0xFF) + 2
        return sdio_clocks * divider * self.bus.clocks().hclk_hz // hertz + 1

    def _send_command(self) -> None:
        command = self.values[CMD]
        wanted = command >> 6 & 3
        answer = self.card.command(command & 0x3F, self.values[ARG]) if self.card else None
        self.values[CMD] &= ~CMD_CPSMEN
        clocks = _COMMAND_BITS
        if wanted in (_SHORT, _LONG):
            answered = _LONG_BITS if wanted == _LONG else _SHORT_BITS
            clocks += _GAP + answered if answer else _TIMEOUT
        cycles = self._cycles(clocks)
        if cycles:
            self._answer.start(cycles, lambda: self._answered(command, answer))

    def _answered(self, command: int, answer: CardAnswer | None) -> None:
        if command >> 6 & 3 not in (_SHORT, _LONG):
            self._status |= CMDSENT
        elif answer is None:
            self._status |= CTIMEOUT
        else:
            long = answer.bits > 32
            words = [answer.value >> shift & 0xFFFF_FFFF for shift in (96, 64, 32, 0)]
            for n, word in enumerate(words if long else [answer.value, 0, 0, 0]):
                self.values[RESP1 + 4 * n] = word
            self.values[RESPCMD] = command & 0x3F if answer.has_crc and not long else 0x3F
            # An R3 has no CRC, and the check fails (SD specification, section 4.9.4).
            self._status |= CMDREND if answer.has_crc else CCRCFAIL
        self._update()

    # Data (section 31.3.1, data path)

    def _start_data(self) -> None:
        control = self.values[DCTRL]
        if not control & DCTRL_DTEN:
            self._portion.cancel()
            self._moving = 0
            return
        if self._moving or not self.values[DLEN]:
            return
        self._moving = RXACT if control & DCTRL_DTDIR else TXACT
        self._left, self._waited = self.values[DLEN], 0
        self._fifo.clear()
        self._request()
        self._next_portion()

    def _next_portion(self) -> None:
        words = min(_PORTION, (self._left + 3) // 4)
        cycles = self._cycles(words * 32 // self._width)
        if cycles:
            self._portion.start(cycles, self._moved)

    @property
    def _width(self) -> int:
        return (1, 4, 8, 8)[self.values[CLKCR] >> 11 & 3]

    def _moved(self) -> None:
        size = min(4 * _PORTION, self._left)
        (self._receive if self._moving == RXACT else self._transmit)(size)
        self._update()

    def _receive(self, size: int) -> None:
        if len(self._fifo) > FIFO_WORDS - _PORTION:
            if self.values[CLKCR] & CLKCR_HWFC_EN:
                self._next_portion()  # the clock of the card stands still
            else:
                self._end(RXOVERR)
            return
        data = self.card.send(size) if self.card else b""
        if not data:
            self._wait_for_card(size)
            return
        for start in range(0, len(data), 4):
            self._fifo.append(int.from_bytes(data[start : start + 4], "little"))
        self._left -= len(data)
        self._request()
        if self._left:
            self._next_portion()
        self._finish_read()

    def _wait_for_card(self, size: int) -> None:
        """DTIMER counts the clocks in which the card does nothing."""
        self._waited += 8 * size // self._width
        if self._waited >= self.values[DTIMER]:
            self._end(DTIMEOUT)
        else:
            self._next_portion()

    def _finish_read(self) -> None:
        """The end is told when the FIFO is empty (figure 351, state Wait_R)."""
        if self._moving == RXACT and not self._left and not self._fifo:
            self._end(DATAEND | DBCKEND)

    def _transmit(self, size: int) -> None:
        if 4 * len(self._fifo) < size:
            self._request()
        if 4 * len(self._fifo) < size:
            if self.values[CLKCR] & CLKCR_HWFC_EN or self._left == self.values[DLEN]:
                self._next_portion()  # Wait_S: the card waits for the first word
            else:
                self._end(TXUNDERR)
            return
        if self.card is None or not self.card.wants_data:
            self._wait_for_card(size)
            return
        data = b"".join(self._fifo.popleft().to_bytes(4, "little") for _ in range((size + 3) // 4))
        self.card.take(data[:size])
        self._left -= size
        self._request()
        if self._left:
            self._next_portion()
        else:
            self._end(DATAEND | DBCKEND)

    def _end(self, flags: int) -> None:
        self._status |= flags
        self._moving = 0
        self._portion.cancel()
        self.values[DCTRL] &= ~DCTRL_DTEN
        self.bus.dma_end(self.name)

    def _request(self) -> None:
        if not self.values[DCTRL] & DCTRL_DMAEN or not self._moving:
            return
        if self._moving == RXACT:
            while self._fifo and self.bus.dma_request(self.name, len(self._fifo)):
                pass
            return
        wanted = min(FIFO_WORDS, (self._left + 3) // 4) - len(self._fifo)
        if wanted > 0:
            self.bus.dma_request(self.name, wanted)

    def _levels(self) -> int:
        words, status = len(self._fifo), self._moving
        if self._answer.waiting:
            status |= CMDACT
        if self._moving == TXACT:
            status |= TXFIFOE if not words else TXDAVL
            status |= TXFIFOHE if words <= FIFO_WORDS // 2 + _PORTION else 0
            return status | (TXFIFOF if words == FIFO_WORDS else 0)
        status |= RXDAVL if words else RXFIFOE
        status |= RXFIFOHF if words >= _PORTION else 0
        return status | TXFIFOE | TXFIFOHE | (RXFIFOF if words == FIFO_WORDS else 0)

    def _update(self) -> None:
        self._line.drive(bool((self._status | self._levels()) & self.values[MASK]))
