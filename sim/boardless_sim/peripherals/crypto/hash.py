"""HASH: SHA-1, MD5, SHA-224, SHA-256, and HMAC of them (RM0090 chapter 25)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import ClassVar

from boardless_sim.peripherals.crypto.data_swap import swapped
from boardless_sim.peripherals.delay import Delay
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

CR, DIN, STR, HR0, IMR, SR = 0x00, 0x04, 0x08, 0x0C, 0x20, 0x24
HR0_WIDE = 0x310  # eight of them, of the parts with SHA-2
CR_INIT, CR_DMAE, CR_HMAC, CR_ALGO0, CR_MDMAT, CR_ALGO1 = (
    1 << 2, 1 << 3, 1 << 6, 1 << 7, 1 << 13, 1 << 18,
)  # fmt: skip
STR_NBLW, STR_DCAL = 0x1F, 1 << 8
SR_DINIS, SR_DCIS, SR_DMAS, SR_BUSY = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_BLOCK_CYCLES = {"sha1": 66, "md5": 50, "sha224": 50, "sha256": 50}  # section 25.1
_ALGORITHMS = ("sha1", "md5", "sha224", "sha256")
_BLOCK_WORDS = 16


class Hash(AhbPeripheral):
    """The processor. The context registers (HASH_CSRx) are not modelled."""

    layout: ClassVar[Mapping[int, Register]] = {
        CR: Register("CR", 0, 0x0005_20F8), DIN: Register("DIN"), STR: Register("STR", 0, STR_NBLW),
        **{HR0 + 4 * n: Register(f"HR{n}", 0, 0) for n in range(5)},
        IMR: Register("IMR", 0, 3), SR: Register("SR", 1, 0),
        **{HR0_WIDE + 4 * n: Register(f"HR{n}", 0, 0) for n in range(8)},
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {0xF8 + 4 * n: f"CSR{n}" for n in range(54)}
    stable = frozenset(layout)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._working = Delay(self)
        super().__init__(name)

    def reset_values(self) -> None:
        """Registers to their reset values, nothing in progress."""
        super().reset_values()
        self._begin()
        self._working.cancel()

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._update_irq()

    def clock(self, on: bool) -> None:
        """A digest stands still without a clock."""
        super().clock(on)
        self._working.clock(on)

    def _begin(self) -> None:
        self._words: list[int] = []
        self._parts: list[bytes] = []  # of HMAC: key, message, key
        self.values[SR] = SR_DINIS

    # Registers

    def read_word(self, offset: int) -> int:
        """A register."""
        if offset == SR:
            busy = SR_BUSY if self._working.waiting else 0
            return self.values[SR] | busy | (SR_DMAS if self.values[CR] & CR_DMAE else 0)
        return super().read_word(offset)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == DIN:
            self._words.append(value)
        elif offset == SR:
            self.values[SR] &= value | ~(SR_DINIS | SR_DCIS)
        else:
            self.store(offset, value)
        if offset == CR:
            if value & CR_INIT:
                self._begin()
            self._request()
        elif offset == STR and value & STR_DCAL and not self._working.waiting:
            blocks = len(self._words) // _BLOCK_WORDS + 1
            self._working.start(blocks * _BLOCK_CYCLES[self._algorithm], self._part_ended)
        self._update_irq()

    def dma_listening(self, request: str) -> None:
        """Raise the request that stands."""
        self._request()

    @property
    def _algorithm(self) -> str:
        control = self.values[CR]
        return _ALGORITHMS[bool(control & CR_ALGO0) | bool(control & CR_ALGO1) << 1]

    def _message(self) -> bytes:
        """NBLW valid bits of the last word, 0 for all of them (section 25.3.3)."""
        kind, bits = self.values[CR] >> 4 & 3, self.values[STR] & STR_NBLW
        if bits % 8:
            self.bus.log_unmodelled(f"{self.name}_STR", "a message of no whole bytes")
        data = b"".join(swapped(word, kind).to_bytes(4, "big") for word in self._words)
        return data[: len(data) - 4 + bits // 8] if bits and data else data

    def _part_ended(self) -> None:
        part, self._words = self._message(), []
        if not self.values[CR] & CR_HMAC:
            self._finish(hashlib.new(self._algorithm, part, usedforsecurity=False).digest())
            return
        self._parts.append(part)
        if len(self._parts) < 3:  # the key again behind the message
            self.values[SR] |= SR_DINIS
            self._update_irq()
            return
        key, message, _ = self._parts
        self._parts = []
        self._finish(hmac.new(key, message, self._algorithm).digest())

    def _finish(self, digest: bytes) -> None:
        for start in range(0, len(digest), 4):
            word = int.from_bytes(digest[start : start + 4], "big")
            self.values[HR0_WIDE + start] = word
            if start < 20:
                self.values[HR0 + start] = word
        self.values[SR] |= SR_DCIS | SR_DINIS
        self._update_irq()

    def _request(self) -> None:
        """By DMA a whole transfer; its end starts the digest, unless MDMAT is set."""
        if not self.values[CR] & CR_DMAE:
            return
        taken = 0
        while self.bus.dma_request(f"{self.name}_IN", 1):
            taken += 1
        if taken and not self.values[CR] & CR_MDMAT:
            self.write_word(STR, self.values[STR] | STR_DCAL)

    def _update_irq(self) -> None:
        self._line.drive(bool(self.values[SR] & self.values[IMR]))
