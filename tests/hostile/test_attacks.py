"""Whatever a firmware does, its run ends by name within the bound and no file of ours changes."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from boardless import cli
from tests.hostile.attacks import assemble, sources

BOUNDS = [
    "--limit-us",
    "20000",
    "--host-seconds",
    "8",
    "--resets",
    "20",
    "--console-bytes",
    "10000",
]
MOST_GROWTH_KIB = 512 << 10


def test_there_are_enough_of_them() -> None:
    assert len(sources()) >= 40


@pytest.mark.parametrize("name", sources())
def test_an_attack_ends_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    elf = assemble(name, tmp_path)
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    code = cli.main(["run", str(elf), "--frames", "pattern:bars", "--limit", "1", *BOUNDS])
    said = capfd.readouterr()
    assert code in (1, 2), said
    assert "not expected" not in said.err
    assert said.out + said.err
    assert list(inside.iterdir()) == []
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert grown_kib < MOST_GROWTH_KIB
