"""An ELF and its annotations to a report: walk, resolve, solve, nest, compare."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from boardless.project.annotations import DEFAULT_ENTRY, StackAnnotations
from boardless.stack.bound import Bound, CallNode, Edge, Solver
from boardless.stack.calls import BEGINNING, ENDING, PANICKING, PANICS, UNWINDING, call_graph
from boardless.stack.crosscheck import disagreements
from boardless.stack.indirect import Resolution, Resolver
from boardless.stack.interrupts import frame_bytes, nest, total
from boardless.stack.naming import addresses_of
from boardless.stack.program import Program
from boardless.stack.report import (
    Candidate,
    Confidence,
    Cycle,
    FunctionStack,
    IndirectSite,
    InterruptStack,
    PathStep,
    StackReport,
    TaskStack,
    worst,
)
from boardless.stack.runtime import known_activations
from boardless.stack.scan import Scan
from boardless.stack.su import read_usages
from boardless_sim.elf.file import ElfFile, read_elf
from boardless_sim.errors import ConfigError

_MAX_PATH = 64
_SWITCH, _FP_SWITCH = 36, 64  # r4-r11 and lr; s16-s31


def analyse_stack(elf: Path, annotations: StackAnnotations) -> StackReport:
    """The worst-case stack of a linked ELF.

    Raises `ImageError` for a damaged ELF, `ConfigError` for an annotation that fits nothing in it.
    """
    return analyse(read_elf(elf), annotations)


def analyse(elf: ElfFile, annotations: StackAnnotations) -> StackReport:
    """As `analyse_stack`, of an ELF that is read already."""
    program = Program(elf)
    if program.is_stripped:
        return _stripped(elf.path)
    return _Analysis(program, annotations).report()


def _stripped(path: Path) -> StackReport:
    return StackReport(
        elf=path,
        entry="",
        thread_bytes=None,
        bound_bytes=None,
        cold_bytes=None,
        at_least_bytes=0,
        grade=Confidence.UNBOUNDED,
        path=(),
        reasons=("stripped ELF: no function symbol, expected .symtab",),
        functions=(),
        interrupts=InterruptStack((), (), None, 0, Confidence.UNBOUNDED),
        is_stripped=True,
    )


class _Analysis:
    def __init__(self, program: Program, annotations: StackAnnotations) -> None:
        self._program = program
        self._annotations = annotations
        self._graph = graph = call_graph(program)
        self._names = {address: found.name for address, found in graph.functions.items()}
        self._frames = self._numbers("frames", annotations.frames)
        recursion = self._numbers("recursion", annotations.recursion)
        self._resolver = Resolver(program, graph, annotations)
        self._resolutions = self._resolver.resolve()
        self._sites: dict[int, list[Resolution]] = {}
        for found in self._resolutions:
            self._sites.setdefault(found.caller, []).append(found)
        self._sets = {
            targets: -number
            for number, targets in enumerate({found.targets for found in self._resolutions}, 1)
        }
        self._shared: dict[tuple[int, ...], tuple[Candidate, ...]] = {}
        ends = set(_ending(program, graph.never_return)) | self._cold_ones()
        activations = {**self._nested(), **known_activations(program), **recursion}
        self._warm = Solver(self._nodes(ends), self._names, activations)
        self._cold = Solver(self._nodes(frozenset()), self._names, activations)
        needed = {name for name, _ in annotations.recursion if not name.endswith("?")}
        wanted = {a for a in recursion if needed & set(program.functions[a].names)}
        _check_rings(program, self._cold, wanted, self._names)

    def _nested(self) -> dict[int, int]:
        """How often each set of candidates is entered at once, all calls that share it together."""
        each = self._annotations.pointer_recursion
        if each is None:
            return {}
        calls = Counter(self._sets[found.targets] for found in self._resolutions)
        return {number: each * count for number, count in calls.items()}

    def _numbers(self, table: str, given: Iterable[tuple[str, int]]) -> dict[int, int]:
        where = f"{self._program.elf.path}: [budget.stack.{table}]"
        found: dict[int, int] = {}
        for text, number in given:
            name = text.removesuffix("?")
            if name == text or self._program.by_name.get(name):
                found |= dict.fromkeys(addresses_of(self._program, name, where), number)
        return found

    def _cold_ones(self) -> set[int]:
        where = f"{self._program.elf.path}: [budget.stack] cold:"
        found: set[int] = set()
        for name in self._annotations.cold:
            found.update(addresses_of(self._program, name, where))
            if not found <= self._graph.never_return:
                raise ConfigError(f"{where} {name!r} returns, expected one that ends the program")
        return found

    # ---- nodes ----

    def _nodes(self, leave_out: Collection[int]) -> dict[int, CallNode]:
        """Every function, and every set of candidates as a node below 0: sites share them."""
        nodes = {
            address: self._node(scan, leave_out) for address, scan in self._graph.scans.items()
        }
        for targets, number in self._sets.items():
            edges = (
                Edge(target, 0, Confidence.EXACT) for target in targets if target not in leave_out
            )
            nodes[number] = CallNode(0, Confidence.EXACT, tuple(edges))
        return nodes

    def _node(self, scan: Scan, leave_out: Collection[int]) -> CallNode:
        edges = [
            Edge(call.target, call.depth, Confidence.EXACT)
            for call in scan.calls.values()
            if call.target not in leave_out
        ]
        reasons = list(self._reasons(scan))
        for site in self._sites.get(scan.address, ()):
            edges.append(Edge(self._sets[site.targets], site.call.depth, site.grade))
            if site.grade == Confidence.UNBOUNDED:
                offset = site.call.at - scan.address
                reasons.append(
                    f"{self._names[scan.address]}+{offset:#x} calls through a pointer, "
                    "no function has its address taken"
                )
        own = scan.own_bytes
        grade = Confidence.EXACT if scan.switches_at is None else Confidence.ASSUMED
        if scan.address in self._frames:
            own, grade = max(own, self._frames[scan.address]), Confidence.ANNOTATED
        return CallNode(own, grade, tuple(edges), tuple(reasons))

    def _reasons(self, scan: Scan) -> Iterable[str]:
        name, start = self._names[scan.address], scan.address
        if scan.address not in self._frames:
            if scan.dynamic_at is not None:
                yield f"{name}+{scan.dynamic_at - start:#x} takes a size that only a run knows"
            if scan.unknown_sp_at is not None and name not in UNWINDING | BEGINNING:
                yield f"{name}+{scan.unknown_sp_at - start:#x} sets SP to what only a run knows"
            if scan.grows_at is not None:
                yield f"{name}+{scan.grows_at - start:#x} pushes in a loop"
            if scan.exhausted:
                yield f"{name}: too much code to follow"
            if scan.lost_at is not None:
                yield f"{name} goes on at {scan.lost_at:#010x}, where the ELF has no code"
        for call in scan.calls.values():
            if call.target not in self._graph.scans:
                yield f"{name} calls {call.target:#010x}, where the ELF has no code"

    # ---- the report ----

    def report(self) -> StackReport:
        entries = self._entries()
        bounds = self._warm.bounds
        entry = max(entries, key=lambda address: bounds[address].bytes)
        reasons = tuple(dict.fromkeys(r for a in entries for r in bounds[a].reasons))
        interrupts = nest(self._program, self._graph, bounds, self._annotations)
        thread = None if reasons else bounds[entry].bytes
        cold_thread = max((self._cold.bounds[a] for a in entries), key=lambda bound: bound.bytes)
        is_cold_known = not any(self._cold.bounds[a].reasons for a in entries)
        functions = tuple(self._function(address) for address in sorted(self._graph.functions))
        late = max(interrupts.cold, key=lambda level: level.at_least_bytes, default=None)
        return StackReport(
            elf=self._program.elf.path,
            entry=self._names[entry],
            thread_bytes=thread,
            bound_bytes=total((thread, interrupts.bound_bytes)),
            cold_bytes=total(
                (
                    cold_thread.bytes if is_cold_known else None,
                    interrupts.bound_bytes,
                    late.bound_bytes if late is not None else 0,
                )
            ),
            at_least_bytes=bounds[entry].bytes + interrupts.at_least_bytes,
            grade=worst((interrupts.grade, *(bounds[a].grade for a in entries))),
            path=self._path(self._warm.bounds, entry),
            reasons=reasons + self._handler_reasons(interrupts),
            functions=functions,
            interrupts=interrupts,
            tasks=tuple(self._tasks()),
            cycles=tuple(
                Cycle(
                    tuple(sorted(self._names[a] for a in ring.functions if a in self._names)),
                    ring.depth,
                    ring.round_bytes,
                )
                for ring in self._cold.rings
            ),
            indirect=tuple(self._site(found) for found in self._resolutions),
            move_sp=frozenset(
                self._names[address]
                for address, scan in self._graph.scans.items()
                if scan.switches_at is not None or self._names[address] in BEGINNING
            ),
            disagreements=disagreements(
                self._program, self._graph, read_usages(self._annotations.su_folders)
            ),
        )

    def _handler_reasons(self, interrupts: InterruptStack) -> tuple[str, ...]:
        return tuple(
            f"interrupt {level.handler}: {reason}"
            for level in interrupts.levels
            if level.bound_bytes is None
            for address in self._program.by_name.get(level.handler, ())
            for reason in self._warm.bounds[address].reasons[:1]
        )

    def _entries(self) -> tuple[int, ...]:
        where = f"{self._program.elf.path}: [budget.stack] entry:"
        if self._annotations.entries:
            return tuple(
                address
                for name in self._annotations.entries
                for address in addresses_of(self._program, name, where)
            )
        begins = dict.fromkeys((self._program.reset, self._program.entry))
        if self._program.entry in self._graph.functions:
            return tuple(address for address in begins if address in self._graph.functions)
        return addresses_of(self._program, DEFAULT_ENTRY, where)

    def _function(self, address: int) -> FunctionStack:
        function, scan = self._graph.functions[address], self._graph.scans[address]
        warm, cold = self._warm.bounds[address], self._cold.bounds[address]
        return FunctionStack(
            name=function.name,
            names=function.names,
            address=address,
            own_bytes=scan.own_bytes,
            grade=warm.grade,
            bound_bytes=None if warm.reasons else warm.bytes,
            at_least_bytes=warm.bytes,
            path=self._path(self._warm.bounds, address),
            cold_bytes=None if cold.reasons else cold.bytes,
            reasons=warm.reasons,
            is_dynamic=scan.dynamic_at is not None,
            returns=address not in self._graph.never_return,
        )

    def _path(self, bounds: Mapping[int, Bound], address: int) -> tuple[PathStep, ...]:
        """From a function to where the worst path ends; a ring is passed once."""
        steps: list[PathStep] = []
        seen: set[int] = set()
        while address not in seen and len(steps) < _MAX_PATH:
            seen.add(address)
            step = bounds[address].step
            if address in self._names:
                own = max(self._graph.scans[address].own_bytes, self._frames.get(address, 0))
                steps.append(PathStep(self._names[address], own if step is None else step[0]))
            if step is None:
                break
            address = step[1]
        return tuple(steps)

    def _site(self, found: Resolution) -> IndirectSite:
        return IndirectSite(
            caller=self._names[found.caller],
            offset=found.call.at - found.caller,
            address=found.call.at,
            depth=found.call.depth,
            is_tail=found.call.is_tail,
            grade=found.grade,
            chosen_by=found.chosen_by,
            candidates=self._candidates(found.targets),
            key=self._resolver.key(found.caller, found.call),
        )

    def _candidates(self, targets: tuple[int, ...]) -> tuple[Candidate, ...]:
        if targets not in self._shared:
            found = [(self._names[address], self._warm.bounds[address]) for address in targets]
            found.sort(key=lambda item: (-item[1].bytes, item[0]))
            self._shared[targets] = tuple(
                Candidate(name, None if bound.reasons else bound.bytes, bound.bytes)
                for name, bound in found
            )
        return self._shared[targets]

    def _tasks(self) -> Iterable[TaskStack]:
        """Those that the project names, then those that the code makes."""
        where = f"{self._program.elf.path}: [[budget.stack.task]]"
        named: set[int] = set()
        for task in self._annotations.tasks:
            address = addresses_of(self._program, task.entry, f"{where} {task.name}:")[0]
            named.add(address)
            yield self._task(task.name, task.entry, address, Confidence.ANNOTATED)
        for found in self._resolver.tasks:
            if found.entry not in named:
                name = self._names[found.entry]
                stack = self._task(name, name, found.entry, Confidence.EXACT)
                yield replace(stack, reserve_bytes=found.reserve_bytes)

    def _task(self, name: str, entry: str, address: int, grade: Confidence) -> TaskStack:
        frame = frame_bytes(self._program, self._annotations)
        switch = _SWITCH + (_FP_SWITCH if frame > 100 else 0)
        bound = self._warm.bounds[address]
        least = bound.bytes + frame + switch
        return TaskStack(
            name=name,
            entry=entry,
            bound_bytes=None if bound.reasons else least,
            at_least_bytes=least,
            grade=worst((bound.grade, grade)),
            path=self._path(self._warm.bounds, address),
        )


def _ending(program: Program, never_return: Collection[int]) -> Iterator[int]:
    """What ends the program: by the language's rules, and where a broken system stops."""
    for name, addresses in program.by_name.items():
        if name in ENDING:
            yield from addresses
        elif name in PANICS or name.startswith(PANICKING):
            yield from (address for address in addresses if address in never_return)


def _check_rings(
    program: Program, solver: Solver, recursion: Collection[int], names: Mapping[int, str]
) -> None:
    """A depth for a function that calls itself on no way is a mistake."""
    in_rings = {address for ring in solver.rings for address in ring.functions}
    for address in recursion:
        if address not in in_rings:
            rings = [names[found] for found in in_rings if found in names]
            near = difflib.get_close_matches(names[address], rings, n=1) or sorted(rings)[:4]
            raise ConfigError(
                f"{program.elf.path}: [budget.stack.recursion] {names[address]!r}: never reaches "
                f"itself, expected one of {', '.join(near) or 'no function of this ELF'}"
            )
