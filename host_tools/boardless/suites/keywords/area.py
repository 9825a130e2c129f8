"""What every area of keywords shares: the rig, durations and sizes, evidence on failure."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from robot.api import logger
from robot.api.deco import keyword
from robot.libraries.BuiltIn import BuiltIn, RobotNotRunningError

from boardless.running.board_checks import BoardCheck, Rules, judge
from boardless.running.evidence import as_html
from boardless.running.rig import Rig
from boardless.suites.keywords.arguments import Size, microseconds, strict_arguments
from boardless.suites.keywords.at_failure import CORES, DEBUG_PORT, keep_core, let_debugger_in
from boardless_sim.errors import BoardlessError
from boardless_sim.files import refusal

__all__ = ["Area", "Size", "board_keyword", "microseconds", "robot_variable"]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_A = TypeVar("_A", bound="Area")


class Area:
    """Keywords around one rig."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.evidence_logged = False
        self.rules = Rules()
        self.checks: list[BoardCheck] = []  # of the test, for whoever writes the report

    def judge_board(self) -> list[BoardCheck]:
        """What was seen and not judged yet, into the log; returns what fails."""
        today = datetime.now(tz=UTC).date()
        rows = judge(self.rig.observations, self.rules, today)
        self.rig.forget_observations()
        self.checks += [row for row in rows if row not in self.checks]
        for row in rows:
            logger.info(f"board check, {'waived' if row.waived else row.grade.value}: {row}")
        return [row for row in rows if row.fails]

    def log_evidence(self) -> None:
        """Once a test: the board as it is now, into the log."""
        evidence = self.rig.evidence()
        if evidence is not None and not self.evidence_logged:
            logger.info(as_html(evidence), html=True)
            self.evidence_logged = True

    def look_at_failure(self) -> None:
        """Where `boardless test` was told to: keep a core, let a debugger in."""
        if self.rig.is_powered and (cores := robot_variable(f"${{{CORES}}}")):
            test = robot_variable("${TEST NAME}") or robot_variable("${SUITE NAME}")
            kept = keep_core(self.rig.engine, Path(cores), test)
            logger.info(f"core: boardless debug --core {kept}" if kept else "core: none")
        if self.rig.is_powered and (port := robot_variable(f"${{{DEBUG_PORT}}}")):
            let_debugger_in(self.rig.engine, int(port))

    def at_most(self, what: str, found_us: float, limit: timedelta) -> None:
        """Hold a time against its limit."""
        limit_us = microseconds(limit)
        if found_us > limit_us:
            raise AssertionError(
                f"{what} is {found_us / 1000:.3f} ms, expected at most {limit_us / 1000:.3f} ms "
                f"({self.rig.engine.timing_basis})"
            )


def board_keyword(
    method: Callable[Concatenate[_A, _P], _R],
) -> Callable[Concatenate[_A, _P], _R]:
    """A keyword that puts the board's evidence into the log when it fails."""

    @functools.wraps(method)
    def run(self: _A, /, *arguments: _P.args, **named: _P.kwargs) -> _R:
        try:
            return method(self, *arguments, **named)
        except (AssertionError, BoardlessError):
            self.log_evidence()
            self.look_at_failure()
            raise
        except OSError as error:
            self.log_evidence()
            raise BoardlessError(refusal(error)) from error

    keyword(run)
    return strict_arguments(run)


def robot_variable(name: str) -> str:
    """The text of a Robot variable; empty where there is none."""
    try:
        return str(BuiltIn().get_variable_value(name) or "")
    except RobotNotRunningError:
        return ""
