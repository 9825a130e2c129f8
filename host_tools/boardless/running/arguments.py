"""Arguments and locals of a function that has not returned, from the ELF's debug information.

Where a variable is, its location says (DWARF 5, 2.6): a register, a place in the frame, a constant.
One that the optimiser keeps nowhere, or that only a caller's registers would give, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any

from elftools.dwarf.descriptions import describe_form_class
from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.locationlists import LocationEntry, LocationExpr, LocationParser
from elftools.dwarf.ranges import BaseAddressEntry
from elftools.elf.elffile import ELFFile

from boardless.running.unwind import DAMAGE, CallLevel, Core
from boardless.running.values import as_text, size_of
from boardless_sim.errors import EngineError

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE

_PARAMETER = "DW_TAG_formal_parameter"
_VARIABLES = (_PARAMETER, "DW_TAG_variable")
_MASK = 0xFFFF_FFFF
_MOST = 24  # variables of a function; more are not read at a glance
_MOST_BYTES = 256  # of one of them


@dataclass(frozen=True)
class Variable:
    """One of a function's, with its value as C writes it."""

    name: str
    text: str
    is_argument: bool

    def __str__(self) -> str:
        return f"{self.name} = {self.text}"


class Arguments:
    """Of the functions of one ELF. What cannot be read is as if it were not there."""

    def __init__(self, raw: bytes, core: Core) -> None:
        self._raw, self._core = raw, core

    def of(self, level: CallLevel) -> tuple[Variable, ...]:
        """A call's arguments, then its locals, in the order of the source."""
        try:
            function = self._function(level.pc)
            if function is None:
                return ()
            found = [v for v in self._variables(function, function, level) if v is not None]
        except DAMAGE:
            return ()
        return tuple(sorted(found[:_MOST], key=lambda variable: not variable.is_argument))

    # ---- finding the function ----

    @cached_property
    def _dwarf(self) -> Any:
        elf = ELFFile(BytesIO(self._raw))
        return elf.get_dwarf_info(relocate_dwarf_sections=False) if elf.has_dwarf_info() else None

    @cached_property
    def _locations(self) -> LocationParser:
        return LocationParser(self._dwarf.location_lists())

    def _function(self, pc: int) -> DIE | None:
        unit = None if self._dwarf is None else self._unit(pc)
        if unit is None:
            return None
        functions = (
            die for die in unit.get_top_DIE().iter_children() if die.tag == "DW_TAG_subprogram"
        )
        return next((die for die in functions if self._holds(die, pc)), None)

    def _unit(self, pc: int) -> CompileUnit | None:
        ranges = self._dwarf.get_aranges()
        at = None if ranges is None else ranges.cu_offset_at_addr(pc)
        if at is not None:
            unit: CompileUnit = self._dwarf.get_CU_at(at)
            return unit
        return next((u for u in self._dwarf.iter_CUs() if self._holds(u.get_top_DIE(), pc)), None)

    def _holds(self, die: DIE, pc: int) -> bool:
        low = die.attributes.get("DW_AT_low_pc")
        high = die.attributes.get("DW_AT_high_pc")
        if low is not None and high is not None:
            end = high.value
            if describe_form_class(high.form) == "constant":
                end += low.value
            return bool(low.value <= pc < end)
        if "DW_AT_ranges" not in die.attributes:
            return False
        base = _base_of(die)
        lists = self._dwarf.range_lists()
        for entry in lists.get_range_list_at_offset(die.attributes["DW_AT_ranges"].value, die.cu):
            if isinstance(entry, BaseAddressEntry):
                base = entry.base_address
                continue
            start = 0 if getattr(entry, "is_absolute", False) else base
            if start + entry.begin_offset <= pc < start + entry.end_offset:
                return True
        return False

    # ---- its variables ----

    def _variables(self, function: DIE, scope: DIE, level: CallLevel) -> Iterator[Variable | None]:
        for die in scope.iter_children():
            if die.tag in _VARIABLES:
                yield self._variable(function, die, level)
            elif die.tag == "DW_TAG_lexical_block" and self._holds(die, level.pc):
                yield from self._variables(function, die, level)

    def _variable(self, function: DIE, die: DIE, level: CallLevel) -> Variable | None:
        named = die
        if "DW_AT_abstract_origin" in die.attributes:
            named = die.get_DIE_from_attribute("DW_AT_abstract_origin")
        if "DW_AT_name" not in named.attributes or "DW_AT_type" not in named.attributes:
            return None
        kind = named.get_DIE_from_attribute("DW_AT_type")
        try:
            data = self._data(function, die, level, size_of(kind))
        except (EngineError, *DAMAGE):
            return None
        if data is None:
            return None
        name = named.attributes["DW_AT_name"].value.decode("utf-8", "backslashreplace")
        return Variable(name, as_text(kind, data), die.tag == _PARAMETER)

    def _data(self, function: DIE, die: DIE, level: CallLevel, size: int) -> bytes | None:
        """The variable's bytes."""
        constant = die.attributes.get("DW_AT_const_value")
        if constant is not None:
            return _constant_bytes(constant.value, size)
        location = die.attributes.get("DW_AT_location")
        if location is None or not size:
            return None
        code = self._code_at(die, location, level.pc)
        if code is None:
            return None
        frame_base = function.attributes.get("DW_AT_frame_base")
        base_code = None if frame_base is None else self._code_at(function, frame_base, level.pc)
        machine = _Expression(die.cu.structs, level, base_code)
        return machine.run(code, size, self._core)

    def _code_at(self, die: DIE, attribute: Any, pc: int) -> list[int] | None:
        found = self._locations.parse_from_attribute(attribute, die.cu["version"], die)
        if isinstance(found, LocationExpr):
            return found.loc_expr
        base = _base_of(die)
        for entry in found:
            if not isinstance(entry, LocationEntry):
                base = getattr(entry, "base_address", base)
                continue
            start = 0 if entry.is_absolute else base
            if start + entry.begin_offset <= pc < start + entry.end_offset:
                return entry.loc_expr
        return None


class _Expression:
    """The few operations that a compiler uses for a variable of C (DWARF 5, 2.5)."""

    def __init__(self, structs: Any, level: CallLevel, frame_base: list[int] | None) -> None:
        self._parser = DWARFExprParser(structs)
        self._level, self._frame_base = level, frame_base

    def run(self, code: list[int], size: int, core: Core) -> bytes | None:
        """The bytes that it names; None where an operation, or a register, is not known."""
        operations = self._parser.parse_expr(code)
        if len(operations) == 1 and operations[0].op_name.startswith("DW_OP_reg"):
            value = self._register(operations[0].op_name.removeprefix("DW_OP_reg"))
            return None if value is None or size > 4 else value.to_bytes(4, "little")[:size]
        is_value = bool(operations) and operations[-1].op_name == "DW_OP_stack_value"
        found = self._evaluate(operations[:-1] if is_value else operations)
        if found is None:
            return None
        if is_value:
            return found.to_bytes(4, "little")[:size] if size <= 4 else None
        return core.read_memory(found, min(size, _MOST_BYTES))

    def _register(self, number: str) -> int | None:
        return self._level.registers.get(int(number))

    def _evaluate(self, operations: list[Any]) -> int | None:
        stack: list[int] = []
        for operation in operations:
            value = self._step(operation.op_name.removeprefix("DW_OP_"), operation.args, stack)
            if value is None:
                return None
            stack.append(value & _MASK)
        return stack[-1] if stack else None

    def _step(self, name: str, args: list[int], stack: list[int]) -> int | None:
        if name == "fbreg":
            base = None if self._frame_base is None else self._base(self._frame_base)
            return None if base is None else base + args[0]
        if name == "call_frame_cfa":
            return self._level.frame or None
        if name == "addr" or name.startswith("const"):
            return args[0]
        if name.startswith("lit"):
            return int(name.removeprefix("lit"))
        if name.startswith("breg") and name != "bregx":
            value = self._register(name.removeprefix("breg"))
            return None if value is None else value + args[0]
        if name == "plus_uconst" and stack:
            return stack.pop() + args[0]
        if name in ("plus", "minus") and len(stack) > 1:
            second, first = stack.pop(), stack.pop()
            return first + second if name == "plus" else first - second
        return None

    def _base(self, code: list[int]) -> int | None:
        operations = self._parser.parse_expr(code)
        if len(operations) == 1 and operations[0].op_name.startswith("DW_OP_reg"):
            return self._register(operations[0].op_name.removeprefix("DW_OP_reg"))
        return self._evaluate(operations)


def _constant_bytes(value: Any, size: int) -> bytes | None:
    if isinstance(value, int) and size in (1, 2, 4, 8):
        return (value & (1 << 8 * size) - 1).to_bytes(size, "little")
    return bytes(value)[:size] if isinstance(value, (bytes, list)) else None


def _base_of(die: DIE) -> int:
    """What the offsets of its unit's lists are counted from."""
    low = die.cu.get_top_DIE().attributes.get("DW_AT_low_pc")
    return 0 if low is None else int(low.value)
