"""Frames by the code held against what .debug_frame and .su say."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from boardless.stack.calls import CallGraph
from boardless.stack.program import Program
from boardless.stack.report import Disagreement
from boardless.stack.su import Usage
from boardless_sim.elf.thumb import SP


def disagreements(
    program: Program, graph: CallGraph, usages: Iterable[Usage]
) -> tuple[Disagreement, ...]:
    """Every function of which another source says otherwise, by name."""
    found = [*_with_cfi(program, graph), *_with_usage(graph, usages)]
    return tuple(sorted(set(found), key=lambda item: (item.function, item.source)))


def _with_cfi(program: Program, graph: CallGraph) -> Iterator[Disagreement]:
    starts = sorted(graph.scans)
    for described in program.elf.frames:
        first = bisect_left(starts, described.start)
        last = max(bisect_left(starts, described.start + described.size), first + 1)
        scans = [graph.scans[address] for address in starts[first:last]]
        if described.start not in graph.scans or any(scan.realigns for scan in scans):
            continue
        name = graph.functions[described.start].name
        depths = [(row.address, row.offset) for row in described.rows if row.register == SP]
        if len(depths) == len(described.rows):
            deepest = max(depth for _, depth in depths)
            own = max(scan.own_bytes for scan in scans)
            if deepest != own:
                yield Disagreement(name, ".debug_frame", deepest, own)
            continue
        for address, depth in depths:
            walked = scans[0].depths.get(address, depth)
            if walked != depth:
                yield Disagreement(name, ".debug_frame", depth, walked)
                break


def _with_usage(graph: CallGraph, usages: Iterable[Usage]) -> Iterator[Disagreement]:
    """A name may stand for several functions: one that fits is enough."""
    by_name: dict[str, list[Usage]] = {}
    for usage in usages:
        by_name.setdefault(usage.function, []).append(usage)
    for address, scan in graph.scans.items():
        function = graph.functions[address]
        said = [usage for name in function.names for usage in by_name.get(_source_name(name), ())]
        if not said or any(usage.own_bytes == scan.own_bytes for usage in said):
            continue
        if scan.realigns or any(not usage.is_static for usage in said):
            continue
        yield Disagreement(function.name, ".su", said[0].own_bytes, scan.own_bytes)


def _source_name(symbol: str) -> str:
    """Without what the compiler adds to a clone: `plan_of.isra.0`, `start.part.2`."""
    return symbol.partition(".")[0]
