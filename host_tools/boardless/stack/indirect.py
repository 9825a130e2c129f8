"""Who a call through a pointer may reach: by annotation, by what the ELF shows, never nobody."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from boardless.project.annotations import StackAnnotations
from boardless.stack.calls import CallGraph
from boardless.stack.frames import scan_arguments
from boardless.stack.library import library_of, may_call
from boardless.stack.naming import Naming, Site, functions_of
from boardless.stack.program import Code, Program
from boardless.stack.prototypes import Prototypes
from boardless.stack.report import Confidence
from boardless.stack.runtime import called_by_loop, called_by_own_loop
from boardless.stack.scan import Fuel, IndirectCall, Scan
from boardless.stack.stores import Stores
from boardless.stack.tasks import TRAMPOLINES, FoundTask, find_tasks
from boardless.stack.types import Prototype
from boardless.stack.values import RegisterValue, What
from boardless.stack.vtables import VirtualTables
from boardless_sim.errors import ConfigError

_STEPS = 1_000_000
_SYSTICK = 15


@dataclass(frozen=True)
class Resolution:
    """One call through a pointer and everybody it may reach."""

    caller: int
    call: IndirectCall
    grade: Confidence
    chosen_by: str
    targets: tuple[int, ...]


@dataclass(frozen=True)
class _Held:
    """Where the image has a function's address, and of which: among code, and in data."""

    literals: tuple[tuple[int, int], ...]
    data: tuple[tuple[int, int], ...]


class Resolver:
    """Narrows the candidates of every indirect call of a program."""

    def __init__(self, program: Program, graph: CallGraph, annotations: StackAnnotations) -> None:
        self._program = program
        self._graph = graph
        self._taken: tuple[int, ...] | None = None
        self._fitting: dict[frozenset[Prototype], tuple[str, tuple[int, ...]]] = {}
        self._callers: dict[int, list[int]] | None = None
        self._passing: dict[int, Scan] = {}
        self._fuel = Fuel(_STEPS)
        self._annotated = self._annotations(annotations)

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

    def key(self, caller: int, call: IndirectCall) -> str:
        """What a call is best known by in an annotation."""
        return self._naming.key(caller, call)

    @cached_property
    def _naming(self) -> Naming:
        return Naming(self._program, self._graph.scans, self._types)

    def _annotations(self, annotations: StackAnnotations) -> dict[Site, tuple[int, ...]]:
        """By call; of two names for one the more precise."""
        where = f"{self._program.elf.path}: [budget.stack.calls]"
        precision: dict[Site, int] = {}
        found: dict[Site, tuple[int, ...]] = {}
        for text, callees in annotations.calls:
            name = text.removesuffix("?")
            try:
                targets = tuple(
                    a for callee in callees for a in functions_of(self._program, callee, where)
                )
                precise, sites = self._naming.sites(name, where)
            except ConfigError:
                if name == text:
                    raise
                continue
            for site in sites:
                if precise >= precision.get(site, 0):
                    precision[site], found[site] = precise, targets
        return found

    def _resolve(self, caller: int, call: IndirectCall) -> Resolution:
        annotated = self._annotated.get(Site(caller, call.at))
        if annotated is not None:
            return Resolution(caller, call, Confidence.ANNOTATED, "annotation", annotated)
        known = self._known(caller, call.through)
        if known is not None:
            return Resolution(caller, call, Confidence.EXACT, *known)
        if call.through is not None and call.through.what == What.TABLE:
            targets, is_whole = self._table(call.through.number)
            if targets:
                grade = Confidence.EXACT if is_whole else Confidence.ASSUMED
                return Resolution(caller, call, grade, "read-only table", targets)
        if call.through is not None and call.through.what == What.ARGUMENT:
            passed: set[int] = set()
            if self._pass(caller, call.through.number, passed, set()):
                return Resolution(
                    caller, call, Confidence.EXACT, "callers' arguments", tuple(sorted(passed))
                )
        if call.through is None:
            sites = [s for s in self._graph.scans[caller].indirect.values() if s.through is None]
            own = called_by_own_loop(self._program, caller, len(sites))
            if own is not None:
                return Resolution(caller, call, Confidence.ASSUMED, "initialisation array", own)
        chosen_by, targets = self._by_library(caller) or self._candidates(caller, call.through)
        targets = self._possible(caller, targets) or targets
        grade = Confidence.ASSUMED if targets else Confidence.UNBOUNDED
        return Resolution(caller, call, grade, chosen_by, targets)

    def _known(
        self, caller: int, through: RegisterValue | None
    ) -> tuple[str, tuple[int, ...]] | None:
        """Whom the ELF alone names: a start-up loop's functions, nobody behind a null pointer."""
        if through is not None and through.what == What.CONSTANT and not through.number:
            return "null pointer", ()
        looped = called_by_loop(self._program, caller)
        return None if looped is None else ("initialisation array", looped)

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
        is_called = {program.entry, program.reset, *(handler for _, handler in program.vectors)}
        if function in is_called or function in self._address_taken():
            return False
        callers = self._calling(function)
        return bool(callers) and all(
            self._hands_over(caller, function, number, found, seen) for caller in callers
        )

    def _hands_over(
        self, caller: int, function: int, number: int, found: set[int], seen: set[tuple[int, int]]
    ) -> bool:
        scan = self._walked(caller)
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

    def _possible(self, caller: int, targets: tuple[int, ...]) -> tuple[int, ...]:
        """Without those that are never called through a pointer, or by others alone.

        A program begins once, a task's function is entered by a switch, and a fault, an SVC and
        PendSV by the core.
        """
        begun = {self._program.entry, self._program.reset}
        begun |= {at for at in self._program.by_name.get("main", ()) if self._calling(at)}
        begun |= {handler for number, handler in self._program.vectors if number < _SYSTICK}
        if not self._names(caller) & TRAMPOLINES:
            begun |= {task.entry for task in self.tasks}
        return tuple(
            target
            for target in targets
            if target not in begun
            and not self._names(target) & TRAMPOLINES
            and may_call(self._program, caller, target)
        )

    @cached_property
    def tasks(self) -> tuple[FoundTask, ...]:
        """The tasks that are made by code, each function once."""
        found = find_tasks(self._program, self._calling, self._walked)
        return tuple({task.entry: task for task in found}.values())

    def _names(self, function: int) -> frozenset[str]:
        found = self._program.functions.get(function)
        return frozenset() if found is None else frozenset(found.names)

    def _by_library(self, caller: int) -> tuple[str, tuple[int, ...]] | None:
        """Whom the library's own source states, where it was built without debug information."""
        rule = library_of(self._program, caller)
        if rule is None or self._types.of_function(caller) is not None:
            return None
        taken = self._address_taken()
        named = {a for name in rule.callees for a in self._program.by_name.get(name, ())}
        own = self._stores.are_put_into(taken, rule.members_of)
        found = tuple(sorted({*own, *named}))
        return ("library", found) if found else None

    def _candidates(
        self, caller: int, through: RegisterValue | None
    ) -> tuple[str, tuple[int, ...]]:
        taken = self._address_taken()
        if through is None or through.what != What.FIELD:
            return self._by_prototype(caller, through, taken)
        virtual = self._tables.at(through.number) if through.nested else frozenset()
        if virtual:
            classes = self._types.virtual_classes(caller, through)
            own = self._tables.of_classes(classes, self._types.described, through.number)
            own = own if classes else frozenset()
            if not own and self._is_own_method(through):
                own = self._tables.of_class(self._name(caller), through.number)
            if own or classes:
                return "virtual call", tuple(sorted(own or virtual))
        chosen_by, targets = self._by_prototype(caller, through, taken)
        if virtual and chosen_by == "address taken":
            return "virtual call", tuple(sorted(virtual))
        if virtual:
            return chosen_by, tuple(sorted(virtual | set(targets)))
        return chosen_by, targets

    def _is_own_method(self, through: RegisterValue) -> bool:
        """Whether a pointer is a word of what the first word of `this` leads to."""
        table = through.of
        return (
            table is not None
            and (table.what, table.number, table.address) == (What.FIELD, 0, None)
            and table.of == RegisterValue(What.ARGUMENT, 0)
        )

    def _name(self, function: int) -> str:
        found = self._program.functions.get(function)
        return "" if found is None else found.name

    def _by_prototype(
        self, caller: int, through: RegisterValue | None, taken: tuple[int, ...]
    ) -> tuple[str, tuple[int, ...]]:
        wanted = self._types.wanted(caller, through)
        if wanted is None:
            chosen_by, fitting = "address taken", taken
        else:
            if wanted not in self._fitting:
                self._fitting[wanted] = self._fit(wanted, taken)
            chosen_by, fitting = self._fitting[wanted]
        if through is not None and through.what == What.FIELD:
            there = self._stores.may_hold(caller, through, fitting)
            if there and len(there) < len(fitting):
                return "stores", there
        return chosen_by, fitting

    @cached_property
    def _stores(self) -> Stores:
        return Stores(self._types, self._taken_in(), self._in_data(), self._walked)

    def _walked(self, function: int) -> Scan:
        """A function walked with its registers, for what it hands over and stores."""
        if function not in self._passing:
            self._passing[function] = scan_arguments(
                self._program, function, self._graph.never_return, self._fuel
            )
        return self._passing[function]

    def _taken_in(self) -> Iterator[tuple[int, int]]:
        """Every function whose address code makes, and the function that makes it."""
        for caller, scan in self._graph.scans.items():
            yield from ((found, caller) for found in scan.taken)
        starts = sorted(self._program.functions)
        for at, found in self._held.literals:
            place = bisect_right(starts, at) - 1
            if place >= 0:
                yield found, starts[place]

    def _in_data(self) -> Iterator[tuple[int, int, int | None]]:
        """What data holds, but for virtual tables: nothing but a virtual call reads those."""
        for at, found in self._held.data:
            if at not in self._tables:
                holder = self._program.object_at(at)
                yield found, at, None if holder is None else at - holder.address

    @cached_property
    def _tables(self) -> VirtualTables:
        return VirtualTables(self._program, self._graph.functions)

    def _fit(
        self, wanted: frozenset[Prototype], taken: tuple[int, ...]
    ) -> tuple[str, tuple[int, ...]]:
        """Functions of a prototype: strictly, else loosely, for a pointer may have been cast.

        One that nothing describes may be any of them.
        """
        found = {address: self._types.of_function(address) for address in taken}
        unknown = tuple(address for address in taken if found[address] is None)
        for chosen_by, place in (("prototype", 0), ("loose prototype", 1)):
            kinds = {prototype[place] for prototype in wanted}
            fitting = [a for a, kind in found.items() if kind is not None and kind[place] in kinds]
            if fitting:
                return chosen_by, tuple(sorted((*fitting, *unknown)))
        return "address taken", taken

    def _address_taken(self) -> tuple[int, ...]:
        """Every function whose address the ELF holds anywhere but in its vector table."""
        if self._taken is None:
            taken = {found for scan in self._graph.scans.values() for found in scan.taken}
            held = {found for _, found in (*self._held.literals, *self._held.data)}
            self._taken = tuple(sorted(taken | held))
        return self._taken

    @cached_property
    def _held(self) -> _Held:
        """The words that are a function's address; a linker may put constants beside code."""
        program = self._program
        literals: list[tuple[int, int]] = []
        data: list[tuple[int, int]] = []
        for held in program.code:
            for at, found in self._pointers_in(held):
                if program.object_at(at) is not None:
                    data.append((at, found))
                elif program.may_be_literal(at):
                    literals.append((at, found))
        for held in (*program.constants, *program.writable):
            data.extend(self._pointers_in(held))
        return _Held(tuple(literals), tuple(data))

    def _pointers_in(self, held: Code) -> Iterator[tuple[int, int]]:
        pointers = {address | 1 for address in self._graph.functions}
        vectors = self._program.vector_range
        skip = -held.start % 4
        body = memoryview(held.data)[skip : skip + (len(held.data) - skip & ~3)]
        for place, (word,) in enumerate(struct.iter_unpack("<I", body)):
            if word in pointers:
                at = held.start + skip + 4 * place
                if at not in vectors:
                    yield at, word - 1
