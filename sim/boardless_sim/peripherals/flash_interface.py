"""FLASH: wait states, erasing and programming (RM0090 chapter 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Protocol

from boardless_sim.finding import Check
from boardless_sim.peripherals.peripheral import Event
from boardless_sim.peripherals.register import AhbPeripheral, IrqLine, Register

ACR, KEYR, OPTKEYR, SR, CR, OPTCR, OPTCR1 = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x18
KEYS, OPTION_KEYS = (0x4567_0123, 0xCDEF_89AB), (0x0819_2A3B, 0x4C5D_6E7F)
ACR_LATENCY = 0x7
SR_EOP, SR_OPERR, SR_WRPERR, SR_PGAERR = 1 << 0, 1 << 1, 1 << 4, 1 << 5
SR_PGPERR, SR_PGSERR, SR_BSY = 1 << 6, 1 << 7, 1 << 16
CR_PG, CR_SER, CR_MER, CR_STRT = 1 << 0, 1 << 1, 1 << 2, 1 << 16
CR_MER1 = 1 << 15
CR_EOPIE, CR_ERRIE, CR_LOCK = 1 << 24, 1 << 25, 1 << 31
OPTCR_OPTLOCK, OPTCR_OPTSTRT = 1 << 0, 1 << 1
_ERRORS = SR_OPERR | SR_WRPERR | SR_PGAERR | SR_PGPERR | SR_PGSERR

# By PSIZE: 8, 16, 32 and 64 bits at a time. A new part: a tenth below the typical times of the data
# sheet (DS8626 table 40: 128 KiB in 1 s, at most 2 s, by 32 bits), which erasing wears up to.
PROGRAM_NS = 16_000
ERASE_NS: Mapping[int, Sequence[int]] = {
    16 << 10: (360_000_000, 270_000_000, 225_000_000, 225_000_000),
    64 << 10: (1_080_000_000, 630_000_000, 495_000_000, 495_000_000),
    128 << 10: (1_800_000_000, 1_170_000_000, 900_000_000, 900_000_000),
}
_BANK_SECTORS = 12
_BANK = (*(16 << 10,) * 4, 64 << 10, *(128 << 10,) * 7)


class FlashCells(Protocol):
    """The memory behind the interface."""

    base: int
    size: int

    def read(self, address: int, size: int) -> bytes:
        """What stands there."""

    def write(self, address: int, data: bytes) -> None:
        """Put it there."""

    def stall(self, cycles: int) -> None:
        """The core waits so long, if it runs from this memory."""


def sectors(size: int) -> list[tuple[int, int]]:
    """Offset and size of each sector: banks of 4 x 16, 64 and 7 x 128 KiB (table 5)."""
    found, offset = [], 0
    while offset < size:
        for length in _BANK:
            if offset < size:
                found.append((offset, length))
                offset += length
    return found


class FlashInterface(AhbPeripheral):
    """Flash access control. A read of the Flash while it is busy stalls (section 3.6.3).

    `on_acr` hears what is written to ACR: the wait states pass in the core. `limits`: the highest
    HCLK for 0, 1, 2 … wait states at the board's supply.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        ACR: Register("ACR", 0, 0x1F07),
        KEYR: Register("KEYR", 0, 0), OPTKEYR: Register("OPTKEYR", 0, 0),
        SR: Register("SR", 0, 0), CR: Register("CR", CR_LOCK, 0x0301_03FF & ~CR_STRT),
        OPTCR: Register("OPTCR", 0x0FFF_AAED, 0x0FFF_FFEC),
    }  # fmt: skip
    fixed_fields: ClassVar[frozenset[str]] = frozenset(["cells", "on_acr"])  # the core's side
    write_ones = frozenset({KEYR, OPTKEYR})
    stable = frozenset(layout)

    def __init__(self, name: str, irq: int) -> None:
        self._line = IrqLine(self, irq)
        self._busy: Event | None = None
        super().__init__(name)
        self.limits: Sequence[int] = ()
        self.cells: FlashCells | None = None
        self.on_acr: Callable[[int], None] = lambda acr: None

    def reset_values(self) -> None:
        """Registers to their reset values; the contents of the memory and the options stay."""
        options = self.values.get(OPTCR)
        super().reset_values()
        if options is not None:
            self.values[OPTCR] = options | OPTCR_OPTLOCK
        self._keys = self._option_keys = 0  # how many of them came in order
        self._locked_for_good = False
        if self._busy is not None:
            self._busy.cancel()
            self._busy = None

    def reset(self) -> None:
        """Return to the reset state."""
        self.reset_values()
        self._line.drive(False)
        self.on_acr(0)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset == KEYR:
            self._keys = self._unlock(CR, CR_LOCK, KEYS, self._keys, value)
        elif offset == OPTKEYR:
            self._option_keys = self._unlock(
                OPTCR, OPTCR_OPTLOCK, OPTION_KEYS, self._option_keys, value
            )
        elif offset == SR:
            self.values[SR] &= ~(value & (SR_EOP | _ERRORS))
            self._update_irq()
        elif offset == CR:
            self._write_control(value)
        elif offset == OPTCR:
            self._write_options(value)
        else:
            self.store(offset, value)
            self.check_latency()
            self.on_acr(self.values[ACR])

    # Wait states

    def check_latency(self) -> None:
        """HCLK against the wait states (table 10): too few, and the core reads rubbish."""
        latency, hclk_hz = self.values[ACR] & ACR_LATENCY, self.bus.clocks().hclk_hz
        if not self.limits or hclk_hz <= self.limits[min(latency, len(self.limits) - 1)]:
            return
        expected = f"at most {self.limits[-1] / 1e6:g} MHz"
        if hclk_hz <= self.limits[-1]:
            expected = str(next(n for n, limit in enumerate(self.limits) if hclk_hz <= limit))
        text = f"HCLK {hclk_hz / 1e6:g} MHz with FLASH_ACR.LATENCY {latency}, expected {expected}"
        self.bus.report(Check.FLASH_LATENCY, self.name, text)

    # Keys and locks

    def _unlock(self, register: int, lock: int, keys: Sequence[int], seen: int, value: int) -> int:
        """A wrong key locks until the next reset (section 3.6.1)."""
        if self._locked_for_good or not self.values[register] & lock or value != keys[seen]:
            self._locked_for_good = True
            return 0
        if seen + 1 == len(keys):
            self.values[register] &= ~lock
            return 0
        return seen + 1

    def _write_control(self, value: int) -> None:
        if self.values[CR] & CR_LOCK:
            return
        self._wait_until_done()
        self.store(CR, value)
        if value & CR_LOCK:
            self.values[CR] |= CR_LOCK
        if value & CR_STRT and self.values[CR] & (CR_SER | CR_MER | CR_MER1):
            self._erase(self.values[CR])
        self._update_irq()

    def _write_options(self, value: int) -> None:
        if self.values[OPTCR] & OPTCR_OPTLOCK:
            return
        self.store(OPTCR, value)
        if value & OPTCR_OPTLOCK:
            self.values[OPTCR] |= OPTCR_OPTLOCK
        if value & OPTCR_OPTSTRT:
            self._start(ERASE_NS[16 << 10][2], lambda: None)

    # Erasing and programming

    def _erase(self, control: int) -> None:
        cells = self.cells
        if cells is None:
            return
        table = sectors(cells.size)
        number = control >> 3 & 0x1F
        number -= 4 if number >= 16 else 0  # bank 2 counts on from 16
        chosen = table[number : number + 1]
        if control & (CR_MER | CR_MER1):
            chosen = self._mass(control, table)
        if not chosen or any(self._is_protected(table.index(sector)) for sector in chosen):
            self._fail(SR_WRPERR)
            return
        parallel = control >> 8 & 3
        time_ns = sum(ERASE_NS[length][parallel] for _, length in chosen)

        def erased() -> None:
            for offset, length in chosen:
                cells.write(cells.base + offset, b"\xff" * length)

        self._start(time_ns, erased)

    def _mass(self, control: int, table: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The sectors of a mass erase."""
        return table

    def _is_protected(self, sector: int) -> bool:
        return not self._protection(sector) >> (16 + sector % _BANK_SECTORS) & 1

    def _protection(self, _sector: int) -> int:
        return self.values[OPTCR]

    def program(self, address: int, size: int, value: int) -> None:
        """A store to the memory. Bits only go from 1 to 0 (section 3.6.4)."""
        cells = self.cells
        if cells is None:
            return
        self._wait_until_done()
        control = self.values[CR]
        if control & (CR_LOCK | CR_PG) != CR_PG:
            self._fail(SR_PGSERR)
            return
        if size != min(1 << (control >> 8 & 3), 4):
            self._fail(SR_PGPERR)
            return
        offset = address - cells.base
        sector = next(
            n for n, (at, length) in enumerate(sectors(cells.size)) if offset < at + length
        )
        if self._is_protected(sector):
            self._fail(SR_WRPERR)
            return
        old = int.from_bytes(cells.read(address, size), "little")
        data = (old & value).to_bytes(size, "little")
        self._start(PROGRAM_NS, lambda: cells.write(address, data))

    def _start(self, time_ns: int, done: Callable[[], None]) -> None:
        def ended() -> None:
            self._busy = None
            self.values[SR] &= ~SR_BSY
            self.values[CR] &= ~CR_STRT
            if self.values[CR] & CR_EOPIE:
                self.values[SR] |= SR_EOP
            done()
            self._update_irq()

        self.values[SR] |= SR_BSY
        self._busy = self.bus.schedule_ns(time_ns, ended)
        if self.cells is not None:
            self._due = self.bus.now() + time_ns * self.bus.clocks().hclk_hz // 1_000_000_000
            self.cells.stall(self._due - self.bus.now())

    def _wait_until_done(self) -> None:
        """A write while the Flash is busy stalls the bus as well."""
        if self._busy is not None and self.cells is not None:
            self.cells.stall(max(self._due - self.bus.now(), 0))

    def _fail(self, flag: int) -> None:
        self.values[SR] |= flag | (SR_OPERR if self.values[CR] & CR_ERRIE else 0)
        self._update_irq()

    def _update_irq(self) -> None:
        status, control = self.values[SR], self.values[CR]
        self._line.drive(
            bool(status & SR_EOP and control & CR_EOPIE)
            or bool(status & SR_OPERR and control & CR_ERRIE)
        )


class DualBankFlash(FlashInterface):
    """Of the STM32F42x, F43x, F469 and F479: bank 2 has a mass erase and protections of its own.

    RM0090 sections 3.9.7 to 3.9.11 (STM32F42x, 43x); RM0386 chapter 3.
    """

    layout: ClassVar[Mapping[int, Register]] = {
        **FlashInterface.layout,
        ACR: Register("ACR", 0, 0x1F0F),
        CR: Register("CR", CR_LOCK, 0x0301_83FF & ~CR_STRT),
        OPTCR1: Register("OPTCR1", 0x0FFF_0000, 0x0FFF_0000),
    }
    stable = frozenset(layout)

    def write_word(self, offset: int, value: int) -> None:
        """Write a register and do what the write starts."""
        if offset != OPTCR1:
            super().write_word(offset, value)
        elif not self.values[OPTCR] & OPTCR_OPTLOCK:
            self.store(OPTCR1, value)

    def _mass(self, control: int, table: list[tuple[int, int]]) -> list[tuple[int, int]]:
        first = table[:_BANK_SECTORS] if control & CR_MER else []
        return first + (table[_BANK_SECTORS:] if control & CR_MER1 else [])

    def _protection(self, sector: int) -> int:
        return self.values[OPTCR if sector < _BANK_SECTORS else OPTCR1]
