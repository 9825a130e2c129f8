"""Who a call through a pointer may reach: by annotation, by what the ELF shows, never nobody."""

from __future__ import annotations

import difflib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from boardless.budget.stack.annotations import StackAnnotations
from boardless.budget.stack.calls import CallGraph
from boardless.budget.stack.frames import IndirectCall, Value, What
from boardless.budget.stack.program import Program
from boardless.budget.stack.prototypes import Prototypes
from boardless.budget.stack.report import Grade
from boardless_sim.errors import ConfigError

_VTABLE_HEADER = 8


@dataclass(frozen=True)
class Resolution:
    """One call through a pointer and everybody it may reach."""

    caller: int
    call: IndirectCall
    grade: Grade
    chosen_by: str
    targets: tuple[int, ...]


class Resolver:
    """Narrows the candidates of every indirect call of a program."""

    def __init__(self, program: Program, graph: CallGraph, annotations: StackAnnotations) -> None:
        self._program = program
        self._graph = graph
        self._annotated = _annotated_calls(program, graph, annotations)
        self._taken: tuple[int, ...] | None = None
        self._types: Prototypes | None = None

    def resolve(self) -> tuple[Resolution, ...]:
        """Every indirect call, in the order of the code."""
        return tuple(
            self._resolve(caller, call)
            for caller, scan in sorted(self._graph.scans.items())
            for _, call in sorted(scan.indirect.items())
        )

    def _resolve(self, caller: int, call: IndirectCall) -> Resolution:
        annotated = self._annotated.get((caller, call.at), self._annotated.get((caller, None)))
        if annotated is not None:
            return Resolution(caller, call, Grade.ANNOTATED, "annotation", annotated)
        if call.through is not None and call.through.what == What.TABLE:
            targets, is_whole = self._table(call.through.number)
            if targets:
                grade = Grade.EXACT if is_whole else Grade.ASSUMED
                return Resolution(caller, call, grade, "read-only table", targets)
        chosen_by, targets = self._candidates(caller, call.through)
        grade = Grade.ASSUMED if targets else Grade.UNBOUNDED
        return Resolution(caller, call, grade, chosen_by, targets)

    def _table(self, address: int) -> tuple[tuple[int, ...], bool]:
        """The functions of a read-only table, and whether it holds nothing else."""
        found = self._program.object_at(address)
        if found is None:
            return (), False
        words = [
            self._program.constant(at)
            for at in range(address, min(found.address + found.size, address + 4096), 4)
        ]
        functions = self._graph.functions
        targets = {word - 1 for word in words if word and word & 1 and word - 1 in functions}
        strange = [word for word in words if word and word - 1 not in targets]
        return tuple(sorted(targets)), not strange

    def _candidates(self, caller: int, through: Value | None) -> tuple[str, tuple[int, ...]]:
        taken = self._address_taken()
        if through is None or through.what != What.FIELD:
            return self._by_prototype(caller, None, taken)
        virtual = set(self._virtual(through.number)) if through.nested else set()
        chosen_by, targets = self._by_prototype(caller, through, taken)
        if virtual and chosen_by != "prototype":
            return "virtual call", tuple(sorted(virtual))
        if virtual:
            return chosen_by, tuple(sorted(virtual | set(targets)))
        return chosen_by, targets

    def _by_prototype(
        self, caller: int, through: Value | None, taken: tuple[int, ...]
    ) -> tuple[str, tuple[int, ...]]:
        if self._types is None:
            self._types = Prototypes(self._program.elf)
        wanted = self._types.wanted(caller, through)
        if wanted is None:
            return "address taken", taken
        fitting = [
            address
            for address in taken
            if (found := self._types.of_function(address)) is None or found in wanted
        ]
        if not any(self._types.of_function(address) for address in fitting):
            return "address taken", taken
        return "prototype", tuple(fitting)

    def _virtual(self, offset: int) -> Iterator[int]:
        """What stands at an offset of any virtual table."""
        for found in self._program.objects:
            if not found.name.startswith("_ZTV") or offset + _VTABLE_HEADER >= found.size:
                continue
            word = self._program.constant(found.address + _VTABLE_HEADER + offset)
            if word is not None and word & 1 and word - 1 in self._graph.functions:
                yield word - 1

    def _address_taken(self) -> tuple[int, ...]:
        """Every function whose address the ELF holds anywhere but in its vector table."""
        if self._taken is None:
            taken = {found for scan in self._graph.scans.values() for found in scan.taken}
            self._taken = tuple(sorted(taken | set(self._held())))
        return self._taken

    def _held(self) -> Iterator[int]:
        program, functions = self._program, self._graph.functions
        vectors = program.vector_range
        for is_code, held in (
            *((False, held) for held in (*program.constants, *program.writable)),
            *((True, held) for held in program.code),
        ):
            skip = -held.start % 4
            body = memoryview(held.data)[skip : skip + (len(held.data) - skip & ~3)]
            for place, (word,) in enumerate(struct.iter_unpack("<I", body)):
                if not word & 1 or word - 1 not in functions:
                    continue
                at = held.start + skip + 4 * place
                if at in vectors or (is_code and not program.may_be_literal(at)):
                    continue
                yield word - 1


def _annotated_calls(
    program: Program, graph: CallGraph, annotations: StackAnnotations
) -> dict[tuple[int, int | None], tuple[int, ...]]:
    found: dict[tuple[int, int | None], tuple[int, ...]] = {}
    where = f"{program.elf.path}: [budget.stack.calls]"
    for place, callees in annotations.calls:
        caller, plus, offset = place.rpartition("+0x")
        targets = tuple(
            address for callee in callees for address in addresses_of(program, callee, where)
        )
        for address in addresses_of(program, caller if plus else place, where):
            sites = graph.scans[address].indirect
            at = address + _number(offset) if plus else None
            if (at is not None and at not in sites) or not sites:
                there = ", ".join(f"+{site - address:#x}" for site in sorted(sites)[:8])
                raise ConfigError(
                    f"{where} {place!r}: no call through a pointer there, "
                    f"expected {there or 'a caller that has one'}"
                )
            found[address, at] = targets
    return found


def _number(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:
        return -1


def addresses_of(program: Program, name: str, where: str) -> tuple[int, ...]:
    """A named function's addresses. Raises `ConfigError` with the nearest name there is."""
    found = program.by_name.get(name)
    if found is None:
        raise ConfigError(
            f"{where} no function {name!r} in the ELF{_nearest(name, program.by_name)}"
        )
    return tuple(found)


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f", expected {near[0]!r}?" if near else ", expected the name of one of its functions"
