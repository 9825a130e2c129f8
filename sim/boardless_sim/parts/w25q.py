"""W25Qxx: serial NOR Flash on SPI (W25Q128JV data sheet, chapters 7 and 8)."""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.parts.part import Wires

SECTOR, PAGE = 4096, 256
WRITE_ENABLE, WRITE_DISABLE, READ_STATUS_1, READ_STATUS_2, READ_STATUS_3 = 0x06, 0x04, 5, 0x35, 0x15
READ, FAST_READ, PAGE_PROGRAM = 0x03, 0x0B, 0x02
ERASE_SECTOR, ERASE_32K, ERASE_64K, ERASE_CHIP, ERASE_CHIP_OLD = 0x20, 0x52, 0xD8, 0xC7, 0x60
JEDEC_ID, DEVICE_ID, UNIQUE_ID, POWER_DOWN, RELEASE = 0x9F, 0x90, 0x4B, 0xB9, 0xAB
STATUS_BUSY, STATUS_WEL = 1, 2
_MANUFACTURER, _KIND = 0xEF, 0x40
# Typical times of table 9.6, in nanoseconds.
_PROGRAM_NS, _SECTOR_NS, _32K_NS, _64K_NS, _CHIP_NS = (
    400_000, 45_000_000, 120_000_000, 150_000_000, 40_000_000_000,
)  # fmt: skip
_ERASES = {ERASE_SECTOR: (SECTOR, _SECTOR_NS), ERASE_32K: (32 << 10, _32K_NS),
           ERASE_64K: (64 << 10, _64K_NS)}  # fmt: skip
_BY_STATUS = {READ_STATUS_1, READ_STATUS_2, READ_STATUS_3}


class W25q:
    """Implements `SpiTarget`. Erased when new; programming only clears bits.

    `megabits`: 128 for a W25Q128. At "spi1:PA4", the chip select.
    """

    def __init__(self, megabits: int = 128) -> None:
        self.size = megabits << 17
        self.sectors: dict[int, bytearray] = {}
        self._now_ns: Callable[[], int] = lambda: 0
        self._busy_until_ns = 0
        self._write_enabled = self._asleep = False
        self._bytes: list[int] = []

    def attach(self, wires: Wires, at: str) -> None:
        """Hang on an SPI."""
        self._now_ns = wires.now_ns
        wires.spi(at, self)

    def read(self, address: int, size: int) -> bytes:
        """What stands there."""
        return bytes(self._byte(address + n) for n in range(size))

    def program(self, address: int, data: bytes) -> None:
        """What a test puts there: cells hold it as it is."""
        for n, byte in enumerate(data):
            self._sector(address + n)[(address + n) % SECTOR] = byte

    @property
    def busy(self) -> bool:
        """Whether it programs or erases."""
        return self._now_ns() < self._busy_until_ns

    # SpiTarget

    def select(self) -> None:
        self._bytes = []

    def exchange(self, byte: int) -> int:
        self._bytes.append(byte)
        command, count = self._bytes[0], len(self._bytes)
        if count == 1 or (self._asleep and command != RELEASE):
            return 0xFF
        if command in _BY_STATUS:
            return self._status() if command == READ_STATUS_1 else 0
        if self.busy:
            return 0xFF  # everything else is ignored (section 8.1)
        return self._answer(command, count)

    def deselect(self) -> None:
        """The rising chip select starts what was asked for."""
        if not self._bytes or self.busy:
            return
        command = self._bytes[0]
        if command in (RELEASE, POWER_DOWN):
            self._asleep = command == POWER_DOWN
        elif self._asleep:
            return
        elif command in (WRITE_ENABLE, WRITE_DISABLE):
            self._write_enabled = command == WRITE_ENABLE
        elif self._write_enabled:
            self._change(command)

    def _status(self) -> int:
        return (STATUS_BUSY if self.busy else 0) | (STATUS_WEL if self._write_enabled else 0)

    def _answer(self, command: int, count: int) -> int:
        dummies = {READ: 4, FAST_READ: 5}.get(command)
        if dummies is not None:
            return self._byte(self._address() + count - dummies - 1) if count > dummies else 0xFF
        capacity = self.size.bit_length() - 1  # 0x18 for 16 MiB
        known = {
            JEDEC_ID: (_MANUFACTURER, _KIND, capacity),
            DEVICE_ID: (0xFF, 0xFF, 0xFF, _MANUFACTURER, capacity - 1),
            RELEASE: (0xFF, 0xFF, 0xFF, capacity - 1),
            UNIQUE_ID: (0xFF, 0xFF, 0xFF, 0xFF, *b"BOARDLSS"),
        }.get(command, ())
        return known[count - 2] if count - 2 < len(known) else 0xFF

    def _address(self) -> int:
        high, middle, low = self._bytes[1:4]
        return (high << 16 | middle << 8 | low) % self.size

    def _change(self, command: int) -> None:
        count = len(self._bytes)
        if command == PAGE_PROGRAM and count > 4:
            self._program_page(self._address(), self._bytes[4:])
            self._start(_PROGRAM_NS)
        elif command in _ERASES and count == 4:
            size, time_ns = _ERASES[command]
            first = self._address() // size * size
            for at in range(first, first + size, SECTOR):
                self.sectors.pop(at // SECTOR, None)
            self._start(time_ns)
        elif command in (ERASE_CHIP, ERASE_CHIP_OLD) and count == 1:
            self.sectors.clear()
            self._start(_CHIP_NS)

    def _program_page(self, address: int, data: list[int]) -> None:
        """Behind the end of the page it goes on at its beginning (section 8.2.13)."""
        page = address // PAGE * PAGE
        for n, byte in enumerate(data):
            at = page + (address + n) % PAGE
            self._sector(at)[at % SECTOR] &= byte

    def _start(self, time_ns: int) -> None:
        self._busy_until_ns = self._now_ns() + time_ns
        self._write_enabled = False

    def _byte(self, address: int) -> int:
        address %= self.size
        sector = self.sectors.get(address // SECTOR)
        return 0xFF if sector is None else sector[address % SECTOR]

    def _sector(self, address: int) -> bytearray:
        return self.sectors.setdefault(address % self.size // SECTOR, bytearray(b"\xff" * SECTOR))
