from __future__ import annotations

from pathlib import Path

import pytest

from boardless import cli
from boardless.report import latency_plot
from boardless.running.classify import classify
from boardless_sim.errors import BoardlessError
from boardless_sim.timing_basis import TimingBasis
from tests.unit.running.fake_engine import FakeEngine, frames

BASIS = TimingBasis("fake cycles", 15)


def test_a_run_is_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib: pip install 'boardless[model]'")
    path = tmp_path / "latency.png"
    latency_plot.draw(classify(FakeEngine(), frames(20)).results, BASIS, path)
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert path.stat().st_size < 100_000


def test_a_run_without_times_is_none(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib: pip install 'boardless[model]'")
    report = classify(FakeEngine(says=lambda n, _f: f"r- frame={n} class=1 score=2"), frames(2))
    with pytest.raises(BoardlessError, match="no times to plot, expected total_us"):
        latency_plot.draw(report.results, BASIS, tmp_path / "latency.png")


def test_without_matplotlib_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(latency_plot, "find_spec", lambda name: None)
    arguments = ["run", "missing.elf", "--frames", "pattern:bars"]
    assert cli.main([*arguments, "--plot", str(tmp_path / "latency.png")]) == 2
    assert "--plot needs matplotlib: pip install" in capsys.readouterr().err
