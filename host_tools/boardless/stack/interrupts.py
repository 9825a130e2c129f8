"""Exceptions on top of a thread: a frame and a handler for every preemption level that can nest.

Handlers of one level never nest, tail-chaining adds nothing; which levels there are is set at run
time, so it is annotated, or supposed at its worst: every handler a level of its own, up to the
sixteen that the core has priorities for, and HardFault and NMI above them. (PM0214, 2.3.7; DDI
0403E, B1.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from boardless.project.annotations import StackAnnotations
from boardless.stack.bound import Bound
from boardless.stack.calls import CallGraph
from boardless.stack.naming import addresses_of
from boardless.stack.program import Program
from boardless.stack.report import Confidence, InterruptStack, LevelStack, worst

SUPPOSED = "supposed"  # a level that nobody named
_FRAME, _FP_FRAME, _REALIGNMENT = 32, 104, 4
_NMI, _HARD_FAULT = 2, 3
_ABOVE_PRIORITIES = {_NMI: "NMI", _HARD_FAULT: "HardFault"}
_PRIORITIES = 16


def frame_bytes(program: Program, annotations: StackAnnotations) -> int:
    """The most that exception entry pushes: with the FPU's registers where they may be in use."""
    has_fp = program.uses_fpu() if annotations.fp is None else annotations.fp
    return (_FP_FRAME if has_fp else _FRAME) + _REALIGNMENT


def nest(
    program: Program,
    graph: CallGraph,
    bounds: Mapping[int, Bound],
    annotations: StackAnnotations,
) -> InterruptStack:
    """Every level, one on top of the other."""
    frame = frame_bytes(program, annotations)
    where = f"{program.elf.path}: [budget.stack.interrupts]"
    named = [
        (level.name, [a for name in level.handlers for a in addresses_of(program, name, where)])
        for level in annotations.levels
    ]
    claimed = {address for _, handlers in named for address in handlers}
    levels = [
        _level(graph, bounds, name, handlers, frame, Confidence.ANNOTATED)
        for name, handlers in named
    ]
    fixed, free, cold = _unclaimed(program, graph, claimed)
    levels += [_level(graph, bounds, name, [a], frame, Confidence.EXACT) for name, a in fixed]
    single = [_level(graph, bounds, SUPPOSED, [a], frame, Confidence.ASSUMED) for a in free]
    single.sort(key=lambda level: -level.at_least_bytes)
    levels += single[: max(_PRIORITIES - len(named), 0)]
    return InterruptStack(
        levels=tuple(levels),
        cold=tuple(_level(graph, bounds, "cold", [a], frame, Confidence.EXACT) for a in cold),
        bound_bytes=total(level.bound_bytes for level in levels),
        at_least_bytes=sum(level.at_least_bytes for level in levels),
        grade=worst(level.grade for level in levels),
    )


def total(parts: Iterable[int | None]) -> int | None:
    """A sum, None where a part is unbounded."""
    known = list(parts)
    return None if None in known else sum(part for part in known if part is not None)


def _unclaimed(
    program: Program, graph: CallGraph, claimed: set[int]
) -> tuple[list[tuple[str, int]], list[int], list[int]]:
    """Handlers that no level names: above all priorities, of any priority, never returning."""
    fixed, free, cold = {}, {}, {}
    for number, address in program.vectors:
        if number == 1 or address in claimed or address not in graph.scans:
            continue
        if address in graph.never_return:
            cold[address] = True
        elif number in _ABOVE_PRIORITIES:
            fixed[address] = _ABOVE_PRIORITIES[number]
        else:
            free[address] = True
    return (
        [(name, address) for address, name in fixed.items()],
        [address for address in free if address not in fixed],
        list(cold),
    )


def _level(
    graph: CallGraph,
    bounds: Mapping[int, Bound],
    name: str,
    handlers: list[int],
    frame: int,
    grade: Confidence,
) -> LevelStack:
    found = list(_worst_first(bounds, handlers))
    handler, bound = found[0]
    is_bounded = not any(other.reasons for _, other in found)
    at_least = frame + bound.bytes
    return LevelStack(
        name=name,
        handler=graph.functions[handler].name,
        frame_bytes=frame,
        bound_bytes=at_least if is_bounded else None,
        at_least_bytes=at_least,
        grade=worst((grade, *(other.grade for _, other in found))),
    )


def _worst_first(bounds: Mapping[int, Bound], handlers: list[int]) -> Iterator[tuple[int, Bound]]:
    found = ((address, bounds[address]) for address in handlers)
    return iter(sorted(found, key=lambda item: -item[1].bytes))
