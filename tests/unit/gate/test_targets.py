"""Several ELFs of one project: one file, one lock, one verdict, one comment."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from boardless.gate import gate
from boardless.gate.base import Identity, baseline_of
from boardless.project.targets import load_targets
from boardless.report.verdict.markdown import LIMIT, MARK
from boardless_sim.errors import ConfigError
from tests.unit.conftest import link

TOML = """
[budget.region.FLASH]
max = "64K"
reason = "of all"
[[budget.size]]
name = "kernels"
symbol = "kernel_*"
max = "1K"

[[target]]
name = "application"
elf = "small.elf"

[[target]]
name = "tight"
elf = "other.elf"
budget.region.FLASH.max = 16
budget.region.FLASH.owner = "@bootloader"
[[target.budget.size]]
name = "kernels"
symbol = "kernel_conv"
max = "2K"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    link(tmp_path)
    shutil.copy(tmp_path / "small.elf", tmp_path / "other.elf")
    config = tmp_path / "boardless.toml"
    config.write_text(TOML)
    return config


def run(config: Path, *more: str) -> tuple[int, dict[str, Any]]:
    report = config.parent / "verdict.json"
    code = cli.main(["budget", *more, "--config", str(config), "--json", str(report)])
    return code, json.loads(report.read_text())


def test_a_target_has_what_all_have_and_its_own(project: Path) -> None:
    application, tight = load_targets(project)
    assert (application.name, tight.elf) == ("application", project.parent / "other.elf")
    assert application.config.budgets.max_of("region.FLASH") == 64 << 10
    flash = tight.config.budgets.get("region.FLASH")
    assert flash is not None
    assert (flash.max_bytes, flash.reason, flash.owner) == (16, "of all", "@bootloader")
    (kernels,) = tight.config.budgets.sizes
    assert (kernels.patterns, kernels.max_bytes) == (("kernel_conv",), 2 << 10)


def test_a_pattern_is_a_target_a_file(project: Path) -> None:
    project.write_text("[[target]]\nelf = '*.elf'\n[[target]]\nname = 'x'\nelf = 's*.elf'\n")
    assert [target.name for target in load_targets(project)] == ["other", "small", "x-small"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[target]]\nname = 'a'", "[target 1] elf: not there, expected a text"),
        ("[[target]]\nelf = 'none*.elf'", "nothing matches 'none*.elf', expected built ELFs"),
        ("[[target]]\nelf = 'a.elf'\n[[target]]\nelf = 'b/a.elf'", "found 'a' again"),
        ("[[target]]\nelf = 'a.elf'\nbudgets = {}", "unknown key 'budgets'"),
        ("[[target]]\nelf = 'a.elf'\nbudget.model.max = 'x'", "(target 'a.elf')"),
    ],
)
def test_a_mistake_in_a_target_is_one_line(project: Path, text: str, message: str) -> None:
    project.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_targets(project)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_verdict_for_all(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, document = run(project, "--junit", str(tmp_path / "r.xml"))
    assert code == ExitCode.FAILED
    assert document["verdict"] == "fail"
    verdicts = {name: found["verdict"] for name, found in document["targets"].items()}
    assert verdicts == {"application": "pass", "tight": "fail"}
    assert document["targets"]["tight"]["regions"]["FLASH"]["owner"] == "@bootloader"
    said = " ".join(capsys.readouterr().out.split())
    assert "FAIL 1 of 2 ELFs: tight: FLASH is" in said
    assert "(owner: @bootloader)" in said
    suites = fromstring((tmp_path / "r.xml").read_text())
    assert [suite.get("name") for suite in suites] == ["budget application", "budget tight"]
    assert suites.get("failures") == "1"


def test_one_that_is_named_is_held_to_its_own(project: Path) -> None:
    code, document = run(project, str(project.parent / "other.elf"))
    assert code == ExitCode.FAILED
    assert document["regions"]["FLASH"]["max"] == 16
    assert "targets" not in document
    assert run(project, str(project.parent / "small.elf"))[0] == ExitCode.PASSED


def test_without_a_target_the_projects_elf_is_meant(project: Path) -> None:
    project.write_text("[project]\nelf = 'small.elf'\n[budget.region.FLASH]\nmax = '64K'\n")
    assert run(project)[0] == ExitCode.PASSED
    project.write_text("[budget.region.FLASH]\nmax = '64K'\n")
    assert cli.main(["budget", "--config", str(project)]) == ExitCode.NOT_RUN


def test_one_lock_for_all_and_each_has_its_own_part(project: Path, tmp_path: Path) -> None:
    _, document = run(project)
    sizes = document["targets"]["application"]["regions"]["FLASH"]
    sizes["bytes"] -= 40
    (tmp_path / "budget.lock").write_text(json.dumps(document))
    project.write_text(TOML.replace('max = "64K"', 'max = "64K"\nmax-growth = 32'))
    _, again = run(project)
    grown = {
        name: [row["bytes"] for row in found["growth"]] for name, found in again["targets"].items()
    }
    assert grown == {"application": [40], "tight": [0]}


def test_a_base_of_another_image_is_refused_by_name(project: Path, small_elf: Path) -> None:
    base = project.parent / "base.json"
    base.write_text(json.dumps(gate(small_elf, project).as_json()))
    base.write_text(base.read_text().replace("small.elf", "loader.elf"))
    with pytest.raises(ConfigError, match=r"is of loader\.elf, expected a base of small\.elf"):
        gate(small_elf, project, base=str(base))
    base.rename(project.parent / "budget.lock")
    assert gate(small_elf, project).diff is None


def test_a_base_without_the_target_is_refused_by_name() -> None:
    raw = b'{"schema": 1, "targets": {"app": {"regions": {"FLASH": {"bytes": 1}}}}}'
    assert baseline_of("b", raw, Identity("x.elf", "app")).regions == {"FLASH": 1}
    with pytest.raises(ConfigError, match="b: has app, expected target 'loader'"):
        baseline_of("b", raw, Identity("x.elf", "loader"))
    with pytest.raises(ConfigError, match=r"b: has app, expected x\.elf, which is no target"):
        baseline_of("b", raw, Identity("x.elf"))


def test_one_comment_with_a_row_an_elf_worst_first(project: Path, tmp_path: Path) -> None:
    run(project, "--markdown", str(tmp_path / "r.md"), "--sarif", str(tmp_path / "r.sarif"))
    lines = (tmp_path / "r.md").read_text().splitlines()
    assert lines[0] == MARK
    rows = [line for line in lines if line.startswith(("| ✅", "| ❌"))]
    assert rows[0].startswith("| ❌ tight | 1 of 2 |")
    assert rows[1].startswith("| ✅ application | 2 of 2 |")
    assert lines.count("</details>") == 2
    runs = json.loads((tmp_path / "r.sarif").read_text())["runs"]
    identities = [run["automationDetails"]["id"] for run in runs]
    assert identities == ["boardless-budget/application/", "boardless-budget/tight/"]
    (result,) = runs[1]["results"]
    assert result["partialFingerprints"] == {"budget/v1": "tight:region.FLASH"}
    assert runs[0]["tool"]["driver"]["version"]


def test_a_comment_of_many_elfs_keeps_the_limit(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(8):
        shutil.copy(tmp_path / "small.elf", folder / f"{'x' * 60}{number}.elf")
    sizes = "".join(
        f"[[budget.size]]\nname = '{'y' * 200}{n}'\nsymbol = 'none'\nmax = 1\n" for n in range(30)
    )
    project.write_text(f"{sizes}[[target]]\nelf = 'many/*.elf'\n")
    run(project, "--markdown", str(tmp_path / "r.md"))
    text = (tmp_path / "r.md").read_text()
    assert len(text) <= LIMIT
    assert "more ELFs left out" in text
