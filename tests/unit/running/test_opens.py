"""An ELF is read once a run, however many boards run it."""

from __future__ import annotations

import io
import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from boardless.compare.comparison import compare
from boardless.running.classify import classify
from boardless.running.rig import Rig
from boardless.running.session import BoardSetup
from boardless_sim.elf.image import load_image
from tests.unit.conftest import link
from tests.unit.running.test_contract import FRAMES, TOML, contract_of


@pytest.fixture(name="opened")
def opened_fixture(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file was opened in this process."""
    found: Counter[str] = Counter()

    def count(open_it: Any) -> Any:
        def opens(path: Any, *arguments: Any, **named: Any) -> Any:
            if isinstance(path, str | os.PathLike):
                found[Path(os.fspath(path)).name] += 1
            return open_it(path, *arguments, **named)

        return opens

    monkeypatch.setattr("builtins.open", count(open))
    monkeypatch.setattr(io, "open", count(io.open))
    monkeypatch.setattr(os, "open", count(os.open))
    return found


@pytest.fixture(name="setup", scope="module")
def setup_fixture(tmp_path_factory: pytest.TempPathFactory) -> BoardSetup:
    elf = link(tmp_path_factory.mktemp("renamed"), source="renamed.c")
    return BoardSetup(elf, contract=contract_of(TOML))


def of_one_reading(setup: BoardSetup, opened: Counter[str]) -> int:
    load_image(setup.elf)
    count = opened.pop("renamed.elf")
    assert count > 0
    return count


def test_a_run_reads_the_elf_once(setup: BoardSetup, opened: Counter[str]) -> None:
    once = of_one_reading(setup, opened)
    with closing(setup.power_on()) as engine:
        classify(engine, FRAMES)
    assert opened["renamed.elf"] == once


def test_a_rig_reads_it_once_however_often_it_starts(
    setup: BoardSetup, opened: Counter[str]
) -> None:
    once = of_one_reading(setup, opened)
    with Rig() as rig:
        rig.power_on(setup)
        rig.restart()
        rig.classify(FRAMES, 1e6)
        assert rig.image.path == setup.elf
    assert opened["renamed.elf"] == once


def test_a_comparison_reads_it_once_for_all_engines(
    setup: BoardSetup, opened: Counter[str]
) -> None:
    once = of_one_reading(setup, opened)
    compare([setup, setup], FRAMES[:1], 1e6)
    assert opened["renamed.elf"] == once
