"""A test asks its engine what it offers, and for the engine itself: skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot.api import SkipExecution

from Boardless import Boardless
from boardless.keywords import running
from boardless.session import BoardSetup
from boardless.suites import SuitePlan, robot_command
from boardless_sim.engines.engine import Engine
from boardless_sim.errors import EngineMissing
from tests.unit.run.fake_engine import FakeEngine

ELF = Path("app.elf")


def test_what_the_engine_lacks_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoardSetup, "power_on", lambda _setup: FakeEngine())
    board = Boardless()
    board.power_on_board(ELF)
    board.engine_should_offer("camera")
    with pytest.raises(SkipExecution, match=r"^engine fake: no stack high-water mark$"):
        board.engine_should_offer("camera", "stack high-water mark")
    with pytest.raises(AssertionError, match=r"^found 'wings', expected one of: camera, "):
        board.engine_should_offer("wings")
    board.power_off_board()


def test_a_missing_engine_skips_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_setup: BoardSetup) -> Engine:
        raise EngineMissing("engine renode: not installed")

    variables = {"${ENGINE}": "renode"}
    monkeypatch.setattr(BoardSetup, "power_on", missing)
    monkeypatch.setattr(running, "robot_variable", lambda name: variables.get(name, ""))
    board = Boardless()
    with pytest.raises(SkipExecution, match=r"^engine renode: not installed$"):
        board.power_on_board(ELF)
    variables["${REQUIRE ENGINE}"] = "renode"
    with pytest.raises(EngineMissing):
        board.power_on_board(ELF)


def test_the_plan_hands_both_to_robot() -> None:
    plan = SuitePlan(ELF, Path("out"), 60, engine="renode", require_engine="renode")
    command = robot_command(plan)
    assert "ENGINE:renode" in command
    assert "REQUIRE ENGINE:renode" in command
