"""Firmwares of git revisions: each is built in a work tree of its own, which goes away again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from boardless.suites.family import Family
from boardless.sweep.grid import Firmware
from boardless_sim.errors import BoardlessError, ImageError
from boardless_sim.files import read_file

BUILD_S = 1800.0
_GIT_S = 300.0
_SHOWN = 300


class GitError(BoardlessError):
    """git, or a build of one of its revisions, did not do what was asked."""


def git(folder: Path, *arguments: str) -> str:
    """What a git command says. Raises `GitError`."""
    return run_in(folder, ("git", *arguments), _GIT_S)


def run_in(folder: Path, command: Sequence[str], most_s: float) -> str:
    """What a command says. Raises `GitError` with the end of it where it fails."""
    code, said = ended(folder, command, most_s)
    if code:
        shown = said.strip()[-_SHOWN:]
        raise GitError(f"{' '.join(command)[:80]}: exit code {code}: {shown}")
    return said


def ended(folder: Path, command: Sequence[str], most_s: float) -> tuple[int, str]:
    """A command's exit code and what it said; it ends with everything that it started.

    Raises `GitError` where it cannot be started or does not end.
    """
    if not folder.is_dir():
        raise GitError(f"{folder}: no such folder, expected one to run {command[0]} in")
    try:
        with Family(command, os.environ, folder) as family:
            return family.wait(most_s)
    except subprocess.TimeoutExpired:
        raise GitError(f"{command[0]}: no end within {most_s:g} s in {folder}") from None
    except OSError as error:
        raise GitError(f"{command[0]}: {error.strerror}, expected a program") from error


@contextmanager
def work_tree(repository: Path, revision: str) -> Iterator[Path]:
    """A checkout of a revision beside the user's own, which is not touched."""
    commit = git(repository, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")
    with tempfile.TemporaryDirectory(prefix="boardless-") as name:
        tree = Path(name) / "tree"
        git(repository, "worktree", "add", "--quiet", "--detach", str(tree), commit.strip())
        try:
            yield tree
        finally:
            git(repository, "worktree", "remove", "--force", str(tree))


def build_revisions(
    folder: Path, revisions: Sequence[str], build: Sequence[str], elfs: Sequence[str]
) -> tuple[Firmware, ...]:
    """Every ELF of every revision. `elfs` lie below the repository of `folder`."""
    top = Path(git(folder, "rev-parse", "--show-toplevel").strip())
    found = []
    for revision in revisions:
        with work_tree(top, revision) as tree:
            run_in(tree / folder.resolve().relative_to(top.resolve()), build, BUILD_S)
            found += [_firmware(top, tree, revision, folder / elf, len(elfs) == 1) for elf in elfs]
    return tuple(found)


def _firmware(top: Path, tree: Path, revision: str, elf: Path, is_only: bool) -> Firmware:
    try:
        inside = elf.resolve().relative_to(top.resolve())
    except ValueError:
        raise GitError(f"{elf}: outside {top}, expected an ELF of the repository") from None
    raw = read_file(tree / inside, f"an ELF built from {revision}", ImageError)
    name = revision if is_only else f"{revision}:{inside}"
    return Firmware(name, Path(name), raw)
