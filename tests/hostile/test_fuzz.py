"""The fuzzer finds what it looks for: each of its complaints, by a fault that is planted."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boardless_sim.camera import source
from tests.hostile.fuzz import ELF, Case, complaint, damaged, fuzz


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

    monkeypatch.setattr(source, "parse_npy", broken)
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
    monkeypatch.setattr("tests.hostile.fuzz.MOST_SECONDS", 1)
    assert found(picture, tmp_path) == "no end within 1 s"


def test_a_seed_damages_alike() -> None:
    content = bytes(range(256)) * 8
    first, again = (damaged(content, random.Random(5)) for _ in range(2))
    assert first == again != content


def test_the_fuzzer_counts_what_it_tried(tmp_path: Path) -> None:
    count, wrong = fuzz(2.0, 3, tmp_path)
    assert count > 0
    assert (wrong, list(tmp_path.iterdir())) == (0, [])
