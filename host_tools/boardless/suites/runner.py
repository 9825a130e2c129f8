"""Robot suites: run them in a process of their own and read what came out.

The verdict comes from the tests that `xunit.xml` lists, never from the exit code alone: no test, no
pass.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from boardless.project.choice import NOTHING_SAID, ProjectChoice
from boardless.project.project import load_project
from boardless.suites.check_file import TestCheck, add_to_xunit, clear_checks, read_checks
from boardless.suites.family import Family
from boardless.suites.fingerprints import (
    clear_fingerprints,
    flaky_tests,
    read_fingerprints,
)
from boardless.suites.keywords.at_failure import CORES, DEBUG_PORT
from boardless_sim.engines.bounds import DEFAULT, Bounds
from boardless_sim.errors import BoardlessError

CORE_FOLDER = "cores"
OUTPUTS = ("output.xml", "log.html", "report.html", "xunit.xml")

# Above this Robot's exit code is no count of failed tests: bad data, interrupted, or broken.
_MOST_FAILURES = 250
_PABOT_NAMES = Path(".pabotsuitenames")


@dataclass(frozen=True)
class SuitePlan:
    """Which tests to run, and how."""

    suites: Path
    out: Path
    timeout_s: int
    jobs: int = 1
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    elf: Path | None = None
    engine: str | None = None
    require_engine: str | None = None
    choice: ProjectChoice = NOTHING_SAID
    bounds: Bounds = DEFAULT
    variables: tuple[str, ...] = ()  # NAME:VALUE, for Robot
    tests: tuple[str, ...] = ()  # names; empty: all
    repeat: int = 1  # runs, whose tests must be alike
    shuffle: int | None = None  # seed of the order of the first run's tests
    debug_port: int | None = None  # where a failing keyword waits for a debugger
    keeps_cores: bool = False


@dataclass(frozen=True)
class FailedTest:
    """A test that failed, and its message."""

    name: str
    message: str


@dataclass(frozen=True)
class SuiteRow:
    """One suite file. `elapsed_s` is host time, for information."""

    name: str
    passed: int
    failed: int
    skipped: int
    elapsed_s: float
    failures: tuple[FailedTest, ...] = ()


@dataclass(frozen=True)
class SuiteOutcome:
    """Every suite that ran, and where the report lies."""

    rows: tuple[SuiteRow, ...]
    report: Path
    checks: tuple[TestCheck, ...] = ()

    @property
    def executed(self) -> int:
        """Tests that passed or failed; a skipped test is not executed."""
        return sum(row.passed + row.failed for row in self.rows)

    @property
    def passed(self) -> bool:
        """Whether something ran and nothing failed."""
        return self.executed > 0 and not any(row.failed for row in self.rows)


def run_suites(plan: SuitePlan) -> SuiteOutcome:
    """Run Robot, or pabot for more than one job. Raises `BoardlessError` where no test ran."""
    if not plan.suites.exists():
        raise BoardlessError(f"{plan.suites}: not found, expected Robot suites")
    if plan.elf is not None and not plan.elf.is_file():
        raise BoardlessError(f"{plan.elf}: not found, expected an ELF")
    for variable in plan.variables:
        if ":" not in variable:
            raise BoardlessError(f"--variable {variable}: expected NAME:VALUE")
    if plan.choice != NOTHING_SAID:
        load_project(plan.choice)  # what is wrong with it is said once, not by every test
    with _locked(plan.out):
        return _run_into_folder(plan) if plan.repeat == 1 else _run_again_and_again(plan)


def _run_again_and_again(plan: SuitePlan) -> SuiteOutcome:
    """Every run into a folder of its own; a test that differs between two fails by its name."""
    outcomes, prints = [], []
    for number in range(plan.repeat):
        seed = None if plan.shuffle is None else plan.shuffle + number
        out = plan.out / f"run-{number + 1}"
        outcomes.append(_run_into_folder(replace(plan, out=out, shuffle=seed)))
        prints.append(read_fingerprints(out))
    rows = [
        replace(row, name=f"run {number}: {row.name}")
        for number, outcome in enumerate(outcomes, start=1)
        for row in outcome.rows
    ]
    flaky = flaky_tests(prints)
    if flaky:
        failures = tuple(FailedTest(test, f"flaky: {how}") for test, how in flaky.items())
        rows.append(SuiteRow("flaky", 0, len(flaky), 0, 0.0, failures))
    checks = tuple(check for outcome in outcomes for check in outcome.checks)
    return SuiteOutcome(tuple(rows), outcomes[0].report, checks)


def _run_into_folder(plan: SuitePlan) -> SuiteOutcome:
    _make_empty(plan.out)
    code, said = _run_bounded(plan)
    if code > _MOST_FAILURES:
        raise BoardlessError(f"{plan.suites}: Robot ended with {code}: {_last_error(said)}")
    rows = read_xunit(plan.out / "xunit.xml")
    outcome = SuiteOutcome(rows, plan.out / "report.html", read_checks(plan.out))
    add_to_xunit(plan.out / "xunit.xml", outcome.checks)
    if not outcome.executed:
        skipped = sum(row.skipped for row in rows)
        raise BoardlessError(
            f"{plan.suites}: no test executed ({skipped} skipped), expected at least one"
        )
    if code and outcome.passed:
        raise BoardlessError(f"{plan.suites}: Robot ended with {code}, yet no test failed")
    return outcome


def robot_command(plan: SuitePlan) -> list[str]:
    """The command line that runs the plan."""
    command = [sys.executable, "-m", "robot", "--console", "quiet"]
    if plan.jobs > 1:
        # No PabotLib: nothing is shared between the suites, so no port is opened.
        command = [sys.executable, "-m", "pabot.pabot", "--processes", str(plan.jobs)]
        command += ["--command", Path(sys.executable).name, "-m", "robot", "--end-command"]
        command += ["--no-pabotlib", "--pabotconsole", "none"]
        command += ["--processtimeout", str(plan.timeout_s)]
    command += ["--outputdir", str(plan.out), "--xunit", "xunit.xml"]
    for test in plan.tests:
        command += ["--test", test]
    if plan.shuffle is not None:
        command += ["--randomize", f"all:{plan.shuffle}"]
    for tag in plan.include:
        command += ["--include", tag]
    for tag in plan.exclude:
        command += ["--exclude", tag]
    for variable in _variables(plan):
        command += ["--variable", variable]
    return [*command, str(plan.suites)]


def _variables(plan: SuitePlan) -> Iterator[str]:
    """What the keywords ask Robot for, as NAME:VALUE; the user's own come last."""
    choice, bounds = plan.choice, plan.bounds
    given: dict[str, object] = {
        "FIRMWARE": None if plan.elf is None else plan.elf.resolve(),
        "CONFIG": None if choice.config is None else choice.config.resolve(),
        "CHIP": choice.chip,
        "SYMBOLS": None if choice.symbols is None else choice.symbols.resolve(),
        "ENGINE": plan.engine,
        "REQUIRE ENGINE": plan.require_engine,
        DEBUG_PORT: plan.debug_port,
        CORES: (plan.out / CORE_FOLDER).resolve() if plan.keeps_cores else None,
    }
    if bounds != DEFAULT:
        given |= {
            "HOST SECONDS": bounds.host_s,
            "CONSOLE BYTES": bounds.console_bytes,
            "RESETS": bounds.resets,
        }
    yield from (f"{name}:{value}" for name, value in given.items() if value is not None)
    yield from plan.variables


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Two runs into one folder would mix their reports: the second is refused."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out, os.O_RDONLY | os.O_CLOEXEC)  # the folder itself: no file is left
    except OSError as error:
        raise BoardlessError(f"{out}: {error.strerror or error}, expected a folder") from error
    try:
        _lock(out, handle)
        yield
    finally:
        os.close(handle)


def _lock(out: Path, handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        found = "another run writes into it"
        raise BoardlessError(f"{out}: {found}, expected a folder of its own") from error


def _make_empty(out: Path) -> None:
    """Remove what an earlier run left: its report must never pass for this run's."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in OUTPUTS:
            (out / name).unlink(missing_ok=True)
        clear_checks(out)
        clear_fingerprints(out)
        shutil.rmtree(out / CORE_FOLDER, ignore_errors=True)
    except OSError as error:
        raise BoardlessError(f"{out}: {error.strerror or error}, expected a folder") from error


def _run_bounded(plan: SuitePlan) -> tuple[int, str]:
    keep_names = _PABOT_NAMES.exists()
    try:
        with Family(robot_command(plan), _environment()) as family:
            return family.wait(plan.timeout_s)
    except subprocess.TimeoutExpired as error:
        raise BoardlessError(
            f"{plan.suites}: Robot did not end within {plan.timeout_s} s and was stopped"
        ) from error
    finally:
        if not keep_names:
            with contextlib.suppress(OSError):
                _PABOT_NAMES.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    """This interpreter's folder first on PATH: pabot splits a command at its spaces."""
    here = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([here, os.environ.get("PATH", "")])}


def _last_error(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    if not errors:
        return (lines or ["it said nothing"])[-1][:300]
    # Robot's reason may go on below it ("Did you mean:"), up to its hint at --help.
    said_on = lines[lines.index(errors[-1]) :]
    wanted = [line.removeprefix("[ ERROR ]").strip() for line in said_on if "--help" not in line]
    return " ".join(wanted)[:1000]


def read_xunit(path: Path) -> tuple[SuiteRow, ...]:
    """One row for every suite that holds tests."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise BoardlessError(f"{path}: {error}, expected Robot's xunit output") from error
    return tuple(_rows(root, ""))


def _rows(suite: ElementTree.Element, parent: str) -> Iterator[SuiteRow]:
    name = f"{parent}{suite.get('name', '?')}"
    cases = suite.findall("testcase")
    if cases:
        yield _row(name, cases, float(suite.get("time", "0")))
    for child in suite.findall("testsuite"):
        yield from _rows(child, f"{name}.")


def _row(name: str, cases: list[ElementTree.Element], elapsed_s: float) -> SuiteRow:
    failures = tuple(
        FailedTest(case.get("name", "?"), failure.get("message", ""))
        for case in cases
        for failure in case.findall("failure")
    )
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - len(failures) - skipped
    return SuiteRow(name, passed, len(failures), skipped, elapsed_s, failures)
