"""A firmware that takes the host for itself ends by name, and is judged by nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boardless import cli
from boardless_sim.elf.image import load_image
from boardless_sim.engines.bounds import Bounds, Guard
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from tests.unit.conftest import link

RESETS, FLOOD, BUSY = 6, 7, 8
SHORT = 1e-9  # seconds of the host: over at the first look


@pytest.fixture(name="powered", scope="module")
def powered_fixture(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[int, Bounds], NativeEngine]]:
    engines: list[NativeEngine] = []

    def power_on(kind: int, bounds: Bounds) -> NativeEngine:
        folder = tmp_path_factory.mktemp("hangs")
        elf = link(folder, f"-DHANG={kind}", "-DSTACK_TOP=0x20020000", source="hangs.c")
        engine = NativeEngine()
        engine.bounds = bounds
        engine.load(load_image(elf))
        engines.append(engine)
        return engine

    yield power_on
    for engine in engines:
        engine.close()


@pytest.mark.parametrize(
    ("kind", "bounds", "reason"),
    [
        (RESETS, Bounds(resets=20), StopReason.RESET_LOOP),
        (FLOOD, Bounds(console_bytes=10_000), StopReason.CONSOLE_FLOOD),
        (BUSY, Bounds(host_s=SHORT), StopReason.HOST_TIME),
        (FLOOD, Bounds(host_s=SHORT), StopReason.HOST_TIME),
    ],
)
def test_each_bound_ends_the_run_by_its_name(
    powered: Callable[[int, Bounds], NativeEngine], kind: int, bounds: Bounds, reason: StopReason
) -> None:
    engine = powered(kind, bounds)
    assert engine.run(5e6) is reason
    assert engine.time_us() < 5e6
    assert sum(len(line.text) for line in engine.uart_lines()) <= 10_000


def test_each_wait_has_the_whole_bound(powered: Callable[[int, Bounds], NativeEngine]) -> None:
    engine = powered(FLOOD, Bounds(console_bytes=10_000))
    assert engine.run(10) is StopReason.LIMIT
    assert engine.run(5e6) is StopReason.CONSOLE_FLOOD
    assert engine.run(10) is StopReason.LIMIT


def test_a_look_at_the_clock_changes_nothing_on_the_board(
    powered: Callable[[int, Bounds], NativeEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = []
    for cycles in (4_000_000, 1_000):
        monkeypatch.setattr("boardless_sim.engines.native.machine._LOOK_CYCLES", cycles)
        engine = powered(BUSY, Bounds())
        assert engine.run(20_000) is StopReason.LIMIT
        shared = engine.machine.cpu.shared
        ends.append((shared.cycles, shared.instructions, shared.effects, shared.pc))
    assert ends[0] == ends[1]


def test_a_bound_is_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elf = link(tmp_path, f"-DHANG={RESETS}", "-DSTACK_TOP=0x20020000", source="hangs.c")
    arguments = ["run", str(elf), "--frames", "pattern:bars", "--resets", "20"]
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("boardless: no verdict after 0 results: reset loop: ")


@pytest.mark.parametrize("asked", [["--run", "pattern:bars"], ["--for-us", "100000"]])
def test_a_stack_is_not_measured_beyond_a_bound(
    asked: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elf = link(tmp_path, f"-DHANG={RESETS}", "-DSTACK_TOP=0x20020000", source="hangs.c")
    monkeypatch.chdir(tmp_path)
    Path("boardless.toml").write_text("[budget.static-ram]\nmax = '128K'\n")
    assert cli.main(["budget", str(elf), *asked, "--resets", "20", "--json", "out.json"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("boardless: no whole run to measure the stack on: reset loop: ")
    assert not Path("out.json").exists()


def test_a_wait_that_looks_often_is_one_wait() -> None:
    guard = Guard(Bounds(resets=3))
    with guard.one_wait():
        for _ in range(4):
            guard.begin()
            guard.note_reset()
    assert guard.exceeded == "reset loop: over 3 resets in one wait"


def test_a_new_wait_counts_anew() -> None:
    guard = Guard(Bounds(resets=3))
    with guard.one_wait():
        guard.note_reset()
    for _ in range(4):
        guard.begin()
        guard.note_reset()
    assert guard.exceeded == ""
