"""A test asks its engine what it offers, and for the engine itself: skipped with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot.api import SkipExecution

from Boardless import Boardless
from boardless.running.session import BoardSetup
from boardless.suites.keywords import running
from boardless.suites.runner import SuitePlan, robot_command
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import Capability, Engine
from boardless_sim.errors import EngineMissing
from tests.unit.running.fake_engine import FakeEngine

ELF = Path("app.elf")


def test_what_the_engine_lacks_skips_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoardSetup, "power_on", lambda _setup, _image=None: FakeEngine())
    board = Boardless()
    board.power_on_board(ELF)
    board.engine_should_offer("camera")
    with pytest.raises(SkipExecution, match=r"^engine fake: no camera faults$"):
        board.engine_should_offer("camera", "camera faults")
    with pytest.raises(AssertionError, match=r"^found 'wings', expected one of: camera, "):
        board.engine_should_offer("wings")
    board.power_off_board()


def test_a_missing_engine_skips_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_setup: BoardSetup, _image: object = None) -> Engine:
        raise EngineMissing("engine renode: not installed")

    variables = {"${ENGINE}": "renode"}
    monkeypatch.setattr(BoardSetup, "power_on", missing)
    monkeypatch.setattr(running, "robot_variable", lambda name: variables.get(name, ""))
    board = Boardless()
    with pytest.raises(SkipExecution, match=r"^engine renode: not installed$"):
        board.power_on_board(ELF)
    variables["${REQUIRE ENGINE}"] = "qemu"
    with pytest.raises(SkipExecution):
        board.power_on_board(ELF)
    variables["${REQUIRE ENGINE}"] = "renode"
    with pytest.raises(AssertionError, match=r"^engine renode: not installed; it is required$"):
        board.power_on_board(ELF)


def test_what_a_required_engine_lacks_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"${REQUIRE ENGINE}": "fake"}
    monkeypatch.setattr(BoardSetup, "power_on", lambda _setup, _image=None: FakeEngine())
    monkeypatch.setattr(running, "robot_variable", lambda name: variables.get(name, ""))
    board = Boardless()
    board.power_on_board(ELF)
    lacks = r"^engine fake: no camera faults; it is required$"
    with pytest.raises(AssertionError, match=lacks):
        board.engine_should_offer("camera", "camera faults")
    variables["${REQUIRE ENGINE}"] = "renode"
    with pytest.raises(SkipExecution):
        board.engine_should_offer("camera faults")
    board.power_off_board()


class Choosy(FakeEngine):
    """An engine that keeps precise time only where it is asked to."""

    capabilities = frozenset({Capability.CAMERA, Capability.PRECISE_TIME})
    is_precise = False

    def be_precise(self) -> None:
        self.is_precise = True


def test_a_test_of_times_gets_precise_time_and_others_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boards: list[Choosy] = []

    def create(_setup: BoardSetup) -> Choosy:
        boards.append(Choosy())
        return boards[-1]

    monkeypatch.setattr(BoardSetup, "_create", create)
    monkeypatch.setattr(BoardSetup, "load", lambda _setup: FirmwareImage)
    monkeypatch.setattr(
        "boardless_sim.engines.mailbox.box.mailbox_of", lambda _image, _contract: None
    )
    board = Boardless()
    board.power_on_board(ELF)
    board.engine_should_offer("camera", "precise time")
    board.rig.restart()
    board.power_on_board(ELF)
    board.engine_should_offer("camera")
    assert [each.is_precise for each in boards] == [True, True, False]
    board.power_off_board()


def test_the_plan_hands_both_to_robot() -> None:
    plan = SuitePlan(ELF, Path("out"), 60, engine="renode", require_engine="renode")
    command = robot_command(plan)
    assert "ENGINE:renode" in command
    assert "REQUIRE ENGINE:renode" in command
