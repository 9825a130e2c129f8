"""CRYP: AES, DES and TDES in ECB, CBC and CTR (RM0090 chapter 23)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.crypto.ciphers import aes_decrypt, aes_encrypt, des, triple_des
from boardless_sim.peripherals.crypto.data_swap import swapped
from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

CR, SR, DIN, DOUT, DMACR, IMSCR, RISR, MISR = range(0x00, 0x20, 4)
K0LR, IV0LR = 0x20, 0x40
CR_DECRYPT, CR_FFLUSH, CR_CRYPEN = 1 << 2, 1 << 14, 1 << 15
CR_ALGOMODE3 = 1 << 19  # GCM and CCM
TDES_ECB, TDES_CBC, DES_ECB, DES_CBC, AES_ECB, AES_CBC, AES_CTR, AES_KEY = range(8)
SR_IFEM, SR_IFNF, SR_OFNE, SR_OFFU, SR_BUSY = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
DMACR_DIEN, DMACR_DOEN = 1 << 0, 1 << 1
INPUT, OUTPUT = 1 << 0, 1 << 1  # in IMSCR, RISR and MISR
_DEPTH, _SERVICE = 8, 4  # words of a FIFO; where the input asks for more
_AES_CYCLES = (14, 16, 18)  # by KEYSIZE (section 23.3.7)
_DES_CYCLES, _TDES_CYCLES = 16, 48
_AES_WORDS = 4


class Cryp(AhbPeripheral):
    """The processor. GCM and CCM are not modelled."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, 0x000B_83FC), SR: Register("SR", 3, 0), DIN: Register("DIN"),
        DOUT: Register("DOUT", 0, 0), DMACR: Register("DMACR", 0, 3),
        IMSCR: Register("IMSCR", 0, 3), RISR: Register("RISR", 1, 0), MISR: Register("MISR", 0, 0),
        **{K0LR + 8 * n + 4 * half: Register(f"K{n}{'LR'[half]}R")
           for n in range(4) for half in range(2)},
        **{IV0LR + 8 * n + 4 * half: Register(f"IV{n}{'LR'[half]}R")
           for n in range(2) for half in range(2)},
    }  # fmt: skip
    stable = frozenset(layout) - {DOUT}

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._working = Delay(self)
        super().__init__(name)

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._input: deque[int] = deque()
        self._output: deque[int] = deque()
        self._prepared = False
        self._working.cancel()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """A block stands still without a clock."""
        super().clock(on)
        self._working.clock(on)

    # Registers

    def read_word(self, offset: int) -> int:
        """A register; reading DOUT takes a word."""
        if offset == SR:
            return self._status()
        if offset == DOUT:
            word = self._output.popleft() if self._output else 0
            self._go_on()
            return word
        if offset in (RISR, MISR):
            return self._raw() & (self.values[IMSCR] if offset == MISR else 3)
        if offset == DIN:
            return self._input[-1] if self._input else 0
        return 0 if K0LR <= offset < IV0LR else super().read_word(offset)  # keys are not read

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DIN:
            if len(self._input) < _DEPTH:
                self._input.append(value)
        elif K0LR <= offset < IV0LR + 0x10 and self._status() & SR_BUSY:
            return  # keys and vectors are locked meanwhile (section 23.6.9)
        else:
            self.store(offset, value)
            if offset == CR:
                self._write_control(value)
            elif K0LR <= offset < IV0LR:
                self._prepared = False
        self._go_on()

    def dma_listening(self, request: str) -> None:
        """Raise the requests that stand."""
        self._go_on()

    def _write_control(self, value: int) -> None:
        if value & CR_FFLUSH:
            self._input.clear()
            self._output.clear()
        if value & CR_ALGOMODE3:
            self.unmodelled_write(CR, value)
        if not value & CR_CRYPEN:
            self._working.cancel()
        elif self._mode == AES_KEY and not self._working.waiting:
            self._working.start(_AES_CYCLES[min(value >> 8 & 3, 2)], self._key_prepared)

    def _key_prepared(self) -> None:
        self._prepared = True
        self.values[CR] &= ~CR_CRYPEN

    def _status(self) -> int:
        return (
            (SR_IFEM if not self._input else 0)
            | (SR_IFNF if len(self._input) < _DEPTH else 0)
            | (SR_OFNE if self._output else 0)
            | (SR_OFFU if len(self._output) == _DEPTH else 0)
            | (SR_BUSY if self._working.waiting else 0)
        )

    def _raw(self) -> int:
        wants = INPUT if len(self._input) < _SERVICE else 0
        return wants | (OUTPUT if self._output else 0)

    # Blocks

    @property
    def _mode(self) -> int:
        return self.values[CR] >> 3 & 7

    @property
    def _words(self) -> int:
        return _AES_WORDS if self._mode >= AES_ECB else 2

    def _go_on(self) -> None:
        self._request()
        self._start()
        self._line.drive(bool(self._raw() & self.values[IMSCR] & self._asks()))

    def _asks(self) -> int:
        """The input asks only while the processor is enabled (section 23.4)."""
        return 3 if self.values[CR] & CR_CRYPEN else OUTPUT

    def _start(self) -> None:
        enabled = self.values[CR] & CR_CRYPEN and self._mode != AES_KEY
        room = _DEPTH - len(self._output) >= self._words
        if enabled and room and len(self._input) >= self._words and not self._working.waiting:
            cycles = _DES_CYCLES if self._mode >= DES_ECB else _TDES_CYCLES
            if self._mode >= AES_ECB:
                cycles = _AES_CYCLES[min(self.values[CR] >> 8 & 3, 2)]
            self._working.start(cycles, self._worked)

    def _worked(self) -> None:
        kind = self.values[CR] >> 6 & 3
        words = [self._input.popleft() for _ in range(self._words)]
        block = b"".join(swapped(word, kind).to_bytes(4, "big") for word in words)
        result = self._chained(block)
        for start in range(0, len(result), 4):
            word = int.from_bytes(result[start : start + 4], "big")
            self._output.append(swapped(word, kind))
        self._go_on()

    def _chained(self, block: bytes) -> bytes:
        mode, decrypt = self._mode, bool(self.values[CR] & CR_DECRYPT)
        vector = self._vector()
        if mode == AES_CTR:
            stream = self._one(vector, decrypt=False)
            self._set_vector((int.from_bytes(vector, "big") + 1).to_bytes(17, "big")[1:])
            return _xor(block, stream)
        if mode not in (TDES_CBC, DES_CBC, AES_CBC):
            return self._one(block, decrypt=decrypt)
        if decrypt:
            result = _xor(self._one(block, decrypt=True), vector)
            self._set_vector(block)
            return result
        result = self._one(_xor(block, vector), decrypt=False)
        self._set_vector(result)
        return result

    def _one(self, block: bytes, *, decrypt: bool) -> bytes:
        if self._mode < AES_ECB:
            keys = [self._key(n, n + 1) for n in (1, 2, 3)]
            if self._mode >= DES_ECB:
                return des(keys[0], block, decrypt=decrypt)
            return triple_des(keys, block, decrypt=decrypt)
        first = (2, 1, 0)[min(self.values[CR] >> 8 & 3, 2)]
        key = self._key(first, 4)
        if not decrypt:
            return aes_encrypt(key, block)
        if not self._prepared:  # it would decrypt by the first round's key (section 23.3.3)
            self.bus.log_unmodelled(f"{self.name}_CR", "AES decryption without a prepared key")
            return bytes(len(block))
        return aes_decrypt(key, block)

    def _key(self, first: int, end: int) -> bytes:
        registers = range(K0LR + 8 * first, K0LR + 8 * end, 4)
        return b"".join(self.values[at].to_bytes(4, "big") for at in registers)

    def _vector(self) -> bytes:
        registers = range(IV0LR, IV0LR + 4 * self._words, 4)
        return b"".join(self.values[at].to_bytes(4, "big") for at in registers)

    def _set_vector(self, vector: bytes) -> None:
        for start in range(0, len(vector), 4):
            self.values[IV0LR + start] = int.from_bytes(vector[start : start + 4], "big")

    def _request(self) -> None:
        control = self.values[DMACR]
        if control & DMACR_DOEN and self._output:
            self.bus.dma_request(f"{self.name}_OUT", len(self._output))
        enabled = control & DMACR_DIEN and self.values[CR] & CR_CRYPEN
        if enabled and len(self._input) <= _DEPTH - _AES_WORDS:
            self.bus.dma_request(f"{self.name}_IN", _AES_WORDS)

    def _update_irq(self) -> None:
        self._line.drive(False)


def _xor(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=True))
