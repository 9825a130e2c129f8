"""ITM: text by stimulus ports, as a viewer on SWO sees it (DDI 0403E, C1.7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from boardless_sim.peripherals.register import AhbPeripheral, Register

PORTS = 32
TER, TPR, TCR, LAR, LSR = 0xE00, 0xE40, 0xE80, 0xFB0, 0xFB4
TCR_ITMENA = 1 << 0
KEY = 0xC5AC_CE55
LSR_PRESENT, LSR_LOCKED = 1 << 0, 1 << 1


class Itm(AhbPeripheral):
    """A viewer is connected: it has enabled the ITM and port 0, as debuggers do (C1.7.6).

    `on_byte` gets the port and the byte; a write of 2 or 4 bytes is as many.
    """

    size = 0x1000
    layout: ClassVar[Mapping[int, Register]] = {
        **{4 * port: Register(f"STIM{port}", 0, 0) for port in range(PORTS)},
        TER: Register("TER", 1), TPR: Register("TPR", 0, 0xF),
        TCR: Register("TCR", TCR_ITMENA, 0x007F_0F1F), LAR: Register("LAR", 0, 0),
        LSR: Register("LSR", LSR_PRESENT, 0),
    }  # fmt: skip
    stable = frozenset(layout)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.on_byte: Callable[[int, int], None] = lambda port, byte: None

    def read(self, offset: int, size: int) -> int:
        """A stimulus port reads 1: its FIFO is ready (C1.7.3)."""
        return 1 if offset < 4 * PORTS else super().read(offset, size)

    def write(self, offset: int, size: int, value: int) -> None:
        """A write to an enabled port is sent; what sets up is locked until LAR has the key."""
        if offset < 4 * PORTS:
            port = offset >> 2
            if self.values[TCR] & TCR_ITMENA and self.values[TER] >> port & 1:
                for byte in value.to_bytes(size, "little"):
                    self.on_byte(port, byte)
        elif offset == LAR:
            self.values[LSR] = LSR_PRESENT | (0 if value == KEY else LSR_LOCKED)
        elif not self.values[LSR] & LSR_LOCKED:
            super().write(offset, size, value)
