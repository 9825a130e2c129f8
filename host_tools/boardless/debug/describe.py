"""What GDB is told of the target: its registers and its memories, as XML."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

# Where devices and the core's own registers stand (DDI 0403E, B3.1).
_DEVICES, _PRIVATE_BUS = range(0x4000_0000, 0x6000_0000), range(0xE000_0000, 0xE010_0000)
FLASH_BLOCK_BYTES = 0x4000  # GDB programs whole blocks; the smallest sector (RM0090, table 5)


@dataclass(frozen=True)
class GdbRegister:
    """GDB's number, the core's name ("d3" for a double), the bytes, and how GDB shows it."""

    number: int
    name: str
    size: int
    kind: str


_SYSTEM = ("msp", "psp", "primask", "basepri", "faultmask", "control")
_POINTERS = {"sp": "data_ptr", "pc": "code_ptr", "msp": "data_ptr", "psp": "data_ptr"}
XPSR = 25  # GDB's number since the times of FPA
_GENERAL = (*(f"r{number}" for number in range(13)), "sp", "lr", "pc")
_CORE = (
    *(
        GdbRegister(number, name, 4, _POINTERS.get(name, "uint32"))
        for number, name in enumerate(_GENERAL)
    ),
    GdbRegister(XPSR, "xpsr", 4, "uint32"),
)
_FPU = (
    *(GdbRegister(26 + number, f"d{number}", 8, "ieee_double") for number in range(16)),
    GdbRegister(42, "fpscr", 4, "uint32"),
)
_M_SYSTEM = tuple(
    GdbRegister(43 + number, name, 4, _POINTERS.get(name, "uint32"))
    for number, name in enumerate(_SYSTEM)
)
REGISTERS = {register.number: register for register in _CORE + _FPU + _M_SYSTEM}


def target_xml() -> str:
    """The features of a Cortex-M4F ("ARM Features" in GDB's manual)."""
    features = (
        ("org.gnu.gdb.arm.m-profile", _CORE),
        ("org.gnu.gdb.arm.vfp", _FPU),
        ("org.gnu.gdb.arm.m-system", _M_SYSTEM),
    )
    body = "".join(
        f'<feature name="{name}">{"".join(map(_register_xml, registers))}</feature>'
        for name, registers in features
    )
    return (
        '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0">'
        f"<architecture>arm</architecture>{body}</target>"
    )


def _register_xml(register: GdbRegister) -> str:
    return (
        f'<reg name="{register.name}" bitsize="{8 * register.size}" regnum="{register.number}" '
        f'type="{register.kind}"/>'
    )


@dataclass(frozen=True)
class MapArea:
    """A range of addresses; `kind` is "flash", "ram" or "rom"."""

    kind: str
    start: int
    size: int


def memory_map_xml(memories: Collection[MapArea]) -> str:
    """What may be read, written, and programmed: memories, and the registers around them."""
    areas = [*memories, *_registers_beside(memories)]
    return (
        '<?xml version="1.0"?><!DOCTYPE memory-map PUBLIC "+//IDN gnu.org//DTD GDB Memory Map '
        'V1.0//EN" "http://sourceware.org/gdb/gdb-memory-map.dtd"><memory-map>'
        + "".join(map(_area_xml, areas))
        + "</memory-map>"
    )


def _registers_beside(memories: Collection[MapArea]) -> Iterator[MapArea]:
    start = _DEVICES.start
    for area in sorted(memories, key=lambda memory: memory.start):
        if area.start in _DEVICES:  # GDB takes no area twice
            yield MapArea("ram", start, area.start - start)
            start = area.start + area.size
    yield MapArea("ram", start, _DEVICES.stop - start)
    yield MapArea("ram", _PRIVATE_BUS.start, len(_PRIVATE_BUS))


def _area_xml(area: MapArea) -> str:
    head = f'<memory type="{area.kind}" start="{area.start:#x}" length="{area.size:#x}"'
    if area.kind != "flash":
        return head + "/>"
    return f'{head}><property name="blocksize">{FLASH_BLOCK_BYTES:#x}</property></memory>'
