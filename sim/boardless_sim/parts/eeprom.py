"""24xx: serial EEPROM on I2C (24LC256 data sheet, chapters 5 to 8)."""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.parts.part import Wires

_ADDRESS = 0x50  # A0 to A2 low
_WRITE_NS = 5_000_000
# Bytes of a page and of a word address, by kilobits.
_KINDS = {2: (8, 1), 32: (32, 2), 64: (32, 2), 128: (64, 2), 256: (64, 2), 512: (128, 2)}


class Eeprom:
    """Implements `I2cTarget`. While it writes it acknowledges nothing. At "i2c1" or "i2c1:0x51".

    `kilobits`: 256 for a 24C256.
    """

    def __init__(self, kilobits: int = 256) -> None:
        self.address = _ADDRESS
        self.contents = bytearray(b"\xff" * (kilobits << 7))
        self._page, self._address_bytes = _KINDS[kilobits]
        self._now_ns: Callable[[], int] = lambda: 0
        self._busy_until_ns = 0
        self._at = 0
        self._taken: list[int] = []

    def attach(self, wires: Wires, at: str) -> None:
        """Hang on a two-wire bus."""
        self._now_ns = wires.now_ns
        wires.two_wire(at, self)

    def start(self, read: bool) -> bool:
        self._taken = []
        return self._now_ns() >= self._busy_until_ns

    def write(self, byte: int) -> bool:
        self._taken.append(byte)
        if len(self._taken) <= self._address_bytes:
            self._at = int.from_bytes(bytes(self._taken), "big") % len(self.contents)
        return True

    def read(self) -> int:
        byte = self.contents[self._at]
        self._at = (self._at + 1) % len(self.contents)
        return byte

    def stop(self) -> None:
        """A stop behind data starts the write; a page is not left (section 6.2)."""
        data, self._taken = self._taken[self._address_bytes :], []
        if not data:
            return
        page = self._at // self._page * self._page
        for n, byte in enumerate(data):
            self.contents[page + (self._at + n) % self._page] = byte
        self._at = page + (self._at + len(data)) % self._page
        self._busy_until_ns = self._now_ns() + _WRITE_NS
