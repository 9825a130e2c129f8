"""Every function's frame, instruction by instruction, against a run that is single-stepped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from boardless.stack import StackAnnotations, analyse_stack
from boardless.stack.calls import CallGraph, call_graph
from boardless.stack.program import Program
from boardless_sim.elf.file import read_elf
from tests.unit.stack.build_corpus import M0, M4, clang
from tests.unit.stack.conftest import Corpus
from tests.unit.stack.execution import Execution, execute

LEVELS = ("-O0", "-Os", "-O2")
SOURCES = ("shapes.c", "library.c", "objects.cpp")
DYNAMIC = {"takes_alloca", "takes_vla"}
MOST_REALIGNED = 28  # the corpus aligns to 32


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=LEVELS)
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=(M4, M0), ids=("m4", "m0"))
def cpu(request: pytest.FixtureRequest) -> tuple[str, ...]:
    chosen: tuple[str, ...] = request.param
    return chosen


def test_gcc_frames_are_those_of_execution(
    corpus: Corpus, source: str, level: str, cpu: tuple[str, ...]
) -> None:
    assert_as_executed(corpus(source, level, cpu=cpu))


def test_clang_frames_are_those_of_execution(
    corpus: Corpus, source: str, level: str, cpu: tuple[str, ...]
) -> None:
    compiler = clang()
    if compiler is None:
        pytest.skip("no clang on this machine: apt-get install clang-14")
    assert_as_executed(corpus(source, level, compiler=compiler, cpu=cpu))


def assert_as_executed(elf: Path) -> None:
    program = Program(read_elf(elf))
    graph = call_graph(program)
    run = execute(program, graph)
    assert run.finished
    assert len(run.depths) > 10
    assert list(differences(graph, run)) == []
    assert list(above_bound(elf, run)) == []


def differences(graph: CallGraph, run: Execution) -> Iterator[str]:
    """Instructions where SP stood elsewhere than the walk says."""
    for address, seen in run.depths.items():
        scan, name = graph.scans[address], graph.functions[address].name
        if name in DYNAMIC:
            assert scan.dynamic_at is not None
            continue
        slack = MOST_REALIGNED if scan.realigns else 0
        for at, depths in seen.items():
            walked = scan.depths.get(at)
            if walked is None or not max(depths) <= walked <= min(depths) + slack:
                yield f"{name} at {at:#x}: walked {walked}, executed {sorted(depths)}"


def above_bound(elf: Path, run: Execution) -> Iterator[str]:
    """Functions that a run took deeper than their bound."""
    for function in analyse_stack(elf, StackAnnotations()).functions:
        if function.bound_bytes is None or function.cold_bytes is None:
            continue
        bound = max(function.bound_bytes, function.cold_bytes)
        if run.total.get(function.address, 0) > bound:
            yield f"{function.name}: {bound}, executed {run.total[function.address]}"
