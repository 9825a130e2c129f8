"""Fixtures for pytest: a firmware, a board that runs it, its camera; evidence where a test fails.

    @pytest.mark.firmware("build/firmware/boardless.elf")
    def test_a_frame(board: Bench, camera: Camera) -> None:
        camera.show("pattern:checker")
        result = board.run_until_result(limit_us=500_000)
        assert result is not None

Every test has a board of its own, so that workers of pytest-xdist need nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from boardless.running.rig import Rig
    from boardless_sim.faults.sensor import SensorFault


class Camera:
    """What the lens of a board sees."""

    def __init__(self, board: Rig) -> None:
        self._board = board

    def show(self, source: str | Path, limit: int = 1) -> None:
        """The first pictures of a file, a folder or `pattern:NAME`, one a frame."""
        from boardless_sim.camera.source import open_frames

        for frame in open_frames(str(source), limit=limit):
            self._board.show(frame)

    def break_with(self, fault: SensorFault) -> None:
        """Something is wrong with the sensor from its next frame on."""
        self._board.break_camera(fault)

    def repair(self) -> None:
        """Nothing is wrong any more."""
        self._board.repair_camera()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--firmware` and `--board-evidence`, and the same for pytest.ini."""
    group = parser.getgroup("boardless", "firmware on a virtual board")
    group.addoption("--firmware", metavar="ELF", help="what the board runs, unless a test says it")
    group.addoption(
        "--board-evidence", metavar="DIR", help="where a failed test leaves frame, UART and state"
    )
    group.addoption("--board", metavar="TOML", help="what the board is, else boardless.toml")
    group.addoption("--chip", metavar="NAME", help="another chip, as stm32f429zi")
    parser.addini("firmware", "what the board runs, unless a test or --firmware says it")


def pytest_configure(config: pytest.Config) -> None:
    """The marker, so that --strict-markers knows it."""
    config.addinivalue_line("markers", "firmware(elf): the ELF that the board of this test runs")


@pytest.fixture
def firmware(request: pytest.FixtureRequest) -> Path:
    """The ELF: of the test's marker, of --firmware, of pytest.ini, in that order."""
    marker = request.node.get_closest_marker("firmware")
    config = request.config
    found = (
        marker.args[0] if marker else config.getoption("--firmware") or config.getini("firmware")
    )
    if not found:
        raise pytest.UsageError("no firmware, expected a marker, --firmware ELF or an ini value")
    return Path(found)


@pytest.fixture
def board(request: pytest.FixtureRequest, firmware: Path) -> Iterator[Rig]:
    """A board with the firmware, powered on at virtual time 0."""
    from boardless.project.choice import ProjectChoice
    from boardless.project.project import load_project
    from boardless.running.rig import Rig
    from boardless.running.session import BoardSetup

    named, chip = request.config.getoption("--board"), request.config.getoption("--chip")
    project = load_project(ProjectChoice(Path(named) if named else None, chip), firmware)
    setup = BoardSetup(
        firmware, contract=project.contract, board=project.board, image=project.image
    )
    with Rig() as rig:
        rig.power_on(setup)
        yield rig
        if getattr(request.node, "board_failed", False):
            _keep_evidence(request, rig)


@pytest.fixture
def camera(board: Rig) -> Camera:
    """The board's."""
    return Camera(board)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """The board's fixture must know at its end how the test went."""
    outcome: Any = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        item.board_failed = True  # type: ignore[attr-defined]


def _keep_evidence(request: pytest.FixtureRequest, rig: Rig) -> None:
    from boardless.running.core_dump import write_core
    from boardless.running.evidence import save

    place = request.config.getoption("--board-evidence")
    evidence = rig.evidence()
    if place and evidence is not None:
        name = "".join(c if c.isalnum() or c in "-_." else "_" for c in request.node.name)
        folder = Path(place) / f"{request.node.path.stem}-{name}"
        save(evidence, folder)
        write_core(rig.engine, folder)
