"""A debugger's look at memory and registers: nothing is changed, logged or refused by it."""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.core.cpu import Cpu
from boardless_sim.errors import EngineError
from boardless_sim.peripherals.peripheral import Peripheral

PPB = range(0xE000_0000, 0xE010_0000)
SRAM_ALIAS = range(0x2200_0000, 0x2240_0000)
DEVICE_ALIAS = range(0x4200_0000, 0x4300_0000)
_SRAM, _DEVICES = 0x2000_0000, 0x4000_0000
_WORD_BYTES = 4

FindDevice = Callable[[int], tuple[Peripheral, int] | None]


class Look:
    """Reads what stands at an address; `registers` are the ranges that are no memory."""

    def __init__(self, cpu: Cpu, registers: list[range], device_at: FindDevice) -> None:
        self._cpu = cpu
        self._registers = registers
        self._device_at = device_at

    def at(self, address: int, size: int) -> bytes:
        """Bytes of memory, or of registers. Raises `EngineError` where neither is."""
        first = address & ~(_WORD_BYTES - 1)
        if not any(address + size > area.start and first < area.stop for area in self._registers):
            return self._cpu.read(address, size)
        data = b"".join(self._word(word) for word in range(first, address + size, _WORD_BYTES))
        return data[address - first :][:size]

    def put(self, address: int, data: bytes) -> None:
        """Write memory, or registers with all that a write does. Raises `EngineError`."""
        if not any(
            address + len(data) > area.start and address < area.stop for area in self._registers
        ):
            self._cpu.write(address, data)
            return
        width = next(size for size in (4, 2, 1) if not (address | len(data)) % size)
        for offset in range(0, len(data), width):
            value = int.from_bytes(data[offset : offset + width], "little")
            self._put_value(address + offset, width, value)

    def _put_value(self, address: int, width: int, value: int) -> None:
        if address in PPB and self._cpu.poke(address, width, value):
            return
        found = self._device_at(address)
        if found is None:
            raise EngineError(f"no register at {address:#010x} that a debugger could write")
        found[0].write(found[1], width, value)

    def _word(self, address: int) -> bytes:
        if not any(address in area for area in self._registers):
            return self._cpu.read(address, _WORD_BYTES)
        return self._value(address).to_bytes(_WORD_BYTES, "little")

    def _value(self, address: int) -> int:
        if address in SRAM_ALIAS:
            return self._bit(address - SRAM_ALIAS.start, _SRAM)
        if address in DEVICE_ALIAS:
            return self._bit(address - DEVICE_ALIAS.start, _DEVICES)
        value = self._cpu.peek(address) if address in PPB else None
        if value is not None:
            return value
        found = self._device_at(address)
        return 0 if found is None else found[0].peek(found[1], _WORD_BYTES)

    def _bit(self, offset: int, base: int) -> int:
        """Word n of an alias is bit n of its region (DDI 0403E, B3.1.1)."""
        return self.at(base + (offset >> 5), 1)[0] >> (offset >> 2 & 7) & 1
