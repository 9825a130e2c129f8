"""The commit that broke something: git bisects, each step builds and asks one of our commands."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from boardless.sweep.revisions import BUILD_S, GitError, ended, git, run_in, work_tree

CHECK_S = 3600.0
_FOUND = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit", re.MULTILINE)
_UNSURE = re.compile(r"only 'skip'ped commits left")
_VERDICTS = {0: "good", 1: "bad"}


@dataclass(frozen=True)
class BisectStep:
    """One commit that was tried. `verdict`: "good", "bad", or "skip" where it could not be made."""

    commit: str
    subject: str
    verdict: str
    said: str


@dataclass(frozen=True)
class BisectResult:
    """The first bad commit, None where the skipped ones leave it open, and the way there."""

    commit: str | None
    subject: str
    steps: tuple[BisectStep, ...]


def bisect(
    folder: Path,
    good: str,
    bad: str,
    build: Sequence[str],
    check: Sequence[str],
    progress: Callable[[BisectStep], None] | None = None,
) -> BisectResult:
    """The first commit after `good` at which `boardless CHECK` fails (exit 1).

    A build that fails, or a run that could not be made (exit 2), says nothing about the firmware:
    the commit is skipped. Raises `GitError`, and where `good` fails or `bad` passes.
    """
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    inside = folder.resolve().relative_to(top.resolve())
    steps: list[BisectStep] = []

    def step(tree: Path) -> BisectStep:
        found = _tried(tree, tree / inside, build, check)
        steps.append(found)
        if progress is not None:
            progress(found)
        return found

    for revision, expected in ((good, "good"), (bad, "bad")):
        with work_tree(top, revision) as tree:
            found = step(tree)
            if found.verdict != expected:
                raise GitError(f"{revision}: is {found.verdict}, expected {expected}: {found.said}")
    with work_tree(top, bad) as tree:
        # Its state belongs to this work tree alone: a bisection of the user's own goes on.
        said = git(tree, "bisect", "start", bad, good)
        while not (end := _FOUND.search(said)) and not _UNSURE.search(said):
            said = _answered(tree, step(tree).verdict)
        commit = end[1] if end else None
        subject = "" if commit is None else _subject(tree, commit)
        git(tree, "bisect", "reset")
    return BisectResult(commit, subject, tuple(steps))


def _answered(tree: Path, verdict: str) -> str:
    try:
        return git(tree, "bisect", verdict)
    except GitError as error:  # with exit 2 it says that only skipped commits are left
        if _UNSURE.search(str(error)):
            return str(error)
        raise


def _tried(tree: Path, folder: Path, build: Sequence[str], check: Sequence[str]) -> BisectStep:
    commit = git(tree, "rev-parse", "HEAD").strip()
    subject = _subject(tree, commit)
    try:
        run_in(folder, build, BUILD_S)
    except GitError as error:
        return BisectStep(commit, subject, "skip", str(error))
    command = (sys.executable, "-m", "boardless", *check)
    try:
        code, said = ended(folder, command, CHECK_S)
    except GitError as error:
        return BisectStep(commit, subject, "skip", str(error))
    last = "".join(said.strip().splitlines()[-1:])
    if code > 2:
        raise GitError(f"{commit[:12]}: boardless {check[0]} ended with exit code {code}: {last}")
    return BisectStep(commit, subject, _VERDICTS.get(code, "skip"), last)


def _subject(tree: Path, commit: str) -> str:
    return git(tree, "show", "--no-patch", "--format=%s", commit).strip()
