"""FLASH: wait states and caches, and programming and erasing (RM0090 chapter 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, Register

ACR, KEYR, OPTKEYR, SR, CR, OPTCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14
SR_EOP, SR_OPERR, SR_WRPERR, SR_PGAERR = 1 << 0, 1 << 1, 1 << 4, 1 << 5
SR_PGPERR, SR_PGSERR, SR_RDERR, SR_BSY = 1 << 6, 1 << 7, 1 << 8, 1 << 16
CR_PG, CR_SER, CR_MER, CR_SNB, CR_PSIZE = 1 << 0, 1 << 1, 1 << 2, 0x1F << 3, 3 << 8
CR_STRT, CR_EOPIE, CR_ERRIE, CR_LOCK = 1 << 16, 1 << 24, 1 << 25, 1 << 31
KEYS = (0x4567_0123, 0xCDEF_89AB)
_FLAGS = SR_EOP | SR_OPERR | SR_WRPERR | SR_PGAERR | SR_PGPERR | SR_PGSERR | SR_RDERR
_CR_WRITABLE = CR_PG | CR_SER | CR_MER | CR_SNB | CR_PSIZE | CR_EOPIE | CR_ERRIE

_KIB = 1024
# Of one bank, in KiB (table 5); a second bank is like the first, its numbers start at 16.
_SECTORS = (16, 16, 16, 16, 64, *(128,) * 7)
_BANK_BYTES = 1 << 20
# Typical times of the data sheet with a supply of 2.7 V or more (DS8626 table 40).
PROGRAM_NS = 16_000
_ERASE_NS = {16: 250_000_000, 64: 550_000_000, 128: 1_000_000_000}
_RDP_LEVEL_0 = 0x0FFF_AAED


@dataclass(frozen=True)
class Operation:
    """A word that is programmed or a sector that is erased: bytes before, and as they will be."""

    address: int
    before: bytes
    after: bytes


class FlashInterface(AhbPeripheral):
    """Flash access control.

    The only bank is busy while it is written, so that the core stands still. `on_acr` hears what is
    written to ACR: the wait states pass in the core. `on_operation` sees each operation before it
    happens and gives back what becomes of the bytes: a power cut is injected there.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        ACR: Register("ACR", 0, 0x1F07), KEYR: Register("KEYR", 0, 0),
        SR: Register("SR", 0, 0), CR: Register("CR", CR_LOCK, _CR_WRITABLE),
        OPTCR: Register("OPTCR", _RDP_LEVEL_0, 0),
    }  # fmt: skip
    unmodelled: ClassVar[Mapping[int, str]] = {OPTKEYR: "OPTKEYR"}
    stable = frozenset({ACR, SR, CR, OPTCR})

    def __init__(self, name: str = "FLASH") -> None:
        super().__init__(name)
        self.on_acr: Callable[[int], None] = lambda acr: None
        self.on_open: Callable[[bool], None] = lambda is_open: None
        self.on_operation: Callable[[Operation], bytes] = lambda operation: operation.after
        self.write_memory: Callable[[int, bytes], None] = lambda address, data: None
        self._base = self._bytes = 0
        self._key_step = 0
        self._open = False

    def lies_at(self, base: int, size: int) -> None:
        """Where the memory is that belongs to it."""
        self._base, self._bytes = base, size

    def reset_values(self) -> None:
        """Registers to their reset values, except the option bytes."""
        options = self.values.get(OPTCR, _RDP_LEVEL_0)
        super().reset_values()
        self.values[OPTCR] = options
        self._key_step = 0

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._follow_open()

    def set_protection(self, rdp: int) -> None:
        """The option byte RDP: 0xAA level 0, 0xCC level 2, any other level 1 (section 3.7.3)."""
        self.values[OPTCR] = self.values[OPTCR] & ~0xFF00 | rdp << 8

    def holds(self, address: int) -> bool:
        """Whether the address is in its memory."""
        return 0 <= address - self._base < self._bytes

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == KEYR:
            self._write_key(value)
        elif offset == SR:
            self.values[SR] &= ~(value & _FLAGS)
        elif offset == CR:
            self._write_cr(value)
        elif offset == OPTCR:
            self.unmodelled_write(offset, value)
        else:
            super().write_word(offset, value)
            if offset == ACR:
                self.on_acr(self.values[ACR])

    def _write_key(self, key: int) -> None:
        """Section 3.6.1: a wrong sequence locks CR until the next reset."""
        if self._key_step < len(KEYS) and key == KEYS[self._key_step]:
            self._key_step += 1
            if self._key_step == len(KEYS):
                self.values[CR] &= ~CR_LOCK
        else:
            self._key_step = len(KEYS) + 1
            self.values[CR] |= CR_LOCK

    def _write_cr(self, value: int) -> None:
        if self.values[CR] & CR_LOCK:
            return
        self.values[CR] = value & _CR_WRITABLE
        if value & CR_STRT:
            self._start(value)
        if value & CR_LOCK:
            self.values[CR] |= CR_LOCK
            self._key_step = 0
        self._follow_open()

    def _follow_open(self) -> None:
        is_open = self.values[CR] & (CR_PG | CR_LOCK) == CR_PG
        if is_open is not self._open:
            self._open = is_open
            self.on_open(is_open)

    # Operations

    def program(self, address: int, size: int, value: int) -> None:
        """A store to the Flash while PG is set (section 3.6.4): bits only go to zero."""
        if self.values[CR] & (CR_SER | CR_MER):
            self.values[SR] |= SR_PGSERR
        elif size != 1 << (self.values[CR] >> 8 & 3):
            self.values[SR] |= SR_PGPERR
        elif address % size:
            self.values[SR] |= SR_PGAERR
        else:
            before = self.bus.memory_read(address, size)
            wanted = value.to_bytes(size, "little")
            after = bytes(old & new for old, new in zip(before, wanted, strict=True))
            self._operate(Operation(address, before, after), PROGRAM_NS)

    def _start(self, control: int) -> None:
        if control & CR_MER or not control & CR_SER or control & CR_PG:
            self.values[SR] |= SR_PGSERR
            if control & CR_MER:
                self.unmodelled_write(CR, control)
            return
        number = (control & CR_SNB) >> 3
        bank, number = divmod(number, 16)
        if number >= len(_SECTORS):
            self.values[SR] |= SR_PGSERR
            return
        size = _SECTORS[number] * _KIB
        address = self._base + bank * _BANK_BYTES + sum(_SECTORS[:number]) * _KIB
        if not self.holds(address):
            self.values[SR] |= SR_PGSERR
            return
        before = self.bus.memory_read(address, size)
        self._operate(Operation(address, before, b"\xff" * size), _ERASE_NS[_SECTORS[number]])

    def _operate(self, operation: Operation, duration_ns: int) -> None:
        self.write_memory(operation.address, self.on_operation(operation))
        self.bus.stall_ns(duration_ns)
        if self.values[CR] & CR_EOPIE:
            self.values[SR] |= SR_EOP
