"""The fuzzer finds what it looks for: each of its complaints, by a fault that is planted."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from boardless import cli
from boardless.running.rig import Rig
from boardless_sim.camera import arrays
from boardless_sim.camera.frame import Frame
from tests.hostile.damage import damaged
from tests.hostile.file_trials import ELF, Case, complaint
from tests.hostile.fuzz import fuzz, seconds
from tests.hostile.keyword_trials import keyword_trials, said_of
from tests.hostile.word_trials import word_trials


@pytest.fixture(name="picture")
def picture_fixture(tmp_path: Path) -> Case:
    path = tmp_path / "sound.npy"
    np.save(path, np.zeros((28, 28), np.uint8))
    return Case(("run", str(ELF), "--json", "OUT", "--frames", "FILE"), path)


def found(case: Case, folder: Path, content: bytes = b"\x93NUMPY, or not") -> str:
    (folder / "run").mkdir()
    return complaint(case, content, folder / "run")


def test_a_damaged_file_is_one_line(picture: Case, tmp_path: Path) -> None:
    assert found(picture, tmp_path) == ""


def test_an_exception_that_nobody_expected_is_found(
    picture: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_content: bytes) -> Any:
        raise KeyError("shape")

    monkeypatch.setattr(arrays, "parse_npy", broken)
    assert "KeyError: 'shape': not expected" in found(picture, tmp_path)


def test_a_command_that_leaves_by_itself_is_found(
    picture: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boardless.cli.main", lambda words: 7)
    assert found(picture, tmp_path) == "exit code 7"


def test_an_output_of_no_run_is_found(
    picture: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaves(words: list[str]) -> int:
        Path(words[3]).write_text("half")
        sys.stderr.write("boardless: no\n")
        return 2

    monkeypatch.setattr("boardless.cli.main", leaves)
    assert found(picture, tmp_path) == "no run, yet out was written"


def test_a_hang_is_found(picture: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(words: list[str]) -> int:
        while words:
            pass
        return 0

    monkeypatch.setattr("boardless.cli.main", hangs)
    monkeypatch.setattr("tests.hostile.ending.MOST_SECONDS", 1)
    assert found(picture, tmp_path) == "no end within 1 s"


def test_a_seed_damages_alike() -> None:
    content = bytes(range(256)) * 8
    first, again = (damaged(content, random.Random(5)) for _ in range(2))
    assert first == again != content


def test_the_fuzzer_counts_what_it_tried(tmp_path: Path) -> None:
    count, wrong = fuzz(2.0, 3, tmp_path)
    assert count > 0
    assert (wrong, list(tmp_path.iterdir())) == (0, [])


def test_a_command_that_takes_nan_for_a_number_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boardless.cli.main", lambda words: 0)
    draw, run = random.Random(1), next(one for one in word_trials() if one.name == "run")
    found = {run.trial(draw, tmp_path)[1] for _ in range(300)}
    assert "nan is a number, exit code 0" in found


def test_every_command_has_its_worst_words() -> None:
    with_a_run = {one.name.partition(" ")[0] for one in word_trials()}
    assert with_a_run == set(cli.cli.list_commands(click.Context(cli.cli)))


def test_a_keyword_that_breaks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_rig: Rig, frame: Frame) -> None:
        raise KeyError(frame.name)

    keyword = next(one for one in keyword_trials() if one.name == "Show Frame")
    assert said_of(keyword, ["pattern:bars"], tmp_path) == ""
    monkeypatch.setattr(Rig, "show", broken)
    assert said_of(keyword, ["pattern:bars"], tmp_path) == "KeyError: 'pattern:bars'"


@pytest.mark.parametrize(("text", "expected"), [("60", 60), ("90s", 90), ("2m", 120), ("2h", 7200)])
def test_a_budget_is_a_time(text: str, expected: float) -> None:
    assert seconds(text) == expected
