"""Gathers what a run's page shows beside its results: the wrong frames, budgets, what ran."""

from __future__ import annotations

import datetime
import hashlib
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from boardless.gate import gate
from boardless.gate.verdict import Verdict
from boardless.project.config import FILE_NAME, load_config
from boardless.report.run_html import MOST_PICTURES, RunPage, run_html
from boardless.running.board_checks import BoardCheck
from boardless.running.classify import RunReport
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import Frames
from boardless_sim.elf.file import read_elf
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_file, write_text

_PACKAGES = ("boardless", "numpy", "pillow", "unicorn")


@dataclass(frozen=True)
class RanWith:
    """What the command line said: the ELF, its frames, the project's file where it was named."""

    elf: Path
    frames: str
    config: Path | None


def write_run_page(
    path: Path,
    report: RunReport,
    checks: Sequence[BoardCheck],
    failures: Sequence[str],
    shown: Iterable[Frame],
    about: RanWith,
) -> None:
    """The page as a file. `shown`: the source once more, from its beginning."""
    page = RunPage(
        report=report,
        checks=checks,
        failures=failures,
        classes=shown.classes if isinstance(shown, Frames) else (),
        pictures=_pictures(report, shown),
        budgets=_budgets(about),
        ran=_ran(about),
    )
    write_text(path, run_html(page))


def _pictures(report: RunReport, shown: Iterable[Frame]) -> dict[int, Frame]:
    """The frames that were taken for another class, by their number in the run."""
    wrong = [result.frame for result in report.results if result.is_wrong][:MOST_PICTURES]
    wanted = set(wrong)
    some = islice(shown, wrong[-1] + 1 if wrong else 0)
    return {number: frame for number, frame in enumerate(some) if number in wanted}


def _budgets(about: RanWith) -> Verdict | str | None:
    """The sizes against the project's budgets, or why not; None where the project has no file."""
    path = about.config or Path(FILE_NAME)
    if not path.is_file():
        return None
    try:
        note = "measured by boardless budget"
        today = datetime.datetime.now(tz=datetime.UTC).date()
        return gate(read_elf(about.elf), load_config(path), None, no_mark=note, today=today)
    except BoardlessError as error:  # the run is what is reported, and it was made
        return f"not measured: {error}"


def _ran(about: RanWith) -> list[tuple[str, str]]:
    digest = hashlib.sha256(read_file(about.elf, "an ELF")).hexdigest()
    return [
        ("ELF", about.elf.name),
        ("sha256", digest),
        ("frames", about.frames),
        ("faults", "none injected"),
        *((name, version(name)) for name in _PACKAGES),
        ("Python", platform.python_version()),
        ("command", " ".join(["boardless", *sys.argv[1:]])),
    ]
