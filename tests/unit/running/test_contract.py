"""A firmware with names and lines of its own runs once the project says so."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from boardless.project.choice import ProjectChoice
from boardless.project.config import parse_config
from boardless.project.project import load_project
from boardless.running.classify import classify
from boardless.running.rig import Rig
from boardless.running.session import BoardSetup
from boardless.timing.profile.recording import ProfilePlan, record_frames
from boardless_sim.camera.frame import Frame
from boardless_sim.contract import REFERENCE, Contract
from boardless_sim.errors import ConfigError, EngineError, ImageError, ResultError
from tests.unit.conftest import link

TOML = r"""
[console]
port = "semihosting"
result = 'class: (?P<class>\w+) \((?P<score>\d+)%\) (?P<total_ms>[\d.]+) ms'
[classes]
names = ["cat", "dog"]
[symbols]
mailbox = "inbox"
infer = "run_network"
[stages]
network = "run_network"
[budget.region.FLASH]
max = "1M"
"""


def contract_of(text: str) -> Contract:
    return parse_config(Path("boardless.toml"), text.encode()).contract


def grey(name: str, level: int, label: int) -> Frame:
    return Frame(name, np.full((28, 28), level, np.uint8), label)


@pytest.fixture(name="elf", scope="module")
def elf_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link(tmp_path_factory.mktemp("renamed"), source="renamed.c")


FRAMES = [grey("dark", 10, 0), grey("bright", 200, 1), grey("dark too", 20, 0)]


def test_a_firmware_with_names_of_its_own_runs(elf: Path) -> None:
    setup = BoardSetup(elf, contract=contract_of(TOML))
    with closing(setup.power_on()) as engine:
        report = classify(engine, FRAMES)
    assert [(found.frame, found.class_index, found.score) for found in report.results] == [
        (0, 0, 88),
        (1, 1, 93),
        (2, 0, 88),
    ]
    assert report.results[1].times_us == {"total": 12_500.0}
    assert report.accuracy == 1.0


def test_it_runs_step_by_step_too(elf: Path) -> None:
    with Rig() as rig:
        rig.power_on(BoardSetup(elf, contract=contract_of(TOML)))
        for frame in FRAMES[:2]:
            rig.show(frame)
        found = [rig.run_until_result(1e6) for _ in range(2)]
    assert [(result.frame, result.name) for result in found if result] == [
        (0, "dark"),
        (1, "bright"),
    ]


def test_its_stages_are_profiled_by_its_own_functions(elf: Path) -> None:
    profile = record_frames(ProfilePlan(elf, contract=contract_of(TOML)), FRAMES)
    assert [(stage.name, stage.cost.calls) for stage in profile.stages] == [("network", 3)]


def test_without_the_project_it_has_no_mailbox(elf: Path) -> None:
    with closing(BoardSetup(elf, engine="native").power_on()) as engine, pytest.raises(EngineError):
        engine.ask_for_layers()


def test_a_symbol_that_the_project_names_must_be_there(elf: Path) -> None:
    contract = contract_of(TOML.replace('"inbox"', '"outbox"'))
    message = rf"^{elf}: no symbol 'outbox', expected it \(\[symbols\] mailbox\)$"
    with pytest.raises(ImageError, match=message):
        BoardSetup(elf, contract=contract).power_on()


def test_a_class_that_nobody_names_is_an_error(elf: Path) -> None:
    contract = contract_of(TOML.replace('"dog"', '"bird"'))
    message = "^UART: class 'dog' in .*, expected a number or one of cat, bird$"
    with (
        closing(BoardSetup(elf, contract=contract).power_on()) as engine,
        pytest.raises(ResultError, match=message),
    ):
        classify(engine, FRAMES)


@pytest.mark.parametrize(
    ("console", "message"),
    [
        ("result = 'score (?P<score>\\d+)'", r"expected a group \(\?P<class>…\)$"),
        ("result = '(?P<class>'", r"expected a regular expression \(missing \), .*\)$"),
        (
            "result = '(?P<class>.)(?P<total>.)'",
            "expected group class, score, frame, <stage>_us or <stage>_ms, not total$",
        ),
        ("port = 'uart2'", "found 'uart2', expected USART1 or such, semihosting, rtt, itm$"),
        ("baud = 0", "expected a number from 1$"),
        ("baud = 9600", "found 9600 and no port, expected both$"),
        ("baud = 99000000", "expected at most 10500000$"),
        ("speed = 9600", r"^boardless.toml: \[console\] unknown key 'speed', expected one of:"),
    ],
)
def test_what_makes_no_sense_is_one_line(console: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        contract_of(f"[console]\n{console}")
    assert "\n" not in str(error.value)


def test_without_a_file_it_is_the_reference_firmware(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_project().contract == REFERENCE
    Path("boardless.toml").write_text(TOML, encoding="utf-8")
    assert load_project().contract == contract_of(TOML)
    with pytest.raises(ConfigError):
        load_project(ProjectChoice(tmp_path / "nope.toml"))


def test_a_time_that_is_no_number_is_an_error() -> None:
    contract = contract_of("[console]\nresult = '(?P<class>.) (?P<total_ms>.+)'")
    with pytest.raises(ResultError, match="^UART: total_ms 'nan' in '7 nan', expected a number$"):
        contract.parse_result("7 nan")
