"""Growth, waivers, expectations, raised maxima: what a pull request is stopped for."""

from __future__ import annotations

import datetime
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from boardless.gate import gate
from boardless.gate.base import baseline_of
from boardless.gate.bound import StackBound
from boardless.gate.change import Change, changes
from boardless.gate.decide import decide
from boardless.gate.diff import Baseline, compare
from boardless.gate.evidence import VerdictBasis
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import load_config
from boardless.size.measure import measure
from boardless.stack import Confidence
from boardless_sim.engines.engine import StackMark
from boardless_sim.errors import AnalyserError, ConfigError
from tests.unit.conftest import link

DAY = datetime.date(2027, 1, 31)
FLASH = "[budget.region.FLASH]\nmax = 4096\n"


def verdict_of(
    elf: Path, config: Path, text: str, base: str | None = None, today: datetime.date = DAY
) -> Verdict:
    config.write_text(text)
    return gate(elf, config, base=base, today=today)


def row(verdict: Verdict, key: str) -> VerdictRow:
    return next(row for row in verdict.rows if row.key == key)


def write_base(path: Path, elf: Path, config: Path, text: str = FLASH, **other: object) -> str:
    document = verdict_of(elf, config, text).as_json() | other
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def smaller(small_elf: Path, config_file: Path, tmp_path: Path) -> str:
    """A base in which kernel_conv was 6 bytes and everything else as now."""
    document = verdict_of(small_elf, config_file, FLASH).as_json()
    regions, symbols = document["regions"], document["symbols"]
    assert isinstance(regions, dict)
    assert isinstance(symbols, dict)
    less = symbols["kernel_conv"] - 6
    regions["FLASH"]["bytes"] -= less
    symbols["kernel_conv"] = 6
    path = tmp_path / "base.json"
    path.write_text(json.dumps(document))
    return str(path)


@pytest.mark.parametrize(("most", "passes"), [(0, False), (400, True)])
def test_growth_names_the_symbol(
    small_elf: Path, config_file: Path, smaller: str, most: int, passes: bool
) -> None:
    text = f"[budget]\nnoise = 0\n{FLASH}max-growth = {most}\n"
    verdict = verdict_of(small_elf, config_file, text, smaller)
    assert verdict.passed is passes
    grown = row(verdict, "growth.FLASH.growth")
    assert grown.max_bytes == most
    if not passes:
        assert "by kernel_conv +" in grown.cause
        assert verdict.as_json()["base"]["label"] == smaller  # type: ignore[index]


def test_growth_without_a_base_is_no_pass(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, FLASH + "max-growth = 1024")
    assert not verdict.passed
    assert "no base to grow from" in verdict.line


def test_lock_beside_the_config_is_the_base_and_said_so(
    small_elf: Path, config_file: Path, tmp_path: Path
) -> None:
    lock = write_base(tmp_path / "budget.lock", small_elf, config_file)
    verdict = verdict_of(small_elf, config_file, FLASH + "max-growth = 0")
    assert verdict.passed
    assert verdict.diff is not None
    assert verdict.diff.label == lock


def test_elf_as_base(small_elf: Path, config_file: Path, tmp_path: Path) -> None:
    old = link(tmp_path, "-O0")
    verdict = verdict_of(small_elf, config_file, FLASH, str(old))
    assert verdict.diff is not None
    assert verdict.diff.label == f"{old} (ELF)"
    assert any(change.name == "kernel_conv" for change in verdict.diff.symbols) or (
        verdict.diff.unchanged > 0
    )


def test_revision_as_base_reads_its_lock_and_its_maxima(
    small_elf: Path, config_file: Path, tmp_path: Path
) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True)

    git("init", "--quiet")
    write_base(tmp_path / "budget.lock", small_elf, config_file)
    git("add", "budget.lock", "boardless.toml")
    git("commit", "--quiet", "-m", "base")
    verdict = verdict_of(small_elf, config_file, FLASH.replace("4096", "8192"), "git:HEAD")
    assert verdict.diff is not None
    assert verdict.diff.label.startswith("git:HEAD (")
    assert verdict.notes == (
        'region.FLASH: maximum raised from 4,096 to 8,192 without a reason (reason = "…" '
        "beside its max)",
    )
    text = FLASH.replace("4096", "8192") + 'reason = "TLS"'
    assert verdict_of(small_elf, config_file, text, "git:HEAD").notes == ()
    with pytest.raises(ConfigError, match="no such commit"):
        verdict_of(small_elf, config_file, FLASH, "git:none")
    with pytest.raises(ConfigError, match="expected a revision"):
        verdict_of(small_elf, config_file, FLASH, "git:--output=x")


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("region.FLASH", "[budget.region.FLASH]\nmax = {}\n{}"),
        ("size.static-ram", "[budget.static-ram]\nmax = {}\n{}"),
        ("size.kernels", '[[budget.size]]\nname = "kernels"\nsymbol = "kernel_*"\nmax = {}\n{}'),
        ("stack.bound", "[budget.stack]\nmax = {}\n{}"),
    ],
)
def test_raised_maximum_wants_a_reason_of_its_own(
    small_elf: Path, config_file: Path, tmp_path: Path, key: str, table: str
) -> None:
    old, new = 'reason = "the old one"', 'reason = "TLS"'
    base = write_base(tmp_path / "base.json", small_elf, config_file, table.format(8000, old))

    def notes(maximum: int, reason: str) -> list[str]:
        verdict = verdict_of(small_elf, config_file, table.format(maximum, reason), base)
        assert verdict.passed
        return [note for note in verdict.notes if "raised" in note]

    assert notes(9000, new) == notes(8000, old) == notes(7000, "") == []
    for reason in ("", old):
        (note,) = notes(9000, reason)
        assert note.startswith(f"{key}: maximum raised from 8,000 to 9,000 without a reason")


def test_revision_without_a_lock_is_named(
    small_elf: Path, config_file: Path, tmp_path: Path
) -> None:
    command = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*command, "init", "--quiet"], check=True)
    subprocess.run([*command, "commit", "--quiet", "--allow-empty", "-m", "a"], check=True)
    with pytest.raises(ConfigError, match=r"no budget\.lock beside"):
        verdict_of(small_elf, config_file, FLASH, "git:HEAD")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"schema": 2}',
        b'{"schema": 1, "regions": []}',
        b"\xff\xfe",
    ],
)
def test_base_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^base\.json: "):
        baseline_of("base.json", raw)


def test_figures_that_make_no_sense_are_not_taken_from_a_base() -> None:
    document = {
        "schema": 1,
        "regions": {"FLASH": {"bytes": -1, "max": True}, "RAM": {"bytes": 12}, "X": 3},
        "sizes": [3, {"name": "a", "bytes": "12"}],
        "symbols": {"evil\n": 3, "b": 1 << 60},
        "stack": {"bound": {"bytes": 8}},
        "stacks": {"paths": [], "functions": {"a": {"own": -1}, "b": 3}},
    }
    base = baseline_of("x", json.dumps(document).encode())
    assert base.regions == {"RAM": 12}
    assert base.sizes == {}
    assert base.symbols == {"'evil\\n'": 3}
    assert base.stacks is None
    assert base.no_stacks == "x has none"


WAIVER = (
    '\n[[budget.waive]]\nbudget = "{}"\nbytes = 4000\nreason = "TLS, 812"\nexpires = 2027-01-31'
)


def test_waiver_holds_up_to_its_day(small_elf: Path, config_file: Path) -> None:
    text = "[budget.region.FLASH]\nmax = 1" + WAIVER.format("FLASH")
    verdict = verdict_of(small_elf, config_file, text)
    assert verdict.passed
    assert row(verdict, "region.FLASH").waived == 4000
    assert verdict.as_json()["today"] == "2027-01-31"
    late = verdict_of(small_elf, config_file, text, today=DAY + datetime.timedelta(1))
    assert not late.passed
    assert row(late, "waiver.FLASH").reason == "expired on 2027-01-31, today is 2027-02-01"


def test_expired_waiver_fails_even_where_the_budget_holds(
    small_elf: Path, config_file: Path
) -> None:
    text = FLASH + WAIVER.format("FLASH")
    assert verdict_of(small_elf, config_file, text).passed
    assert not verdict_of(small_elf, config_file, text, today=datetime.date(2028, 1, 1)).passed


def test_waiver_for_nothing_fails(small_elf: Path, config_file: Path) -> None:
    verdict = verdict_of(small_elf, config_file, FLASH + WAIVER.format("FLAHS"))
    assert row(verdict, "waiver.FLAHS").reason == "no budget of that name"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("bytes = 1\nreason = 'a'\nexpires = 2027-13-01", "not TOML"),
        ("bytes = 1\nreason = 'a'\nexpires = '2027-02-30'", "expected a day that exists"),
        ("bytes = 1\nreason = 'a'\nexpires = 2027", "expected a day as 2027-01-31"),
        ("bytes = 1\nexpires = 2027-01-31", "reason: not there"),
        ("bytes = 1\nreason = 'a'", "expires: not there"),
    ],
)
def test_waiver_needs_all_of_it(config_file: Path, text: str, complaint: str) -> None:
    config_file.write_text(f"[[budget.waive]]\nbudget = 'FLASH'\n{text}")
    with pytest.raises(ConfigError, match=complaint):
        load_config(config_file)


@pytest.mark.parametrize(
    ("expect", "symbol", "passes"),
    [
        ("absent", "printf*", True),
        ("absent", "kernel_*", False),
        ("match", "bare_label", True),
        ("bytes", "bare_label", False),
    ],
)
def test_expectations(
    small_elf: Path, config_file: Path, expect: str, symbol: str, passes: bool
) -> None:
    text = f'[[budget.size]]\nname = "a"\nsymbol = "{symbol}"\nexpect = "{expect}"\nmax = 0'
    assert verdict_of(small_elf, config_file, text).passed is passes


def test_stripped_has_sizes_and_an_unbounded_stack(
    small_elf: Path, config_file: Path, tmp_path: Path
) -> None:
    stripped = tmp_path / "stripped.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", stripped, small_elf], check=True)
    assert verdict_of(stripped, config_file, FLASH).passed
    verdict = verdict_of(stripped, config_file, FLASH + "[budget.stack]\nmax = '64K'")
    assert row(verdict, "stack.bound").reason.startswith("unbounded: stripped")
    size = '[[budget.size]]\nname = "a"\nsymbol = "*"\nmax = "1M"'
    assert "stripped (no .symtab)" in verdict_of(stripped, config_file, size).line


def test_region_that_nothing_is_loaded_into_is_no_pass(small_elf: Path, config_file: Path) -> None:
    text = "[budget.region.FLASH]\nkind = 'flash'\norigin = 0x9000_0000\nlength = '1M'\nmax = '1M'"
    verdict = verdict_of(small_elf, config_file, text)
    assert not verdict.passed
    assert "nothing is loaded there" in row(verdict, "region.FLASH").reason
    assert not row(verdict, "region.elsewhere").ok


def test_region_of_the_program_headers_that_is_not_there(
    small_elf: Path, config_file: Path
) -> None:
    verdict = verdict_of(small_elf, config_file, "[budget.region.'FLASH@0x90000000']\nmax = 1")
    assert "no such region" in verdict.line


def test_run_deeper_than_the_bound_proves_the_analysis_wrong(
    small_elf: Path, config_file: Path
) -> None:
    config_file.write_text(FLASH)
    config = load_config(config_file)
    measurement = measure(small_elf, config)
    mark = StackMark(700, 0x2001_0000, "nn_conv2d")
    evidence = VerdictBasis(DAY, mark, bound=StackBound(690, Confidence.EXACT, cold_bytes=700))
    assert decide(measurement, config.budgets, evidence).passed
    with pytest.raises(AnalyserError, match="used 700 bytes of stack .* the bound of 699"):
        decide(
            measurement,
            config.budgets,
            replace(evidence, bound=StackBound(690, Confidence.EXACT, cold_bytes=699)),
        )


def test_sum_that_does_not_close_proves_the_measurement_wrong(
    small_elf: Path, config_file: Path
) -> None:
    config_file.write_text(FLASH)
    config = load_config(config_file)
    found = measure(small_elf, config)
    wrong = replace(found, regions={**found.regions, "FLASH": found.regions["FLASH"] + 1})
    with pytest.raises(AnalyserError, match="does not close"):
        decide(wrong, config.budgets, VerdictBasis(DAY))


def test_unbounded_stack_fails_its_budget(small_elf: Path, config_file: Path) -> None:
    config_file.write_text(FLASH + "[budget.stack]\nmax = '4K'")
    config = load_config(config_file)
    bound = StackBound(None, Confidence.UNBOUNDED, reason="recursion in fact")
    verdict = decide(measure(small_elf, config), config.budgets, VerdictBasis(DAY, bound=bound))
    assert row(verdict, "stack.bound").reason == "recursion in fact"
    assert not verdict.passed


def test_changes_are_sorted_and_the_noise_is_not_listed() -> None:
    empty = Baseline("base", {}, {}, {}, {}, {})
    before = replace(empty, symbols={"a": 100, "b": 50, "gone": 9}, stack_bytes=10)
    after = replace(empty, symbols={"a": 108, "b": 20, "new": 40}, stack_bytes=30)
    diff = compare(before, after, noise=8)
    assert diff.symbols == (Change("new", None, 40), Change("b", 50, 20), Change("gone", 9, None))
    assert diff.unchanged == 1
    assert diff.stack == Change("stack", 10, 30)
    assert changes({}, {}) == ()
