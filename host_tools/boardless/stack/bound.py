"""The worst walk through a call graph, and its rings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from boardless.stack.report import Confidence, worst

_MAX_REASONS = 6
_MAX_NAME = 40


class Edge(NamedTuple):
    """A call: who, how deep SP stands, and how sure it is."""

    target: int
    depth: int
    grade: Confidence


@dataclass(frozen=True)
class CallNode:
    """A function's own part: `reasons` say why its own frame has no bound."""

    own_bytes: int
    grade: Confidence
    edges: tuple[Edge, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bound:
    """What is known of a function and all that it calls. With reasons it is unbounded.

    `step` is where the worst path goes on: the depth at the call and the callee.
    """

    bytes: int
    grade: Confidence
    reasons: tuple[str, ...]
    step: tuple[int, int] | None


@dataclass(frozen=True)
class Ring:
    """A cycle of calls; `depth` None: not annotated. Below 0 are sets of candidates."""

    functions: tuple[int, ...]
    depth: int | None
    round_bytes: int


class Solver:
    """Bounds of every node, callees before callers."""

    def __init__(
        self, nodes: Mapping[int, CallNode], names: Mapping[int, str], recursion: Mapping[int, int]
    ) -> None:
        self._nodes = nodes
        self._names = names
        self._recursion = recursion
        self.bounds: dict[int, Bound] = {}
        self.rings: list[Ring] = []
        edges = {
            address: [edge.target for edge in node.edges if edge.target in nodes]
            for address, node in nodes.items()
        }
        for group in components(edges):
            if len(group) == 1 and group[0] not in edges[group[0]]:
                self.bounds[group[0]] = self._simple(group[0])
            else:
                self._ring(group)

    def _simple(self, address: int, inside: Collection[int] = ()) -> Bound:
        """The bound of a node from its callees', leaving out those `inside` a ring."""
        node = self._nodes[address]
        total, step = node.own_bytes, None
        grades, reasons = {node.grade}, dict.fromkeys(node.reasons)
        for edge in node.edges:
            if edge.target in inside:
                continue
            callee = self.bounds.get(edge.target)
            if callee is None:
                continue
            grades.add(edge.grade)
            grades.add(callee.grade)
            reasons.update(dict.fromkeys(callee.reasons))
            if edge.depth + callee.bytes > total:
                total, step = edge.depth + callee.bytes, (edge.depth, edge.target)
        kept = tuple(reasons)[:_MAX_REASONS]
        return Bound(total, Confidence.UNBOUNDED if kept else worst(grades), kept, step)

    # ---- rings ----

    def _ring(self, group: Sequence[int]) -> None:
        members = set(group)
        if not self._round_bytes(group):
            self._loop(group, members)
            return
        limited = [address for address in group if address in self._recursion]
        rest = members - set(limited)
        order = list(components({a: [t for t in self._inner(a) if t in rest] for a in rest}))
        is_broken = all(len(part) == 1 and part[0] not in self._inner(part[0]) for part in order)
        depth = sum(self._recursion[address] for address in limited) if is_broken else None
        self.rings.append(Ring(tuple(sorted(members)), depth, self._round_bytes(group)))
        if not is_broken:
            self._unbounded(group, members)
            return
        self._limited(limited, [part[0] for part in order], members)

    def _loop(self, group: Sequence[int], members: set[int]) -> None:
        """Tail calls in a ring take no stack: each member reaches the worst of them all."""
        found = {address: self._simple(address, members) for address in group}
        deepest = max(found, key=lambda address: found[address].bytes)
        grade = worst(bound.grade for bound in found.values())
        grade = worst((grade, *(e.grade for a in group for e in self._nodes[a].edges)))
        reasons = dict.fromkeys(r for bound in found.values() for r in bound.reasons)
        kept = tuple(reasons)[:_MAX_REASONS]
        for address in group:
            step = found[address].step if address == deepest else (0, deepest)
            self.bounds[address] = Bound(found[deepest].bytes, grade, kept, step)

    def _inner(self, address: int) -> Iterator[int]:
        return (edge.target for edge in self._nodes[address].edges)

    def _round_bytes(self, group: Iterable[int]) -> int:
        members = set(group)
        return sum(
            max((e.depth for e in self._nodes[a].edges if e.target in members), default=0)
            for a in members
        )

    def _unbounded(self, group: Sequence[int], members: set[int]) -> None:
        names = sorted(self._names[address] for address in group if address in self._names)
        shown = ", ".join(map(shortened, names[:4]))
        shown += f" and {len(names) - 4} more" if len(names) > 4 else ""
        ring = f"recursion without a depth: {shown}"
        once = {address: self._simple(address, members) for address in group}
        reasons = dict.fromkeys([ring])
        for bound in once.values():
            reasons.update(dict.fromkeys(bound.reasons))
        kept = tuple(reasons)[:_MAX_REASONS]
        for address, bound in once.items():
            total, step = bound.bytes, bound.step
            for edge in self._nodes[address].edges:
                if edge.target in members and edge.target != address:
                    further = edge.depth + once[edge.target].bytes
                    # one step into the ring, only where the callee's own path leaves it
                    if further > total:
                        total, step = further, (edge.depth, edge.target)
            self.bounds[address] = Bound(total, Confidence.UNBOUNDED, kept, step)

    def _limited(self, limited: Sequence[int], order: Sequence[int], members: set[int]) -> None:
        """A ring that annotated functions break: each costs its rounds, the last one its tail.

        Between two activations of annotated functions the way goes through the others at most once
        each, so the longest such way is a round.
        """
        last: dict[int, tuple[int, tuple[int, int] | None]] = {}
        round_bytes: dict[int, int] = {}
        outside: dict[int, Bound] = {}
        for address in (*order, *limited):
            outside[address] = self._simple(address, members)
            best, step, longest = outside[address].bytes, outside[address].step, -1
            for edge in self._nodes[address].edges:
                if edge.target not in members:
                    continue
                if edge.target in self._recursion:
                    longest = max(longest, edge.depth)
                    continue
                if round_bytes[edge.target] >= 0:
                    longest = max(longest, edge.depth + round_bytes[edge.target])
                if edge.depth + last[edge.target][0] > best:
                    best, step = edge.depth + last[edge.target][0], (edge.depth, edge.target)
            last[address], round_bytes[address] = (best, step), longest
        every = sum(self._recursion[address] * max(round_bytes[address], 0) for address in limited)
        end = max(last[a][0] - max(round_bytes[a], 0) for a in limited)
        reasons = dict.fromkeys(r for bound in outside.values() for r in bound.reasons)
        kept = tuple(reasons)[:_MAX_REASONS]
        grades = [Confidence.ANNOTATED, *(bound.grade for bound in outside.values())]
        grades += [e.grade for a in members for e in self._nodes[a].edges if e.target in members]
        for address in (*order, *limited):
            before = 0 if address in self._recursion else round_bytes[address]
            total, step = last[address]
            if before >= 0 and before + every + end > total:
                total = before + every + end
            grade = Confidence.UNBOUNDED if kept else worst(grades)
            self.bounds[address] = Bound(total, grade, kept, step)


def shortened(name: str) -> str:
    """A name that fits into a line with others: C++ has ones of hundreds of characters."""
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def components(edges: Mapping[int, Sequence[int]]) -> Iterator[list[int]]:
    """Strongly connected components, callees first (Tarjan), without recursion."""
    search = _Components(edges)
    for root in edges:
        if root not in search.index:
            yield from search.from_root(root)


class _Components:
    def __init__(self, edges: Mapping[int, Sequence[int]]) -> None:
        self._edges = edges
        self.index: dict[int, int] = {}
        self._low: dict[int, int] = {}
        self._stack: list[int] = []
        self._waiting: set[int] = set()
        self._work: list[tuple[int, Iterator[int]]] = []

    def from_root(self, root: int) -> Iterator[list[int]]:
        self._enter(root)
        while self._work:
            address, targets = self._work[-1]
            if self._advance(address, targets):
                continue
            self._work.pop()
            if self._work:
                caller = self._work[-1][0]
                self._low[caller] = min(self._low[caller], self._low[address])
            if self._low[address] == self.index[address]:
                yield self._group(address)

    def _enter(self, address: int) -> None:
        self.index[address] = self._low[address] = len(self.index)
        self._stack.append(address)
        self._waiting.add(address)
        self._work.append((address, iter(self._edges[address])))

    def _advance(self, address: int, targets: Iterator[int]) -> bool:
        """Go into the next target that was not seen; False where none is left."""
        for target in targets:
            if target not in self.index:
                self._enter(target)
                return True
            if target in self._waiting:
                self._low[address] = min(self._low[address], self.index[target])
        return False

    def _group(self, root: int) -> list[int]:
        place = len(self._stack) - 1
        while self._stack[place] != root:
            place -= 1
        group = self._stack[place:]
        del self._stack[place:]
        self._waiting.difference_update(group)
        return group
