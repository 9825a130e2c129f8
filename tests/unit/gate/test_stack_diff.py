"""Which path of the stack grew, and by which call or frame: two links of one source."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.gate.base import baseline_of
from boardless.gate.diff import compare
from boardless.gate.stack_diff import StackFrame, StackPath, Stacks, stack_changes
from boardless_sim.errors import ConfigError
from tests.unit.conftest import SOURCES, link

BUDGETS = """
[budget]
noise = 0
[budget.region.FLASH]
max = "4K"
[budget.stack]
max = "4K"
"""
Built = Callable[..., Path]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The firmware with some options."""

    def made(*options: str) -> Path:
        return link(tmp_path_factory.mktemp("paths"), *options, source="paths.c")

    return made


@pytest.fixture(scope="module")
def before(built: Built) -> Path:
    return built()


def stacks_of(
    elf: Path, base: Path, tmp_path: Path, text: str = BUDGETS
) -> tuple[int, dict[str, object]]:
    """Exit code, and the document's `base`."""
    budgets, document = tmp_path / "boardless.toml", tmp_path / "budget.json"
    budgets.write_text(text)
    options = ["--config", str(budgets), "--base", str(base), "--json", str(document)]
    code = cli.main(["budget", str(elf), *options])
    return code, json.loads(document.read_text())["base"]


CASES = [
    (("-DLENGTH=30",), "main", 72, "big takes 120 bytes itself, it took 32"),
    (("-DEDGE",), "main", 16, "middle is deepest in big, it was in leaf"),
    (("-DFRESH",), "main", 224, "middle calls fresh, which is new"),
    (("-DTICK=40",), "interrupt tick", 144, "tick takes 168 bytes itself, it took 24"),
]


@pytest.mark.parametrize(("options", "path", "delta", "cause"), CASES)
@pytest.mark.parametrize("form", ["elf", "json"])
def test_path_that_grew_names_its_cause(
    built: Built,
    before: Path,
    tmp_path: Path,
    options: tuple[str, ...],
    path: str,
    delta: int,
    cause: str,
    form: str,
) -> None:
    base = before
    if form == "json":
        base, budgets = tmp_path / "base.json", tmp_path / "base.toml"
        budgets.write_text(BUDGETS)
        assert cli.main(["budget", str(before), "--config", str(budgets), f"--json={base}"]) == 0
    code, found = stacks_of(built(*options), base, tmp_path)
    assert code == 0
    assert str(found["label"]).startswith(str(base))
    changes = found["stacks"]
    assert isinstance(changes, list)
    assert [(each["name"], each["delta"], each["cause"]) for each in changes] == [
        (path, delta, cause)
    ]
    assert found["stack"]["delta"] == delta  # type: ignore[index]


def test_same_firmware_has_no_path_that_changed(before: Path, tmp_path: Path) -> None:
    code, found = stacks_of(before, before, tmp_path)
    assert code == 0
    assert found["stacks"] == []


def test_bound_that_is_lost_names_who_has_none(
    built: Built, before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = stacks_of(built("-DTURNS"), before, tmp_path)
    assert code == ExitCode.FAILED
    assert found["stacks"][0]["cause"] == "no bound for turns (new), reset"  # type: ignore[index]
    assert (
        "stack: main is unbounded now: no bound for turns (new), reset" in capsys.readouterr().out
    )


def test_broken_budget_says_the_cause_in_its_row(
    built: Built, before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = BUDGETS.replace('[budget.stack]\nmax = "4K"', "[budget.stack]\nmax = 140")
    code, _ = stacks_of(built("-DEDGE"), before, tmp_path, text)
    assert code == ExitCode.FAILED
    said = " ".join(capsys.readouterr().out.split())
    assert "over by 8: main +16: middle is deepest in big, it was in leaf" in said


def test_annotation_that_does_not_fit_the_base_is_a_note(
    built: Built, before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{BUDGETS}[budget.stack.recursion]\nturns = 3\n"
    code, found = stacks_of(built("-DTURNS"), before, tmp_path, text)
    assert code == 0
    assert found["stacks"] == []
    said = " ".join(capsys.readouterr().out.split())
    assert "note: stack paths not compared:" in said
    assert "no function 'turns' in the ELF" in said


def test_a_bound_that_is_found_is_said_as_that() -> None:
    open_ended = Stacks({"main": StackPath("a", None)}, {"a": StackFrame(8, None)})
    bounded = Stacks({"main": StackPath("a", 8)}, {"a": StackFrame(8, 8)})
    assert [each.text() for each in stack_changes(open_ended, bounded)] == ["main is bounded now"]
    assert stack_changes(open_ended, open_ended) == ()


def test_the_annotation_stands_at_the_function_that_grew(
    before: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    source = tmp_path / "paths.c"
    source.write_text((SOURCES / "paths.c").read_text())
    mapped = f"-ffile-prefix-map={SOURCES}={tmp_path}"
    elf = link(tmp_path, "-g", "-DTICK=40", mapped, source="paths.c")
    text = BUDGETS.replace('[budget.stack]\nmax = "4K"', "[budget.stack]\nmax = 140")
    assert stacks_of(elf, before, tmp_path, text)[0] == ExitCode.FAILED
    found = re.search(
        r"::error file=paths\.c,line=(\d+),title=budget bound::", capsys.readouterr().out
    )
    assert found is not None
    assert "void tick(void)" in source.read_text().splitlines()[int(found[1]) - 1]


def test_a_base_of_anyone_is_compared_or_refused(before: Path, tmp_path: Path) -> None:
    budgets, document = tmp_path / "boardless.toml", tmp_path / "base.json"
    budgets.write_text(BUDGETS)
    assert cli.main(["budget", str(before), "--config", str(budgets), f"--json={document}"]) == 0
    whole = document.read_text()
    now, chance = baseline_of("now", whole.encode()), random.Random(6)
    values: list[object] = [
        None,
        -1,
        1 << 70,
        "",
        "\n::error::",
        [],
        {},
        [[]],
        {"own": {}},
        True,
        1.5,
    ]
    refused = 0
    for _ in range(2_000):
        damaged = json.loads(whole)
        for _ in range(chance.randint(1, 6)):
            place = damaged
            while isinstance(place, dict) and place:
                key = chance.choice(sorted(place))
                if chance.random() < 0.3 or not isinstance(place[key], dict):
                    place[key] = copy.deepcopy(chance.choice(values))
                    break
                place = place[key]
        try:
            diff = compare(baseline_of("base", json.dumps(damaged).encode()), now, 0)
        except ConfigError:
            refused += 1
            continue
        text = json.dumps(diff.as_json()) + "".join(path.text() for path in diff.stacks)
        assert text.isprintable()
    assert 50 < refused < 1_500


def test_paths_that_are_new_gone_shorter_or_moved() -> None:
    functions = {"a": StackFrame(8, 40, "b"), "b": StackFrame(32, 32)}
    old = Stacks(
        {
            "main": StackPath("a", 40),
            "task x": StackPath("b", 32),
            "interrupt 1": StackPath("a", 80),
            "interrupt 2": StackPath("b", 68),
        },
        functions,
    )
    new = Stacks(
        {
            "main": StackPath("a", 36),
            "task y": StackPath("b", 32),
            "interrupt 1": StackPath("b", 96),
            "interrupt 2": StackPath("b", 140),
        },
        functions,
    )
    assert [change.text() for change in stack_changes(old, new)] == [
        "interrupt 2 +72: its exception frame is larger, or an annotation is another",
        "task y is new",
        "interrupt 1 +16: it is deepest in b now, it was in a",
        "main -4",
        "task x is gone",
    ]
