"""The forms of a verdict: each is read back, bounded, and cannot be taken over by a name."""

from __future__ import annotations

import datetime
import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.gate import gate
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import Config, load_config
from boardless.report.verdict.annotations import MOST, commands
from boardless.report.verdict.html import html
from boardless.report.verdict.junit import junit
from boardless.report.verdict.markdown import LIMIT, MARK, escape, markdown
from boardless.report.verdict.sarif import sarif
from boardless.report.verdict.squares import Square, squares
from tests.unit.conftest import link

EVIL = "x</title><script>alert(1)</script>\n::error::@all [a](https://b) | `%0A`"
BUDGETS = """
[budget.region.FLASH]
max = 64
[[budget.size]]
name = "kernels"
symbol = "kernel_*"
max = 1
[budget.static-ram]
max = "64K"
"""


@pytest.fixture
def config(config_file: Path) -> Config:
    config_file.write_text(BUDGETS)
    return load_config(config_file)


@pytest.fixture
def verdict(small_elf: Path, config: Config) -> Verdict:
    return gate(small_elf, config.path, today=datetime.date(2026, 1, 1))


@pytest.fixture
def evil(verdict: Verdict) -> Verdict:
    return replace(verdict, rows=(*verdict.rows, VerdictRow("size", EVIL, 9, 1)), notes=(EVIL,))


def test_annotations_stand_at_file_and_line(
    tmp_path: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "small.c"
    source.write_text((Path(__file__).parents[1] / "firmware/small.c").read_text())
    elf = link(tmp_path, "-g", f"-ffile-prefix-map={Path(__file__).parents[1]}/firmware={tmp_path}")
    config_file.write_text(BUDGETS)
    found = list(commands(gate(elf, config_file), load_config(config_file)))
    places = [re.match(r"::error file=small\.c,line=(\d+),", text) for text in found]
    numbers = [int(place[1]) for place in places if place]
    assert len(numbers) == 1, found
    assert "[value & " in source.read_text().splitlines()[numbers[0] - 1]
    assert any(
        a.startswith("::error file=boardless.toml,line=2,title=budget FLASH::") for a in found
    )


def test_annotations_are_the_worst_ten(verdict: Verdict, config: Config) -> None:
    many = replace(verdict, rows=tuple(VerdictRow("size", f"b{n}", n, 1) for n in range(2, 40)))
    found = list(commands(many, config))
    assert len(found) == MOST
    assert "b39 is 38 bytes over" in found[0]


def test_no_name_starts_a_command_of_its_own(evil: Verdict, config: Config) -> None:
    for line in commands(evil, config):
        assert "\n" not in line
        assert line.startswith(("::error ", "::warning "))
        properties = line.removeprefix("::error ").partition("::")[0]
        assert properties.count(",") <= 2


def test_no_budget_is_annotated(small_elf: Path, config: Config) -> None:
    config.path.write_text("")
    verdict = gate(small_elf, config.path)
    assert "no budget is set" in next(commands(verdict, config))
    assert fromstring(junit(verdict)).get("failures") == "1"
    assert sarif((verdict, config))["runs"][0]["results"]  # type: ignore[index]


def test_markdown_starts_with_its_mark_and_the_verdict(verdict: Verdict) -> None:
    lines = markdown(verdict).splitlines()
    assert lines[0] == MARK
    assert lines[1].startswith("**FAIL ")


def test_markdown_keeps_the_limit_of_a_comment(verdict: Verdict) -> None:
    many = tuple(VerdictRow("size", f"budget_{n}_{'x' * 200}", n, 1) for n in range(1_000))
    text = markdown(replace(verdict, rows=many))
    assert len(text) <= LIMIT
    assert re.search(r"… \d+ more lines left out", text)


def test_markdown_of_a_hostile_name_is_text(evil: Verdict) -> None:
    text = markdown(evil).removeprefix(MARK)
    assert "<script" not in text
    assert "@all" not in text
    assert "](" not in text
    assert "https://" not in text
    assert escape("a_b*c") == "a&#95;b&#42;c"


def test_junit_is_read_back(evil: Verdict) -> None:
    suite = fromstring(junit(evil))
    assert suite.get("tests") == str(len(evil.judged))
    assert suite.get("failures") == str(len(evil.failed))


def test_sarif_has_what_code_scanning_asks_for(verdict: Verdict, config: Config) -> None:
    log = json.loads(json.dumps(sarif((verdict, config))))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert len(run["results"]) == len(verdict.failed) == 2
    for result in run["results"]:
        assert result["ruleId"] in rules
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert not place["artifactLocation"]["uri"].startswith("/")


def test_page_needs_nothing_else_and_runs_nothing(evil: Verdict) -> None:
    page = html(evil)
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert "default-src 'none'" in page
    assert page.count("<svg") == len({p.region for p in evil.measurement.parts})  # type: ignore[union-attr]
    fromstring(re.sub(r"<meta[^>]*>|<!doctype html>", "", page))


@pytest.mark.parametrize("sizes", [[6, 6, 4, 3, 2, 2, 1], [1], [5] * 50, [1000, 1, 1]])
def test_treemap_areas_are_the_sizes_and_fill_the_box(sizes: list[int]) -> None:
    area = Square(10, 20, 600, 400)
    found = squares(sizes, area)
    for size, box in zip(sizes, found, strict=True):
        assert box.width * box.height == pytest.approx(600 * 400 * size / sum(sizes))
        assert 9.999 <= box.x <= box.x + box.width <= 610.001
        assert 19.999 <= box.y <= box.y + box.height <= 420.001


def test_treemap_of_nothing() -> None:
    assert squares([], Square(0, 0, 1, 1)) == []
    assert squares([0, 0], Square(0, 0, 1, 1)) == [Square(0, 0, 0, 0)] * 2


def test_command_writes_every_form(
    small_elf: Path,
    config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    forms = ("json", "markdown", "sarif", "junit", "html")
    options = [f"--{form}={tmp_path / form}" for form in forms]
    code = cli.main(["budget", str(small_elf), "--config", str(config.path), *options])
    assert code == ExitCode.FAILED
    assert all((tmp_path / form).stat().st_size > 200 for form in forms)
    out = capsys.readouterr().out
    assert out.startswith("FAIL ")
    assert "\n::error " in out
    assert "stack not measured" in out


def test_measurement_that_is_proven_wrong_is_exit_3(
    small_elf: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["boardless.size.measure"]
    wrong = {"FLASH": 1, "RAM": 1, "CCM": 1}
    monkeypatch.setattr(module, "region_bytes", lambda *_: wrong)
    command = ["budget", str(small_elf), "--config", str(config.path)]
    assert cli.main(command) == ExitCode.PROVEN_WRONG


@pytest.mark.parametrize("day", ["tomorrow", "2027-02-30", ""])
def test_day_that_is_none_is_exit_2(small_elf: Path, config: Config, day: str) -> None:
    command = ["budget", str(small_elf), "--config", str(config.path), "--today", day]
    assert cli.main(command) == ExitCode.NOT_RUN
