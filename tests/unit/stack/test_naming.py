"""Annotations by names that last: one file for every level, and for the next edit."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.project.annotations import StackAnnotations
from boardless.stack import Confidence, IndirectSite, StackReport, analyse_stack, suggest
from boardless_sim.errors import ConfigError
from tests.unit.stack.conftest import Corpus

MEMBER, HOOK = ("ops.read", ("writes",)), ("hook", ("reads",))


def site(report: StackReport, caller: str) -> IndirectSite:
    (found,) = (site for site in report.indirect if site.caller == caller)
    return found


def names(found: IndirectSite) -> list[str]:
    return [candidate.name for candidate in found.candidates]


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2"])
def test_members_variables_and_lines_serve_every_level(corpus: Corpus, level: str) -> None:
    line = ("pointers.c: cast(1)", ("cast_one",))
    annotations = StackAnnotations(calls=(MEMBER, HOOK, line))
    report = analyse_stack(corpus("pointers.c", level), annotations)
    for caller, target in (
        ("calls_member", "writes"),
        ("calls_variable", "reads"),
        ("calls_cast", "cast_one"),
    ):
        found = site(report, caller)
        assert (found.grade, names(found)) == (Confidence.ANNOTATED, [target]), caller


def test_the_more_precise_of_two_names_counts(corpus: Corpus) -> None:
    calls = (("calls_member", ("opens",)), MEMBER)
    elf = corpus("pointers.c", "-Os")
    for given in (calls, calls[::-1]):
        found = site(analyse_stack(elf, StackAnnotations(calls=given)), "calls_member")
        assert names(found) == ["writes"]


@pytest.mark.parametrize(
    "annotations",
    [
        StackAnnotations(calls=(("gone?", ("writes",)),)),
        StackAnnotations(calls=(("calls_member+0x1?", ("writes",)),)),
        StackAnnotations(calls=(("ops.read?", ("gone",)),)),
        StackAnnotations(recursion=(("gone?", 3), ("opens?", 3)), frames=(("gone?", 3),)),
    ],
)
def test_what_is_optional_may_fit_nothing(corpus: Corpus, annotations: StackAnnotations) -> None:
    assert analyse_stack(corpus("pointers.c", "-Os"), annotations).bound_bytes is not None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pointers.c: no such text", "no call through a pointer on such a line"),
        ("other.c: cast(1)", "no call through a pointer on such a line"),
        ("ops.close", "no function 'ops.close' in the ELF"),
        ("pointers.c:gone", "no function 'pointers.c:gone'"),
    ],
)
def test_what_lasts_can_be_stale_too(corpus: Corpus, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        analyse_stack(corpus("pointers.c", "-Os"), StackAnnotations(calls=((name, ()),)))


def test_a_suggestion_is_by_what_lasts_and_accepted_as_it_stands(corpus: Corpus) -> None:
    free = analyse_stack(corpus("pointers.c", "-Os"), StackAnnotations())
    calls = tomllib.loads(suggest(free))["budget"]["stack"]["calls"]
    assert {"ops.read", "ops.write", "hook", "cast"} <= calls.keys()
    assert not any("+0x" in name for name in calls if name.startswith("calls_"))
    given = tuple((name, tuple(functions)) for name, functions in calls.items())
    again = analyse_stack(corpus("pointers.c", "-O2"), StackAnnotations(calls=given))
    assert again.grade == Confidence.ANNOTATED


TWICE = """
static __attribute__((noipa)) void polls(void (*volatile each)(void)) {{ each(); }}
static __attribute__((noipa)) void done(void)
{{ volatile char local[{size}]; local[0] = 1; }}
void {name}(void) {{ polls(done); }}
"""
START = """
void first(void); void second(void);
void Reset_Handler(void) { first(); second(); for (;;); }
__attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000, Reset_Handler};
"""


def test_one_of_two_static_functions_is_named_with_its_file(tmp_path: Path) -> None:
    sources = {
        "one.c": TWICE.format(size=40, name="first"),
        "two.c": TWICE.format(size=400, name="second"),
        "start.c": START,
    }
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    elf = tmp_path / "a.elf"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-nostdlib", "-w"]
    command += ["-Wl,-Ttext=0x08000000,--section-start=.vectors=0x08001000,-e,Reset_Handler"]
    command += [str(tmp_path / name) for name in sources]
    subprocess.run([*command, "-o", str(elf)], check=True)
    annotations = StackAnnotations(calls=(("two.c:polls", ("one.c:done",)),))
    found = [s for s in analyse_stack(elf, annotations).indirect if s.caller == "polls"]
    assert min(s.chosen_by for s in found) == "annotation"
    assert {s.key for s in found} == {"one.c:polls", "two.c:polls"}


def test_a_stale_annotation_fails_its_row_and_every_report_is_written(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    budgets, report = tmp_path / "boardless.toml", tmp_path / "verdict.json"
    budgets.write_text(
        "[budget.region.FLASH]\nmax = '64K'\n[budget.stack]\nmax = '8K'\n"
        "[budget.stack.calls]\n'calls_cast+0x2' = ['cast_one']\n"
    )
    elf = corpus("pointers.c", "-Os")
    command = ["budget", str(elf), "--config", str(budgets), "--json", str(report)]
    assert cli.main(command) == ExitCode.FAILED
    document = json.loads(report.read_text())
    assert document["regions"]["FLASH"]["ok"]
    assert "no call through a pointer there" in document["stack"]["bound"]["reason"]
    assert cli.main([*command, "--suggest"]) == ExitCode.PASSED
    assert '"cast" = [' in capsys.readouterr().out
