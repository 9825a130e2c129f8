"""Who called whom: the call stack of a stopped core, by the ELF's call frame information.

.debug_frame (DWARF 5, 6.4) says of every instruction where its function's frame begins and where it
saved the registers of its caller. Where it says nothing, the caller is taken to be in LR. An
exception's frame (DDI 0403E, B1.5.6) leads on to what it interrupted.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any, Protocol

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import FaultInfo
from boardless_sim.errors import EngineError

MAX_DEPTH = 64
_MOST_DEPTH = 20_000  # an overflow of 128 KB by calls of 8 bytes
_KEPT_LEVELS = 32  # whose arguments anybody would read
_SP, _LR, _PC = 13, 14, 15
_NOT_PRESERVED = frozenset({0, 1, 2, 3, 12})  # by a call (AAPCS, 6.1.1)
_EXCEPTION_RETURN = 0xFFFF_FFE0  # EXC_RETURN and the LR of reset: nobody called (DDI 0403E, B1.5.8)
_RETURNS = (1, 9, 13)  # bits 3:0 of EXC_RETURN: to a handler, to thread mode on either stack
_TO_PROCESS, _BASIC = 1 << 2, 1 << 4
_ALIGNED = 1 << 9  # of the stacked xPSR: four bytes more were left out
_STACKED = (0, 1, 2, 3, 12, _LR)
_REFUSED = 1 << 12 | 1 << 4  # CFSR.STKERR, MSTKERR: there is no frame (B3.2.15)
# What the readers of debug information raise where it is damaged.
DAMAGE = (
    ELFError,
    DWARFError,
    ConstructError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    NotImplementedError,  # pyelftools, of forms that it does not know
)


class Core(Protocol):
    """What is read of a stopped core."""

    def read_register(self, name: str) -> int:
        """r0 to r12, sp, lr, pc."""

    def read_memory(self, address: int, size: int) -> bytes:
        """Raises `EngineError` where there is no memory."""


Rule = tuple[int, int]  # a register and what to add to it
Row = tuple[Rule, dict[int, int]]  # the frame's start, and where below it registers are saved


class CallFrames:
    """The call frame information of one ELF. What cannot be read is as if it were not there."""

    def __init__(self, raw: bytes) -> None:
        self._rows: dict[int, Row | None] = {}
        self._functions: list[tuple[int, int, FDE]] = []
        try:
            elf = ELFFile(BytesIO(raw))
            if elf.get_section_by_name(".debug_frame") is not None:
                entries = elf.get_dwarf_info(relocate_dwarf_sections=False).CFI_entries()
                self._functions = sorted(
                    (
                        (
                            entry.header["initial_location"] & ~1,
                            entry.header["address_range"],
                            entry,
                        )
                        for entry in entries
                        if isinstance(entry, FDE)
                    ),
                    key=lambda function: function[:2],
                )
        except DAMAGE:
            self._functions = []
        self._starts = [start for start, _, _ in self._functions]

    def __bool__(self) -> bool:
        return bool(self._functions)

    def row(self, address: int) -> Row | None:
        """What holds before the instruction at an address; None where nothing is said."""
        if address not in self._rows:
            self._rows[address] = self._find(address)
        return self._rows[address]

    def _find(self, address: int) -> Row | None:
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address >= self._functions[at][0] + self._functions[at][1]:
            return None
        found: Row | None = None
        try:
            for line in self._functions[at][2].get_decoded().table:
                if (line["pc"] & ~1) > address:
                    break
                found = _row(line)
        except DAMAGE:
            return None
        return found


def _row(line: dict[Any, Any]) -> Row | None:
    """A line of the decoded table; None where an expression gives the frame's start."""
    cfa = line["cfa"]
    if cfa.reg is None or cfa.offset is None:
        return None
    saved = {
        register: rule.arg
        for register, rule in line.items()
        if isinstance(register, int) and rule.type == "OFFSET"
    }
    return (cfa.reg, cfa.offset), saved


@dataclass(frozen=True)
class CallLevel:
    """One call that has not returned, or the entry to an exception (`EXCEPTION`).

    `registers`: those that are known to be the call's, r0 to r15, of the innermost calls.
    """

    function: str
    pc: int
    frame: int = field(default=0, compare=False)  # SP as it was before the call; 0: not known
    registers: Mapping[int, int] = field(default_factory=dict, compare=False, repr=False)


EXCEPTION = CallLevel("<exception>", 0)


class Unwinder:
    """The functions that are on the stack of a core."""

    def __init__(self, image: FirmwareImage, core: Core) -> None:
        self._image, self._core = image, core
        self.frames = CallFrames(image.raw)

    def stack(self) -> tuple[str, ...]:
        """Outermost first. A handler is outermost: what it interrupted did not call it."""
        names: list[str] = []
        pc = self._core.read_register("pc")
        registers = _Registers(self._core)
        while len(names) < MAX_DEPTH:
            names.append(self._image.function_at(pc))
            returns_to = self._step(pc, registers, innermost=len(names) == 1)
            if returns_to is None or returns_to >= _EXCEPTION_RETURN:
                break
            pc = (returns_to & ~1) - 2  # in the call, not behind it: that may be another function
            if self._image.function_at(pc) == "?":
                break
        return tuple(reversed(names))

    def walk(self, fault: FaultInfo | None = None) -> tuple[CallLevel, ...]:
        """Innermost first, through the frames of exceptions to what they interrupted.

        `fault`: the first one, whose frame could not be stacked where the stack had no room.
        """
        levels: list[CallLevel] = []
        pc, innermost = self._core.read_register("pc"), True
        registers = _Registers(self._core)
        while len(levels) < _MOST_DEPTH:
            name = self._image.function_at(pc)
            kept = registers.known(pc) if len(levels) < _KEPT_LEVELS else {}
            levels.append(CallLevel(name, pc, registers=kept))
            returns_to = self._step(pc, registers, innermost)
            if returns_to is not None:
                levels[-1] = replace(levels[-1], frame=registers.value(_SP))
            innermost = False
            if returns_to is None:
                break
            if returns_to >= _EXCEPTION_RETURN:
                interrupted = _leave_handler(self._core, returns_to, registers, fault)
                if interrupted is None:
                    break
                levels.append(EXCEPTION)
                pc, innermost = interrupted, True
                continue
            pc = (returns_to & ~1) - 2
            if self._image.function_at(pc) == "?":
                break
        return tuple(levels)

    def _step(self, pc: int, registers: _Registers, innermost: bool) -> int | None:
        """Where the function at `pc` returns to; the registers become its caller's."""
        row = self.frames.row(pc)
        if row is None:
            if not innermost:
                return None
            link = registers.value(_LR)
            is_own = self._image.function_at((link & ~1) - 2) == self._image.function_at(pc)
            return None if is_own else link
        (base, offset), saved = row
        if _LR not in saved and not innermost:
            return None
        try:
            frame = registers.value(base) + offset & 0xFFFF_FFFF
            restored = {
                register: int.from_bytes(
                    self._core.read_memory(frame + place & 0xFFFF_FFFF, 4), "little"
                )
                for register, place in saved.items()
                if register <= _LR
            }
        except EngineError:
            return None
        if not innermost and frame <= registers.value(_SP):
            return None
        registers.restore({**restored, _SP: frame})
        registers.forget(_NOT_PRESERVED - restored.keys())
        return registers.value(_LR)


class _Registers:
    """Those of the core, until a caller's are known."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._known: dict[int, int] = {}
        self._lost: set[int] = set()

    def known(self, pc: int) -> dict[int, int]:
        """All that are the function's own at `pc`."""
        mine = [number for number in range(_LR + 1) if number not in self._lost]
        return {**{number: self.value(number) for number in mine}, _PC: pc}

    def forget(self, numbers: Set[int]) -> None:
        """A call may have changed them, and nothing tells what they were."""
        self._lost |= numbers

    def value(self, register: int) -> int:
        """Raises `EngineError` for one that the core does not have."""
        if register not in self._known:
            self._known[register] = self._core.read_register(f"r{register}")
        return self._known[register]

    def restore(self, values: dict[int, int]) -> None:
        self._known.update(values)
        self._lost -= values.keys()


def _leave_handler(
    core: Core, exc_return: int, registers: _Registers, fault: FaultInfo | None
) -> int | None:
    """Where the exception interrupted the code below it; the registers become that code's."""
    if exc_return & 0xF not in _RETURNS:
        return None
    if fault is not None and fault.cfsr & _REFUSED and fault.sp is not None:
        kept = dict(enumerate(fault.registers))
        registers.restore({**kept, _SP: fault.sp, _LR: fault.lr or 0})
        return fault.pc
    try:
        sp = core.read_register("psp") if exc_return & _TO_PROCESS else registers.value(_SP)
        *saved, pc, xpsr = struct.unpack("<8I", core.read_memory(sp, 32))
    except EngineError:
        return None
    size = (0x20 if exc_return & _BASIC else 0x68) + (4 if xpsr & _ALIGNED else 0)
    registers.restore({**dict(zip(_STACKED, saved, strict=True)), _SP: sp + size})
    return int(pc) & ~1
