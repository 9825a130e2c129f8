"""Who a call through a pointer may reach: by annotation, by what the ELF shows, never nobody."""

from __future__ import annotations

import difflib
import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import filter as matching
from functools import cached_property

from boardless.project.annotations import StackAnnotations
from boardless.stack.calls import CallGraph
from boardless.stack.frames import scan_arguments
from boardless.stack.program import Program
from boardless.stack.prototypes import Prototypes
from boardless.stack.report import Grade
from boardless.stack.scan import Fuel, IndirectCall, Scan
from boardless.stack.values import Value, What
from boardless_sim.errors import ConfigError

_VTABLE_HEADER = 8
_PLACE = re.compile(r"(?P<caller>.+?)(?:\+0x(?P<offset>[0-9a-f]{1,8})|\((?P<parameter>\w+)\))")
_STEPS = 1_000_000


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
        self._taken: tuple[int, ...] | None = None
        self._fitting: dict[frozenset[str], tuple[str, tuple[int, ...]]] = {}
        self._callers: dict[int, list[int]] | None = None
        self._passing: dict[int, Scan] = {}
        self._fuel = Fuel(_STEPS)
        self._annotated = dict(self._annotations(annotations))

    @cached_property
    def _types(self) -> Prototypes:
        return Prototypes(self._program.elf)

    def resolve(self) -> tuple[Resolution, ...]:
        """Every indirect call, in the order of the code."""
        return tuple(
            self._resolve(caller, call)
            for caller, scan in sorted(self._graph.scans.items())
            for _, call in sorted(scan.indirect.items())
        )

    def _annotations(
        self, annotations: StackAnnotations
    ) -> Iterator[tuple[tuple[int, int | None], tuple[int, ...]]]:
        """By caller and place, None for every place of a caller."""
        program, where = self._program, f"{self._program.elf.path}: [budget.stack.calls]"
        for text, callees in annotations.calls:
            place = _PLACE.fullmatch(text)
            name = place["caller"] if place else text
            targets = tuple(a for callee in callees for a in _matching(program, callee, where))
            for caller in addresses_of(program, name, where):
                sites = self._graph.scans[caller].indirect
                chosen: Iterable[int | None] = (None,) if sites else ()
                if place and place["offset"]:
                    chosen = {caller + int(place["offset"], 16)} & sites.keys()
                elif place:
                    chosen = self._through_parameter(caller, place["parameter"])
                if not chosen:
                    raise ConfigError(
                        f"{where} {text!r}: no call through a pointer there, "
                        f"expected {_there(sites, caller)}"
                    )
                yield from (((caller, at), targets) for at in chosen)

    def _through_parameter(self, caller: int, name: str) -> set[int]:
        number = self._types.parameter(caller, name)
        wanted = Value(What.ARGUMENT, number or 0)
        sites = self._graph.scans[caller].indirect.values()
        return {site.at for site in sites if site.through == wanted and number is not None}

    def _resolve(self, caller: int, call: IndirectCall) -> Resolution:
        annotated = self._annotated.get((caller, call.at), self._annotated.get((caller, None)))
        if annotated is not None:
            return Resolution(caller, call, Grade.ANNOTATED, "annotation", annotated)
        if call.through is not None and call.through.what == What.TABLE:
            targets, is_whole = self._table(call.through.number)
            if targets:
                grade = Grade.EXACT if is_whole else Grade.ASSUMED
                return Resolution(caller, call, grade, "read-only table", targets)
        if call.through is not None and call.through.what == What.ARGUMENT:
            passed: set[int] = set()
            if self._pass(caller, call.through.number, passed, set()):
                return Resolution(
                    caller, call, Grade.EXACT, "callers' arguments", tuple(sorted(passed))
                )
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

    def _pass(
        self, function: int, number: int, found: set[int], seen: set[tuple[int, int]]
    ) -> bool:
        """Who every caller hands over as the n-th word; False where one may hand over others.

        A null pointer adds nobody: whoever is called through it has ended the program.
        """
        if (function, number) in seen:
            return True
        seen.add((function, number))
        program = self._program
        is_called = {program.entry, *(handler for _, handler in program.vectors)}
        if function in is_called or function in self._address_taken():
            return False
        callers = self._calling(function)
        return bool(callers) and all(
            self._hands_over(caller, function, number, found, seen) for caller in callers
        )

    def _hands_over(
        self, caller: int, function: int, number: int, found: set[int], seen: set[tuple[int, int]]
    ) -> bool:
        if caller not in self._passing:
            self._passing[caller] = scan_arguments(
                self._program, caller, self._graph.never_return, self._fuel
            )
        scan = self._passing[caller]
        given = [words for (_, target), words in scan.passed.items() if target == function]
        for value in [words[number] if number < len(words) else None for words in given]:
            if value is None or scan.exhausted:
                return False
            if value.what == What.ARGUMENT:
                if not self._pass(caller, value.number, found, seen):
                    return False
            elif value.what != What.CONSTANT or not self._is_callable(value.number):
                return False
            elif value.number:
                found.add(value.number - 1)
        return bool(given)

    def _is_callable(self, word: int) -> bool:
        return not word or (word & 1 == 1 and word - 1 in self._graph.functions)

    def _calling(self, function: int) -> list[int]:
        if self._callers is None:
            self._callers = {}
            for caller, scan in self._graph.scans.items():
                for target in {call.target for call in scan.calls.values()}:
                    self._callers.setdefault(target, []).append(caller)
        return self._callers.get(function, [])

    def _candidates(self, caller: int, through: Value | None) -> tuple[str, tuple[int, ...]]:
        taken = self._address_taken()
        if through is None or through.what != What.FIELD:
            return self._by_prototype(caller, through, taken)
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
        wanted = self._types.wanted(caller, through)
        if wanted is None:
            return "address taken", taken
        if wanted not in self._fitting:
            kinds = {*wanted, None}  # None: a function that nothing describes may be it too
            found = {address: self._types.of_function(address) for address in taken}
            fitting = tuple(address for address in taken if found[address] in kinds)
            is_known = any(found[address] for address in fitting)
            self._fitting[wanted] = ("prototype", fitting) if is_known else ("address taken", taken)
        return self._fitting[wanted]

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
        program = self._program
        pointers = {address | 1 for address in self._graph.functions}
        vectors = program.vector_range
        for is_code, held in (
            *((False, held) for held in (*program.constants, *program.writable)),
            *((True, held) for held in program.code),
        ):
            skip = -held.start % 4
            body = memoryview(held.data)[skip : skip + (len(held.data) - skip & ~3)]
            for place, (word,) in enumerate(struct.iter_unpack("<I", body)):
                if word in pointers:
                    at = held.start + skip + 4 * place
                    if at not in vectors and not (is_code and not program.may_be_literal(at)):
                        yield word - 1


def _there(sites: Iterable[int], caller: int) -> str:
    found = ", ".join(f"+{site - caller:#x}" for site in sorted(sites)[:8])
    return found or "a caller that has one"


def _matching(program: Program, pattern: str, where: str) -> Iterator[int]:
    """The functions of a name, or of every name that a pattern means."""
    names = matching(program.by_name, pattern)
    if pattern in program.by_name or not names:
        yield from addresses_of(program, pattern, where)
        return
    yield from dict.fromkeys(address for name in names for address in program.by_name[name])


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
