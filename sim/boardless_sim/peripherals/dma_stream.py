"""One stream of a DMA controller: registers, flags and transfers (RM0090 section 10.3)."""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.foreseen import DmaRoom
from boardless_sim.peripherals.gated import Gated
from boardless_sim.peripherals.peripheral import BusFault, Event, Peripheral
from boardless_sim.peripherals.register import WORD, IrqLine

CR, NDTR, PAR, M0AR, M1AR, FCR = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14

CR_EN, CR_DMEIE, CR_TEIE, CR_HTIE, CR_TCIE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4
CR_PFCTRL, CR_CIRC, CR_PINC, CR_MINC = 1 << 5, 1 << 8, 1 << 9, 1 << 10
CR_PINCOS, CR_DBM, CR_CT = 1 << 15, 1 << 18, 1 << 19
DIR_P2M, DIR_M2P, DIR_M2M = 0, 1, 2
FCR_DMDIS, FCR_FEIE = 1 << 2, 1 << 7
FEIF, DMEIF, TEIF, HTIF, TCIF = 1 << 0, 1 << 2, 1 << 3, 1 << 4, 1 << 5
FLAGS = FEIF | DMEIF | TEIF | HTIF | TCIF

_CR_WRITABLE, _CR_WHILE_ENABLED = 0x0FEF_FFFF, CR_EN | CR_DMEIE | CR_TEIE | CR_HTIE | CR_TCIE
_FCR_RESET = 0x21  # FIFO empty, half-full threshold
_BURST_BEATS = (1, 4, 8, 16)
_COPY_CYCLES_PER_UNIT = 4  # memory to memory: a read and a write, each of two cycles on the AHB


class Stream:
    """A stream. `registers` is what the firmware reads at the stream's offsets."""

    def __init__(self, owner: Peripheral, number: int, irq: int, *, memory_to_memory: bool) -> None:
        self.number = number
        self.registers: dict[int, int] = {}
        self.flags = 0
        self._owner = owner
        self._line = IrqLine(owner, irq)
        self._may_copy = memory_to_memory
        self._copying: Event | None = None
        self._clear_registers()

    def reset(self) -> None:
        """Return to the reset state."""
        self._clear_registers()
        self._update_irq()

    @property
    def enabled(self) -> bool:
        """Whether the stream takes requests."""
        return bool(self.registers[CR] & CR_EN)

    @property
    def channel(self) -> int:
        """Which of the eight request inputs the stream listens to."""
        return self.registers[CR] >> 25 & 7

    def write(self, register: int, value: int) -> None:
        """A write by the firmware; what is protected while the stream is enabled stays (10.5.5)."""
        if register == CR:
            self._write_cr(value)
        elif register == FCR:
            writable = FCR_FEIE | (0 if self.enabled else 0x7)
            self.registers[FCR] = (self.registers[FCR] & ~writable) | (value & writable)
            self._update_irq()
        elif not self.enabled:
            self.registers[register] = value & (0xFFFF if register == NDTR else WORD)
        elif register in (M0AR, M1AR) and self.registers[CR] & CR_DBM:
            in_use = M1AR if self.registers[CR] & CR_CT else M0AR
            if register == in_use:
                self.fail()
            else:
                self.registers[register] = value & WORD

    def clear(self, flags: int) -> None:
        """What the firmware writes to LIFCR or HIFCR."""
        self.flags &= ~flags
        self._update_irq()

    def serve(self, units: int) -> int:
        """Move up to `units` items of PSIZE between the peripheral and memory."""
        left = units
        while left and self.registers[CR] & CR_EN:
            count = min(left, self.registers[NDTR])
            try:
                self._move(count)
            except BusFault:
                self.fail()
                break
            left -= count
            self._count_down(count)
        return units - left

    def room(self) -> DmaRoom | None:
        """What can be moved before a flag changes, by the short way only."""
        if self._device is None or not self.registers[CR] & CR_MINC:
            return None
        left, half = self.registers[NDTR], self._reload // 2
        return DmaRoom(
            to_memory=self._direction == DIR_P2M,
            address=self._memory,
            unit_bytes=self._unit,
            units=(left - half if left > half else left) - 1,
            buffer=self._buffer,
            device=self._device[0],
            advance=self._advance,
        )

    def _advance(self, units: int) -> None:
        self._memory += units * self._unit
        self.registers[NDTR] -= units

    def serves(self, request: str) -> bool:
        """Whether it writes to no other device than the one that raises the request."""
        if self._direction != DIR_M2P:
            return True
        return self._device is not None and request.startswith(self._device[0].name)

    def end(self) -> None:
        """The last transfer of a device that controls the flow (section 10.3.15)."""
        if self.registers[CR] & (CR_EN | CR_PFCTRL) == CR_EN | CR_PFCTRL:
            self.flags |= TCIF
            self.registers[CR] &= ~CR_EN
            self._update_irq()

    def _clear_registers(self) -> None:
        self.registers = {CR: 0, NDTR: 0, PAR: 0, M0AR: 0, M1AR: 0, FCR: _FCR_RESET}
        self.flags = 0
        if self._copying is not None:
            self._copying.cancel()
            self._copying = None

    # Enabling and disabling

    def _write_cr(self, value: int) -> None:
        old = self.registers[CR]
        if old & CR_EN:
            self.registers[CR] = (old & ~_CR_WHILE_ENABLED) | (value & _CR_WHILE_ENABLED)
            if not value & CR_EN:
                self._disabled_by_software()
        else:
            self.registers[CR] = value & _CR_WRITABLE
            if value & CR_EN:
                self._enable()
        self._update_irq()

    def _enable(self) -> None:
        control = self.registers[CR]
        if control & CR_PFCTRL:
            self.registers[NDTR] = 0xFFFF  # and stands there (section 10.3.15)
        if self.flags & (TCIF | TEIF) or not self.registers[NDTR]:
            # The flags of the last transfer bar a new one (section 10.3.17).
            self.registers[CR] &= ~CR_EN
            return
        self._decode(control)
        if self._direction == DIR_M2M:
            self.registers[FCR] |= FCR_DMDIS
        if not self._burst_fits():
            self.flags |= FEIF
            self.registers[CR] &= ~CR_EN
            return
        if self._direction == DIR_M2M:
            if self._may_copy:
                self._copy_in_time()
            else:
                self.fail()

    def _decode(self, control: int) -> None:
        """What stays fixed while the stream is enabled."""
        self._direction = control >> 6 & 3
        self._unit = 1 << (control >> 11 & 3)
        fifo = self.registers[FCR] & FCR_DMDIS or self._direction == DIR_M2M
        self._memory_unit = 1 << (control >> 13 & 3) if fifo else self._unit
        self._peripheral_step = 0
        if control & CR_PINC:
            self._peripheral_step = 4 if control & CR_PINCOS else self._unit
        self._reload = self.registers[NDTR]
        device = self._owner.bus.device_at(self.registers[PAR])
        fixed = device is not None and not isinstance(device[0], Gated)  # its clock may come later
        self._device = device if fixed and not self._peripheral_step else None
        self._rewind()

    def _choose_path(self) -> Callable[[int], None]:
        """How items move; the usual case, one register and a buffer, has a short way."""
        control = self.registers[CR]
        short = self._device is not None and control & CR_MINC
        if self._direction == DIR_P2M:
            return self._register_to_buffer if short else self._peripheral_to_memory
        return self._buffer_to_register if short else self._memory_to_peripheral

    def _rewind(self) -> None:
        second = self.registers[CR] & CR_DBM and self.registers[CR] & CR_CT
        self._memory = self._buffer = self.registers[M1AR if second else M0AR]
        self._peripheral = self.registers[PAR]
        self._move = self._choose_path()

    def _burst_fits(self) -> bool:
        """A memory burst must divide the FIFO threshold (table 48)."""
        if not self.registers[FCR] & FCR_DMDIS:
            return True
        burst = _BURST_BEATS[self.registers[CR] >> 23 & 3]
        threshold_bytes = 4 * ((self.registers[FCR] & 3) + 1)
        return burst == 1 or threshold_bytes % (burst * self._memory_unit) == 0

    def _disabled_by_software(self) -> None:
        """Disabled before the end: what the FIFO held is flushed, and that counts as complete."""
        if self._copying is not None:
            self._copying.cancel()
            self._copying = None
        if self._direction != DIR_M2P:
            self.flags |= TCIF

    def fail(self) -> None:
        """A bus error: the stream ends with TEIF (10.3.17)."""
        self.flags |= TEIF
        self.registers[CR] &= ~CR_EN
        self._update_irq()

    # Moving

    def _register_to_buffer(self, count: int) -> None:
        assert self._device is not None
        device, offset = self._device
        data = device.read_block(offset, self._unit, count)
        self._owner.bus.memory_write(self._memory, data, self._buffer)
        self._memory += len(data)

    def _buffer_to_register(self, count: int) -> None:
        assert self._device is not None
        device, offset = self._device
        unit = self._unit
        data = self._owner.bus.memory_read(self._memory, count * unit)
        self._memory += len(data)
        for start in range(0, len(data), unit):
            device.write(offset, unit, int.from_bytes(data[start : start + unit], "little"))

    def _peripheral_to_memory(self, count: int) -> None:
        self._to_memory(self._read_peripheral(count))

    def _memory_to_peripheral(self, count: int) -> None:
        self._write_peripheral(self._from_memory(count * self._unit))

    def _read_peripheral(self, count: int) -> bytes:
        if self._device is not None:
            device, offset = self._device
            return device.read_block(offset, self._unit, count)
        if self._peripheral_step == self._unit:
            found = self._owner.bus.device_at(self._peripheral)
            if found is None:
                data = self._owner.bus.memory_read(self._peripheral, count * self._unit)
                self._peripheral += len(data)
                return data
        data = b""
        for _ in range(count):
            found = self._owner.bus.device_at(self._peripheral)
            if found is None:
                data += self._owner.bus.memory_read(self._peripheral, self._unit)
            else:
                data += found[0].read(found[1], self._unit).to_bytes(self._unit, "little")
            self._peripheral += self._peripheral_step
        return data

    def _write_peripheral(self, data: bytes) -> None:
        unit = self._unit
        for start in range(0, len(data), unit):
            item = data[start : start + unit]
            found = self._device or self._owner.bus.device_at(self._peripheral)
            if found is None:
                self._owner.bus.memory_write(self._peripheral, item)
            else:
                found[0].write(found[1], unit, int.from_bytes(item, "little"))
            self._peripheral += self._peripheral_step

    def _to_memory(self, data: bytes) -> None:
        """Items packed or unpacked by the FIFO keep the order of their bytes (section 10.3.10)."""
        if self.registers[CR] & CR_MINC:
            self._owner.bus.memory_write(self._memory, data, self._buffer)
            self._memory += len(data)
        else:
            for start in range(0, len(data), self._memory_unit):
                self._owner.bus.memory_write(self._memory, data[start : start + self._memory_unit])

    def _from_memory(self, size: int) -> bytes:
        if self.registers[CR] & CR_MINC:
            data = self._owner.bus.memory_read(self._memory, size)
            self._memory += size
            return data
        beat = self._owner.bus.memory_read(self._memory, self._memory_unit)
        return (beat * (size // len(beat) + 1))[:size]

    def _count_down(self, count: int) -> None:
        before = self.registers[NDTR]
        after = before - count
        self.registers[NDTR] = after
        half = self._reload // 2
        if after <= half < before:
            self.flags |= HTIF
            self._update_irq()
        if after == 0:
            self._complete()
            self._update_irq()

    def _complete(self) -> None:
        self.flags |= TCIF
        control = self.registers[CR]
        if control & (CR_CIRC | CR_DBM) and self._direction != DIR_M2M:
            if control & CR_DBM:
                self.registers[CR] ^= CR_CT
            self.registers[NDTR] = self._reload
            self._rewind()
        else:
            self.registers[CR] &= ~CR_EN

    # Memory to memory

    def _copy_in_time(self) -> None:
        """Copy the first half, then the rest, each when its time has passed."""
        first = self._reload - self._reload // 2
        self._copy_after(first)

    def _copy_after(self, units: int) -> None:
        def copied() -> None:
            self._copying = None
            self._copy(units)
            if self.enabled:
                self._copy_after(self.registers[NDTR])

        self._copying = self._owner.bus.schedule(units * _COPY_CYCLES_PER_UNIT, copied)

    def _copy(self, units: int) -> None:
        """The source is PAR, the destination M0AR (section 10.3.6)."""
        try:
            self._to_memory(self._read_peripheral(units))
        except BusFault:
            self.fail()
            return
        self._count_down(units)

    def _update_irq(self) -> None:
        control, flags = self.registers[CR], self.flags
        asserted = (
            (flags & TCIF and control & CR_TCIE)
            or (flags & HTIF and control & CR_HTIE)
            or (flags & TEIF and control & CR_TEIE)
            or (flags & DMEIF and control & CR_DMEIE)
            or (flags & FEIF and self.registers[FCR] & FCR_FEIE)
        )
        self._line.drive(bool(asserted))
