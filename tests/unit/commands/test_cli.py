from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from boardless import cli
from boardless.commands import run
from boardless.running import session
from boardless_sim.camera import source
from boardless_sim.camera.fit import FITS
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Capability, StopReason
from boardless_sim.errors import FrameError
from boardless_sim.finding import Check, Finding, Grade
from tests.unit.running.fake_engine import FakeEngine, frames

RUN = ["run", "app.elf", "--frames", "t10k"]

Board = Callable[..., FakeEngine]


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    """Put a fake engine and a fake source behind the command line."""

    def install(
        engine: FakeEngine | None = None,
        found: list[Frame] | None = None,
        skipped: tuple[str, ...] = (),
    ) -> FakeEngine:
        placed = engine or FakeEngine()

        def open_frames(
            path: str, labels: Path | None = None, limit: int | None = None, *_: object
        ) -> source.Frames:
            if str(path) == "gone":
                raise FrameError("gone: no such file, expected frames")
            given = (frames(3) if found is None else found)[:limit]
            return source.Frames(iter(given), len(given), skipped=skipped)

        monkeypatch.setattr(session.BoardSetup, "power_on", lambda _setup, _image=None: placed)
        monkeypatch.setattr(source, "open_frames", open_frames)
        return placed

    return install


def test_a_whole_run_passes_and_writes_its_document(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = board()
    assert cli.main([*RUN, "--json", str(tmp_path / "run.json")]) == 0
    output = capsys.readouterr()
    assert "accuracy   100.00 % (3 of 3 frames)" in output.out
    assert output.err == ""
    document = json.loads((tmp_path / "run.json").read_text())
    assert (document["frames"], document["correct"], document["stop_reason"]) == (3, 3, "result")
    assert engine.closed


def test_a_run_as_a_page(board: Board, tmp_path: Path) -> None:
    board()
    elf, page = tmp_path / "app.elf", tmp_path / "run.html"
    elf.write_bytes(b"no ELF, and the engine is a fake")
    assert cli.main(["run", str(elf), "--frames", "t10k", "--html", str(page)]) == 0
    text = page.read_text("utf-8")
    assert "passed: 3 of 3 frames right" in text
    assert hashlib.sha256(elf.read_bytes()).hexdigest() in text
    assert "not measured: " in text


def test_files_that_are_no_pictures_are_counted(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board(skipped=("._a.png", "Thumbs.db", "\x1b[2J", "3", "4", "5"))
    assert cli.main(RUN) == 0
    said = capsys.readouterr().out
    expected = "skipped    6 files that are no pictures: ._a.png, Thumbs.db, \\x1b[2J, 3, 4, …"
    assert expected in said


def test_the_fits_of_the_command_are_those_of_the_camera() -> None:
    option = next(one for one in run.command.params if one.name == "fit")
    assert isinstance(option.type, click.Choice)
    assert tuple(option.type.choices) == FITS


def test_the_limit_is_given_to_the_source(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board(found=frames(9))
    assert cli.main([*RUN, "--limit", "4"]) == 0
    assert "(4 of 4 frames)" in capsys.readouterr().out


@pytest.mark.parametrize("reason", [StopReason.LIMIT, StopReason.FAULT, StopReason.HALT])
def test_an_early_stop_fails(
    board: Board,
    reason: StopReason,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board(FakeEngine(stop_after=2, reason=reason))
    assert cli.main([*RUN, "--json", str(tmp_path / "run.json")]) == 1
    assert (
        f"FAILED     {reason.value} after 2 frames, expected a result for each\n"
        in capsys.readouterr().out
    )
    assert json.loads((tmp_path / "run.json").read_text())["stop_reason"] == reason.value


def test_a_run_that_classified_nothing_is_no_run(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = board(FakeEngine(stop_after=0))
    assert cli.main([*RUN, "--json", str(tmp_path / "run.json")]) == 2
    output = capsys.readouterr()
    assert output.out.startswith("stopped    limit: 1000 ms of virtual time without a result")
    assert output.err == (
        "boardless: the firmware gave no result, expected one a frame: limit: 1000 ms of virtual "
        "time without a result, at 0.000 ms; last UART line: 'm- boardless ready'\n"
    )
    document = json.loads((tmp_path / "run.json").read_text())
    assert (document["stop_reason"], document["results"]) == ("limit", [])
    assert engine.closed


@pytest.mark.parametrize(("least", "code"), [("0.75", 0), ("0.76", 1)])
def test_too_low_an_accuracy_fails(board: Board, least: str, code: int) -> None:
    board(found=frames(4, wrong=frozenset({1})))
    assert cli.main([*RUN, "--min-accuracy", least]) == code


def test_the_failed_check_says_found_and_expected(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board(found=frames(4, wrong=frozenset({1})))
    cli.main([*RUN, "--min-accuracy", "0.76"])
    assert "FAILED     accuracy 0.7500, expected at least 0.76\n" in capsys.readouterr().out


def test_an_accuracy_cannot_be_checked_without_labels(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    board(found=frames(2, labels=False))
    assert cli.main([*RUN, "--min-accuracy", "0.5"]) == 2
    assert capsys.readouterr().err == (
        "boardless: t10k: frames without labels, expected some for --min-accuracy\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "app.elf", "--frames", "gone"], "gone: no such file, expected frames"),
        (
            [*RUN, "--json", "/nowhere/run.json"],
            "/nowhere/run.json: no folder /nowhere, expected one to write into",
        ),
        (["test", "no/suites"], "no/suites: not found, expected Robot suites"),
    ],
)
def test_a_run_that_cannot_be_made_says_why_in_one_line(
    board: Board,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    board()
    assert cli.main(arguments) == 2
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", f"boardless: {message}\n")


def test_no_frames_is_no_run(board: Board, capsys: pytest.CaptureFixture[str]) -> None:
    board(found=[])
    assert cli.main(RUN) == 2
    assert capsys.readouterr().err == "boardless: no frames, expected at least one\n"


@pytest.mark.parametrize(
    "arguments",
    [["runn"], ["run"], [*RUN, "--limit", "0"], [*RUN, "--jobs", "x"], [*RUN, "--wrong"]],
)
def test_a_wrong_command_line_is_no_run(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["-h"], ["--version"], ["run", "-h"], ["test", "--help"]])
def test_help_and_version_pass(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 0
    assert "oardless" in capsys.readouterr().out


def test_an_interrupt_ends_with_130_and_leaves_no_document(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(number: int, frame: Frame) -> str:
        raise KeyboardInterrupt

    board(FakeEngine(says=interrupt))
    assert cli.main([*RUN, "--json", str(tmp_path / "run.json")]) == 130
    assert capsys.readouterr().err.strip() == "boardless: interrupted"
    assert list(tmp_path.iterdir()) == []


class Careless(FakeEngine):
    """It counts its frames wrongly, and the board has seen why."""

    capabilities = FakeEngine.capabilities | {Capability.BOARD_CHECKS}
    checks = frozenset(Check)

    def findings(self) -> list[Finding]:
        return [Finding("clock-gate", Grade.ERROR, "DMA2", 0x0800_1234, 5.0, "DMA2 is not clocked")]


def test_what_the_board_saw_is_told_before_what_cannot_be_read(
    board: Board, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board(Careless(says=lambda number, _frame: f"r- frame={number + 7} class=1 score=2"))
    path = tmp_path / "run.json"
    assert cli.main([*RUN, "--json", str(path)]) == 1
    document = json.loads(path.read_text())
    assert document["stop_reason"] == "unreadable"
    assert [row["check"] for row in document["board_checks"]] == ["clock-gate"]
    assert "FAILED     clock-gate: DMA2 is not clocked" in capsys.readouterr().out
