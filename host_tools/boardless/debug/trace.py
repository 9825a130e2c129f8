"""What a firmware did, in order: registers by name, exceptions, lines of the UARTs, captures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from boardless_sim.core.library import CoreRecord
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.places import exception_name

# Of the core, by address (DDI 0403E, B3.2.2, B3.3.2, B3.4.3, C1.6, C1.8).
_CORE = {
    **{0xE000_E010 + 4 * n: ("SYST", name) for n, name in enumerate(("CSR", "RVR", "CVR"))},
    **{
        0xE000_E100 + 0x80 * bank + 4 * word: ("NVIC", f"{name}{word}")
        for bank, name in enumerate(("ISER", "ICER", "ISPR", "ICPR", "IABR"))
        for word in range(3)
    },
    **{0xE000_E400 + 4 * word: ("NVIC", f"IPR{word}") for word in range(21)},
    **{
        0xE000_ED00 + 4 * word: ("SCB", name)
        for word, name in enumerate(
            ("CPUID", "ICSR", "VTOR", "AIRCR", "SCR", "CCR", "SHPR1", "SHPR2", "SHPR3", "SHCSR",
             "CFSR", "HFSR", "DFSR", "MMFAR", "BFAR", "AFSR")
        )
    },
    0xE000_ED88: ("SCB", "CPACR"),
    **{
        0xE000_ED90 + 4 * word: ("MPU", name)
        for word, name in enumerate(("TYPE", "CTRL", "RNR", "RBAR", "RASR"))
    },
    0xE000_EDFC: ("DCB", "DEMCR"),
    0xE000_1000: ("DWT", "CTRL"),
    0xE000_1004: ("DWT", "CYCCNT"),
}  # fmt: skip


class TraceKind(Enum):
    """What happened."""

    READ = "read"
    WRITE = "write"
    ENTER = "enter"
    LEAVE = "leave"
    LINE = "line"
    CAPTURE = "capture"


_KINDS = (
    TraceKind.READ,
    TraceKind.WRITE,
    TraceKind.ENTER,
    TraceKind.LEAVE,
)  # as debug.h numbers them


@dataclass(frozen=True)
class Happening:
    """One of them, at a virtual time. `device` did it or it was done to; `name` is the register.

    `function` is the code that ran; `text` a line's.
    """

    time_ps: int
    kind: TraceKind
    device: str
    name: str = ""
    value: int = 0
    size: int = 0
    function: str = ""
    text: str = ""


@dataclass(frozen=True)
class Filter:
    """Which happenings are wanted; nothing said is everything."""

    devices: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    from_us: float = 0
    to_us: float = float("inf")

    def passes(self, happening: Happening) -> bool:
        """Whether it is one."""
        return (
            (not self.devices or happening.device in self.devices)
            and (not self.functions or happening.function in self.functions)
            and self.from_us <= happening.time_ps / 1e6 <= self.to_us
        )


class Tracer:
    """Follows a board from here on; `take` after a run, and what it gives is in order."""

    def __init__(self, engine: NativeEngine, image: FirmwareImage) -> None:
        self._engine, self._image = engine, image
        self._names: dict[int, tuple[str, str]] = {}
        self._lines = len(engine.uart_lines())
        self._captures = len(engine.captures())
        engine.machine.cpu.trace()

    def take(self, wanted: Filter) -> list[Happening]:
        """What happened since the last call."""
        found = [self._happening(record) for record in self._engine.machine.cpu.traced()]
        found += self._outside()
        return sorted(filter(wanted.passes, found), key=lambda happening: happening.time_ps)

    def _happening(self, record: CoreRecord) -> Happening:
        kind = _KINDS[record.kind]
        time_ps = self._engine.machine.ps_at(record.cycles)
        function = self._image.function_at(record.pc) if record.pc else ""
        if kind in (TraceKind.ENTER, TraceKind.LEAVE):
            name = exception_name(self._engine.machine, record.address)
            return Happening(time_ps, kind, name, function=function)
        if record.address not in self._names:
            self._names[record.address] = self._name(record.address)
        device, name = self._names[record.address]
        return Happening(time_ps, kind, device, name, record.value, record.size_bytes, function)

    def _name(self, address: int) -> tuple[str, str]:
        core = _CORE.get(address & ~3)
        return core if core is not None else self._engine.machine.register_name(address)

    def _outside(self) -> Iterator[Happening]:
        for line in self._engine.uart_lines()[self._lines :]:
            yield Happening(round(line.time_us * 1e6), TraceKind.LINE, line.port, text=line.text)
        for capture in self._engine.captures()[self._captures :]:
            yield Happening(
                round(capture.time_us * 1e6), TraceKind.CAPTURE, "camera", value=capture.number
            )
        self._lines = len(self._engine.uart_lines())
        self._captures = len(self._engine.captures())
