"""SPI: words in SCK-true time, CRC, and I2S where the part has it (RM0090 chapter 28)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Protocol

from boardless_sim.finding import Check
from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.links.spi_crc import crc_of
from boardless_sim.peripherals.register import ApbPeripheral, IrqLine, Register

CR1, CR2, SR, DR, CRCPR, RXCRCR, TXCRCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
I2SCFGR, I2SPR = 0x1C, 0x20

CR1_MSTR, CR1_SPE, CR1_LSBFIRST, CR1_SSI, CR1_SSM = 1 << 2, 1 << 6, 1 << 7, 1 << 8, 1 << 9
CR1_RXONLY, CR1_DFF, CR1_CRCNEXT, CR1_CRCEN = 1 << 10, 1 << 11, 1 << 12, 1 << 13
CR1_BIDIOE, CR1_BIDIMODE = 1 << 14, 1 << 15
CR2_RXDMAEN, CR2_TXDMAEN, CR2_SSOE, CR2_FRF = 1 << 0, 1 << 1, 1 << 2, 1 << 4
CR2_ERRIE, CR2_RXNEIE, CR2_TXEIE = 1 << 5, 1 << 6, 1 << 7
SR_RXNE, SR_TXE, SR_CHSIDE, SR_CRCERR = 1 << 0, 1 << 1, 1 << 2, 1 << 4
SR_MODF, SR_OVR, SR_BSY = 1 << 5, 1 << 6, 1 << 7
_ERRORS = SR_CRCERR | SR_MODF | SR_OVR
I2SCFGR_I2SE, I2SCFGR_I2SMOD = 1 << 10, 1 << 11
_I2S_MASTER, _I2S_RECEIVES = 1 << 9, 1 << 8
I2SPR_ODD, I2SPR_MCKOE = 1 << 8, 1 << 9


class SpiTarget(Protocol):
    """A device behind a chip select."""

    def select(self) -> None:
        """The chip select went low."""

    def deselect(self) -> None:
        """It went high."""

    def exchange(self, byte: int) -> int:
        """Eight clocks: what the master sent, and what it receives meanwhile."""


def no_wire(word: int, bits: int) -> int:
    """Nothing hangs on the bus: MISO stays low."""
    return 0


class Spi(ApbPeripheral):
    """One SPI. `on_word` is the far end: a word and its bits, first on the wire first.

    A slave is clocked by `clock_in`. `on_sample` gets what I2S sends, `i2s_hz` is its clock.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        CR1: Register("CR1", 0, 0xEFFF), CR2: Register("CR2", 0, 0xF7), SR: Register("SR", 2, 0),
        DR: Register("DR", 0, 0), CRCPR: Register("CRCPR", 7, 0xFFFF),
        RXCRCR: Register("RXCRCR", 0, 0), TXCRCR: Register("TXCRCR", 0, 0),
        I2SCFGR: Register("I2SCFGR", 0, 0xFBF), I2SPR: Register("I2SPR", 0, 0x3FF),
    }  # fmt: skip
    stable = frozenset(layout) - {DR}

    def __init__(self, name: str, irq: int, *, on_apb2: bool = False, i2s: bool = False) -> None:
        self._line = IrqLine(self, irq)
        self._on_apb2, self._has_i2s = on_apb2, i2s
        self._tx_request, self._rx_request = f"{name}_TX", f"{name}_RX"
        self._shifting = Delay(self)
        super().__init__(name)
        self.on_word: Callable[[int, int], int] = no_wire
        self.on_nss: Callable[[], None] = lambda: None
        self.nss_is_low: Callable[[], bool] = lambda: False
        self.on_sample: Callable[[int], None] = lambda word: None
        self.i2s_hz: Callable[[], int] = lambda: 0

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self.values[I2SPR] = 2 if self._has_i2s else 0
        self._status = SR_TXE
        self._to_send: int | None = None  # the Tx buffer, when full
        self._word = 0  # in the shift register
        self._is_crc = self._crc_next = False
        self._sent_by_dma = False
        self._received = 0
        self._dr_was_read = self._sr_was_read = False
        self._second_half = False  # of an I2S channel of more than 16 bits
        self._shifting.cancel()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """A word on its way stands still without a clock."""
        super().clock(on)
        self._shifting.clock(on)

    @property
    def drives_nss_low(self) -> bool:
        """NSS as an output is low for as long as the master is enabled (section 28.3.1)."""
        enabled = self.values[CR1] & (CR1_MSTR | CR1_SPE | CR1_SSM) == CR1_MSTR | CR1_SPE
        return enabled and bool(self.values[CR2] & CR2_SSOE)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register, with the side effects of reading it."""
        if offset == SR:
            return self._read_status()
        if offset == DR:
            self._dr_was_read = True
            self._status &= ~SR_RXNE
            self._update_irq()
            return self._received
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DR:
            self._to_send = value & 0xFFFF
            self._status &= ~SR_TXE
            self._feed()
        elif offset == SR:
            self._status &= value | ~SR_CRCERR
        elif offset == CR1:
            self._write_cr1(value)
        elif offset not in (I2SCFGR, I2SPR) or self._has_i2s:
            self.store(offset, value)
            if offset == CR2 and value & CR2_FRF:
                self.unmodelled_write(offset, value)
            self._configured()
        self._update_irq()

    def dma_listening(self, request: str) -> None:
        """Raise the requests that stand."""
        if request == self._tx_request:
            self._request_transmit()
        elif request == self._rx_request:
            self._request_receive()

    def _read_status(self) -> int:
        """OVR goes by a read of DR and then of SR (section 28.3.10)."""
        self._sr_was_read = True
        found = self._status | (SR_BSY if self._is_busy else 0)
        if self._dr_was_read and self._status & SR_OVR:
            self._status &= ~SR_OVR
            self.bus.read_had_effect()
            self._update_irq()
        self._dr_was_read = False
        return found

    @property
    def _is_busy(self) -> bool:
        return self._shifting.waiting and not self._receives_on_one_line

    def _write_cr1(self, value: int) -> None:
        old = self.values[CR1]
        if self._status & SR_MODF:
            if not self._sr_was_read:  # MODF holds SPE and MSTR at 0
                value &= ~(CR1_SPE | CR1_MSTR)
            else:  # cleared by a read of SR, then this write
                self._status &= ~SR_MODF
                value &= ~(CR1_SPE | CR1_MSTR) | old
        self._sr_was_read = False
        self.store(CR1, value)
        self._crc_next = bool(value & CR1_CRCNEXT and value & CR1_CRCEN)
        if value & CR1_CRCEN and not old & CR1_CRCEN:
            self.values[RXCRCR] = self.values[TXCRCR] = 0
        if old & CR1_SPE and not value & CR1_SPE and not self._receives_only:
            self._shifting.cancel()  # what is on its way is lost: BSY was to be waited for
        self._configured()

    def _configured(self) -> None:
        self._check_mode()
        self._feed()
        self._request_transmit()
        self._request_receive()
        self.on_nss()

    def _check_mode(self) -> None:
        """A master whose NSS is low is none any more (section 28.3.10, MODF)."""
        control = self.values[CR1]
        if control & (CR1_MSTR | CR1_SPE) != CR1_MSTR | CR1_SPE or self.values[CR2] & CR2_FRF:
            return
        if control & CR1_SSM:
            low = not control & CR1_SSI
        else:
            low = not self.values[CR2] & CR2_SSOE and "NSS" in self.signals and self.nss_is_low()
        if low:
            self._status |= SR_MODF
            self.values[CR1] &= ~(CR1_MSTR | CR1_SPE)

    # Words

    @property
    def _is_i2s(self) -> bool:
        return bool(self.values[I2SCFGR] & I2SCFGR_I2SMOD)

    @property
    def _is_master(self) -> bool:
        if self._is_i2s:
            wanted = I2SCFGR_I2SE | _I2S_MASTER
            return self.values[I2SCFGR] & wanted == wanted
        return self.values[CR1] & (CR1_MSTR | CR1_SPE) == CR1_MSTR | CR1_SPE

    @property
    def _receives_on_one_line(self) -> bool:
        return self.values[CR1] & (CR1_BIDIMODE | CR1_BIDIOE) == CR1_BIDIMODE

    @property
    def _receives_only(self) -> bool:
        if self._is_i2s:
            return bool(self.values[I2SCFGR] & _I2S_RECEIVES)
        return self._receives_on_one_line or bool(self.values[CR1] & CR1_RXONLY)

    @property
    def _sends_only(self) -> bool:
        if self._is_i2s:
            return not self._receives_only
        return self.values[CR1] & (CR1_BIDIMODE | CR1_BIDIOE) == CR1_BIDIMODE | CR1_BIDIOE

    @property
    def _bits(self) -> int:
        return 16 if self.values[CR1] & CR1_DFF or self._is_i2s else 8

    def _feed(self) -> None:
        """Start the next word, when the shift register is free and there is a reason to."""
        if not self._is_master or self._shifting.waiting:
            return
        cycles = self._word_cycles()
        if not cycles:
            return
        self._is_crc = False
        if self._receives_only:
            self._word, self._is_crc, self._crc_next = 0, self._crc_next, False
        elif self._to_send is not None:
            self._word, self._to_send = self._to_send & ((1 << self._bits) - 1), None
            self._status |= SR_TXE
            self._add_crc(TXCRCR, self._word)
        elif self._crc_next:
            self._word, self._is_crc, self._crc_next = self.values[TXCRCR], True, False
        else:
            return
        self._shifting.start(cycles, self._shifted)
        self._request_transmit()

    def _word_cycles(self) -> int:
        clocks = self.bus.clocks()
        if self._is_i2s:
            hertz = self._channel_hz()
            halves = 2 if self.values[I2SCFGR] & 6 else 1
            return clocks.hclk_hz // (hertz * halves) if hertz else 0
        pclk_hz = clocks.pclk2_hz if self._on_apb2 else clocks.pclk1_hz
        divider = 2 << (self.values[CR1] >> 3 & 7)
        return self._bits * divider * max(clocks.hclk_hz // pclk_hz, 1)

    def _channel_hz(self) -> int:
        """Channels a second, twice the sampling frequency (section 28.4.4)."""
        prescaler = self.values[I2SPR]
        divider = 2 * (prescaler & 0xFF) + bool(prescaler & I2SPR_ODD)
        bits = 128 if prescaler & I2SPR_MCKOE else 32 if self.values[I2SCFGR] & 1 else 16
        return self.i2s_hz() // (bits * divider) if divider > 3 else 0

    def _shifted(self) -> None:
        """The last bit of a word is through."""
        word = self._through_wire()
        if not self._sends_only:
            self._receive(word)
        if self._is_i2s:
            self._next_channel()
        if self.values[CR1] & CR1_SPE or self._is_i2s:
            self._feed()
        self._request_transmit()
        self._end_of_dma()
        self._update_irq()

    def _through_wire(self) -> int:
        """What comes back for the word; nothing moves where SCK has no pin."""
        if self._is_i2s:
            if not self._receives_only:
                self.on_sample(self._word)
            return 0
        if "SCK" not in self.signals:
            self._report_no_pin("SCK", "clocks a word")
            return 0
        sent = self._word
        if not self._receives_only and "MOSI" not in self.signals:
            self._report_no_pin("MOSI", "sends")
            sent = 0
        reverse = bool(self.values[CR1] & CR1_LSBFIRST)
        answer = self.on_word(_ordered(sent, self._bits, reverse), self._bits)
        one_line = bool(self.values[CR1] & CR1_BIDIMODE)
        has_input = ("MOSI" if one_line else "MISO") in self.signals
        return _ordered(answer, self._bits, reverse) if has_input else 0

    def _receive(self, word: int) -> None:
        if self._is_crc:
            if word != self.values[RXCRCR]:
                self._status |= SR_CRCERR
        else:
            self._add_crc(RXCRCR, word)
        if self._status & SR_RXNE:
            self._status |= SR_OVR  # the word in the buffer stays, the new one is lost
        else:
            self._received = word
            self._status |= SR_RXNE
            self._request_receive()

    def clock_in(self, word: int) -> int:
        """A master elsewhere clocks a word through this slave; what it gets."""
        enabled = self.values[CR1] & (CR1_MSTR | CR1_SPE) == CR1_SPE
        if not (enabled and self.clocked):
            return 0
        sent, self._to_send = (self._to_send or 0) & ((1 << self._bits) - 1), None
        self._status |= SR_TXE
        self._receive(word & ((1 << self._bits) - 1))
        self._request_transmit()
        self._update_irq()
        return sent

    def _add_crc(self, register: int, word: int) -> None:
        if self.values[CR1] & CR1_CRCEN and not self._is_i2s:
            polynomial = self.values[CRCPR]
            self.values[register] = crc_of(self.values[register], word, polynomial, self._bits)

    def _next_channel(self) -> None:
        self._second_half = bool(self.values[I2SCFGR] & 6) and not self._second_half
        if not self._second_half:
            self._status ^= SR_CHSIDE

    # DMA and interrupts

    def _request_transmit(self) -> None:
        wanted = self.values[CR2] & CR2_TXDMAEN and self._status & SR_TXE
        enabled = self.values[CR1] & CR1_SPE or self.values[I2SCFGR] & I2SCFGR_I2SE
        if wanted and enabled and self.bus.dma_request(self._tx_request):
            self._sent_by_dma = True

    def _end_of_dma(self) -> None:
        """The CRC follows the last word of a DMA by itself (section 28.3.9)."""
        if self._sent_by_dma and not self._shifting.waiting:
            self._sent_by_dma = False
            if self.values[CR1] & CR1_CRCEN and not self._is_crc:
                self._crc_next = True
                self._feed()

    def _request_receive(self) -> None:
        if self.values[CR2] & CR2_RXDMAEN and self._status & SR_RXNE:
            self.bus.dma_request(self._rx_request)

    def _update_irq(self) -> None:
        enables = self.values[CR2]
        self._line.drive(
            bool(
                (enables & CR2_TXEIE and self._status & SR_TXE)
                or (enables & CR2_RXNEIE and self._status & SR_RXNE)
                or (enables & CR2_ERRIE and self._status & _ERRORS)
            )
        )

    def _report_no_pin(self, signal: str, does: str) -> None:
        text = f"{self.name} {does}, and no pin is in the alternate function {self.name}_{signal}"
        self.bus.report(Check.PIN_FUNCTION, self.name, text)


def _ordered(word: int, bits: int, reverse: bool) -> int:
    """The word with the bit that is first on the wire as its highest."""
    return int(f"{word:0{bits}b}"[::-1], 2) if reverse else word
