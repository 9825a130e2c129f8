"""The worst walk through small call graphs, worked out by hand."""

from __future__ import annotations

from boardless.stack.bound import Bound, CallNode, Edge, Solver, components
from boardless.stack.report import Confidence

A, B, C, D = 1, 2, 3, 4
NAMES = {A: "a", B: "b", C: "c", D: "d"}


def node(own: int, *edges: tuple[int, int], grade: Confidence = Confidence.EXACT) -> CallNode:
    return CallNode(
        own, Confidence.EXACT, tuple(Edge(target, depth, grade) for target, depth in edges)
    )


def solve(nodes: dict[int, CallNode], recursion: dict[int, int] | None = None) -> dict[int, Bound]:
    return Solver(nodes, NAMES, recursion or {}).bounds


def test_a_call_counts_from_where_sp_stands_at_it() -> None:
    found = solve({A: node(100, (B, 8), (C, 96)), B: node(50), C: node(20)})
    assert (found[A].bytes, found[A].step) == (116, (96, C))


def test_an_own_frame_may_be_the_deepest_point() -> None:
    found = solve({A: node(100, (B, 8)), B: node(50)})
    assert (found[A].bytes, found[A].step) == (100, None)


def test_a_figure_is_no_better_than_the_worst_call_in_it() -> None:
    nodes = {A: node(8, (B, 8)), B: node(8, (C, 8), grade=Confidence.ASSUMED), C: node(0)}
    assert solve(nodes)[A].grade == Confidence.ASSUMED


def test_recursion_without_a_depth_is_unbounded_for_every_caller() -> None:
    found = solve({A: node(8, (B, 8)), B: node(16, (C, 16)), C: node(24, (B, 24))})
    assert found[A].grade == Confidence.UNBOUNDED
    assert found[A].reasons == ("recursion without a depth: b, c",)


def test_a_depth_multiplies_the_round_and_keeps_the_last_tail() -> None:
    nodes = {A: node(24, (A, 24), (B, 24)), B: node(100)}
    found = solve(nodes, {A: 5})
    assert found[A].bytes == 4 * 24 + 24 + 100
    assert found[A].grade == Confidence.ANNOTATED


def test_a_ring_of_two_counts_the_way_through_the_other() -> None:
    nodes = {A: node(16, (B, 16)), B: node(24, (A, 24), (C, 8)), C: node(200)}
    found = solve(nodes, {A: 3})
    assert found[A].bytes == 2 * (16 + 24) + 16 + 8 + 200
    assert found[B].bytes == 24 + found[A].bytes


def test_a_depth_that_does_not_break_the_ring_bounds_nothing() -> None:
    nodes = {A: node(8, (B, 8)), B: node(8, (A, 8), (C, 8)), C: node(8, (B, 8))}
    assert solve(nodes, {A: 3})[A].reasons == ("recursion without a depth: a, b, c",)


def test_tail_calls_in_a_ring_take_no_stack() -> None:
    found = solve({A: node(40, (B, 0)), B: node(64, (A, 0))})
    assert (found[A].bytes, found[B].bytes, found[A].reasons) == (64, 64, ())


def test_callees_come_before_callers() -> None:
    order = list(components({A: [B], B: [C, D], C: [B], D: []}))
    assert [sorted(group) for group in order] == [[D], [B, C], [A]]
