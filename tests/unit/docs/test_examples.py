"""What the documents show is run here, so that they stay true."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
from robot.api import TestSuite as Suite

from boardless.project.config import load_config
from boardless_sim.peripherals.register import RegisterPeripheral
from boardless_sim.result import parse_result
from tests.unit.fake_bus import FakeBus

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*/*.md"))]


def examples(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    found = re.findall(rf"^ *```{language}(?: \S+)?\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    assert found, f"{page}: no {language} example"
    return found


def test_budgets_of_the_readme_are_understood(tmp_path: Path) -> None:
    config = tmp_path / "boardless.toml"
    config.write_text(examples("README.md", "toml")[0])
    assert load_config(config).budgets


def test_result_line_of_the_readme_is_understood() -> None:
    line = examples("README.md", "text")[-1].strip()
    assert parse_result(line).times_us["infer"] == 9120


@pytest.mark.parametrize("page", ["README.md", "docs/howto/suite.md", "docs/howto/renode.md"])
def test_suites_use_keywords_that_exist(page: str) -> None:
    for text in examples(page, "robotframework"):
        result = Suite.from_string(text).run(dryrun=True, output=None, console="none")
        messages = [test.message for suite in [result.suite] for test in suite.all_tests]
        assert result.return_code == 0, messages


def test_verdict_of_the_reference_is_json() -> None:
    assert json.loads(examples("docs/reference/boardless-toml.md", "json")[0])["schema"] == 1


def test_peripheral_of_the_how_to_works(tmp_path: Path) -> None:
    module = tmp_path / "rng.py"
    module.write_text(examples("docs/howto/peripheral.md", "python")[0])
    bus = FakeBus()
    device: RegisterPeripheral = runpy.run_path(str(module))["Rng"]("RNG")
    bus.place(0x5006_0800, device)
    device.write(0x00, 4, 0xC)
    bus.run(39)
    assert device.read(0x04, 4) == 0
    bus.run(1)
    assert device.read(0x04, 4) == 1
    assert bus.irqs == {80: True}
    first = device.read(0x08, 4)
    assert device.read(0x04, 4) == 0
    assert bus.irqs == {80: False}
    bus.run(40)
    assert device.read(0x08, 4) != first


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name}: {target}"
