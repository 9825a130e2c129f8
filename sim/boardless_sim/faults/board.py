"""What can go wrong on the board beside the camera, each at a virtual time. ::

engine.inject(DmaStall(for_us=500.0), at_us=100_000.0)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from boardless_sim.faults.sensor import require


@dataclass(frozen=True)
class BoardFault:
    """`detectable`: whether firmware can tell from what its chip says; `reason`: from what."""

    detectable: ClassVar[bool] = True
    reason: ClassVar[str] = ""


@dataclass(frozen=True)
class MemoryBitFlip(BoardFault):
    """One bit of RAM or Flash becomes the other."""

    address: int
    bit: int
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "the memory has no parity"

    def __post_init__(self) -> None:
        require(0 <= self.bit <= 7, "memory bit flip", f"bit {self.bit}", "0 to 7")
        require(0 <= self.address < 1 << 32, "memory bit flip", hex(self.address), "an address")


@dataclass(frozen=True)
class RegisterBitFlip(BoardFault):
    """One bit of a core register becomes the other."""

    register: str
    bit: int
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "a fault where it leads astray, else nothing"

    def __post_init__(self) -> None:
        require(0 <= self.bit <= 31, "register bit flip", f"bit {self.bit}", "0 to 31")


@dataclass(frozen=True)
class DmaError(BoardFault):
    """The stream that serves a request meets a bus error (RM0090 10.3.17)."""

    request: str = "DCMI"
    reason: ClassVar[str] = "TEIF of the stream"


@dataclass(frozen=True)
class DmaStall(BoardFault):
    """The bus is taken by others for a time: what DMA does not fetch in time is overrun."""

    for_us: float
    reason: ClassVar[str] = "OVR in DCMI_RIS"

    def __post_init__(self) -> None:
        require(0 < self.for_us < 1e9, "DMA stall", f"{self.for_us} us", "some time")


@dataclass(frozen=True)
class SpuriousInterrupt(BoardFault):
    """An interrupt that no device asked for."""

    irq: int
    reason: ClassVar[str] = "the handler finds no flag"

    def __post_init__(self) -> None:
        require(0 <= self.irq < 240, "spurious interrupt", f"number {self.irq}", "0 to 239")


@dataclass(frozen=True)
class LostInterrupt(BoardFault):
    """An interrupt is not taken for a time: what it stood for is over when it is taken at last."""

    irq: int
    for_us: float
    reason: ClassVar[str] = "no end of the frame within its time"

    def __post_init__(self) -> None:
        require(0 <= self.irq < 240, "lost interrupt", f"number {self.irq}", "0 to 239")
        require(0 < self.for_us < 1e9, "lost interrupt", f"{self.for_us} us", "some time")


@dataclass(frozen=True)
class UartNoise(BoardFault):
    """Bits of what a port sends flip on the line, each byte with a chance, by a seed."""

    port: str
    chance: float
    for_us: float
    seed: int = 1
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "it happens behind the transmitter"

    def __post_init__(self) -> None:
        require(0 < self.chance <= 1, "UART noise", self.chance, "a chance of 0 to 1")
        require(0 < self.for_us < 1e9, "UART noise", f"{self.for_us} us", "some time")


@dataclass(frozen=True)
class UartLoss(BoardFault):
    """Bytes that a port sends do not arrive, each with a chance, by a seed."""

    port: str
    chance: float
    for_us: float
    seed: int = 1
    detectable: ClassVar[bool] = False
    reason: ClassVar[str] = "it happens behind the transmitter"

    def __post_init__(self) -> None:
        require(0 < self.chance <= 1, "UART loss", self.chance, "a chance of 0 to 1")
        require(0 < self.for_us < 1e9, "UART loss", f"{self.for_us} us", "some time")


@dataclass(frozen=True)
class SupplyCut(BoardFault):
    """The supply goes and comes back: RAM is lost, and the chip begins at its reset vector."""

    reason: ClassVar[str] = "PORRSTF in RCC_CSR"


@dataclass(frozen=True)
class ChipReset(BoardFault):
    """A reset by `cause`: IWDG or WWDG (a watchdog was starved), PIN; RAM stays."""

    cause: str = "IWDG"
    reason: ClassVar[str] = "the flag of the cause in RCC_CSR"

    def __post_init__(self) -> None:
        causes = ("IWDG", "WWDG", "PIN")
        require(self.cause in causes, "chip reset", self.cause, f"one of {', '.join(causes)}")
