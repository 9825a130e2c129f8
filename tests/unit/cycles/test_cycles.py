"""Estimated against measured cycles, on a program whose cycles are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.cycles import Comparison, CycleReport, Region, compare, read_baseline
from boardless_sim.errors import ConfigError, EngineError
from tests.unit.core.programs import NOP, STOP_HERE, assemble
from tests.unit.elf_bytes import FLASH, build_elf

REGION = Region("main", "main")
NOPS = 20


def test_ratio_and_means() -> None:
    report = CycleReport((Comparison("a", 80, 100, 50), Comparison("b", 125, 100, 50)))
    assert report.geometric_mean == pytest.approx(1)
    assert report.within(0.15) == 0
    assert report.within(0.25) == 2
    assert report.rms_error == pytest.approx(((0.2**2 + 0.25**2) / 2) ** 0.5)
    assert report.leave_one_out(report.comparisons[0]) == pytest.approx(0.8 / 1.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON, expected program to milliseconds"),
        ("[]", "no program, expected program to milliseconds"),
        ("{}", "no program, expected program to milliseconds"),
        ('{"a": 0}', "a: found 0, expected milliseconds above 0"),
        ('{"a": "4"}', "a: found '4', expected milliseconds above 0"),
    ],
)
def test_a_baseline_that_makes_no_sense(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_baseline(path, 16_000_000)
    assert str(caught.value) == f"{path}: {message}"


def test_milliseconds_become_cycles(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    path.write_text('{"a": 2.5}')
    assert read_baseline(path, 16_000_000) == {"a": 40_000}


def looping_elf(folder: Path) -> None:
    """Its only symbol, main, stands at the head of a loop of NOPs."""
    code = assemble([NOP] * 100)
    loop_at = 0x40
    loop = b"".join(h.to_bytes(2, "little") for h in [*[NOP] * NOPS, 0xE7FE - NOPS])
    program = code[:loop_at] + loop  # 0xE7FE - n: a branch n + 2 halfwords back
    (folder / "loop.elf").write_bytes(build_elf(code=program, symbol_at=FLASH + loop_at))


def test_a_loop_takes_its_cycles(tmp_path: Path) -> None:
    looping_elf(tmp_path)
    report = compare(tmp_path, {"loop": 100}, REGION)
    (found,) = report.comparisons
    assert found.instructions == NOPS + 1
    assert found.estimated == NOPS + 1  # the refill of a branch belongs to where it leads


def test_a_region_that_is_not_reached_is_no_measurement(tmp_path: Path) -> None:
    (tmp_path / "loop.elf").write_bytes(
        build_elf(code=assemble(STOP_HERE), symbol_at=FLASH + 0x100)
    )
    with pytest.raises(EngineError, match="main was not reached in 0.001 s of virtual time"):
        compare(tmp_path, {"loop": 100}, REGION, limit_us=1000)


def test_the_command_fails_below_the_least(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looping_elf(tmp_path)
    (tmp_path / "speed.json").write_text('{"loop": 1}')
    options = ["--elfs", str(tmp_path), "--baseline", str(tmp_path / "speed.json")]
    options += ["--start", "main", "--stop", "main", "--json", str(tmp_path / "out.json")]
    assert main(["bench", "cycles", *options, "--hz", "21000"]) == 0
    assert "1 of 1 within 15%, geometric mean 1.000" in capsys.readouterr().out
    assert main(["bench", "cycles", *options, "--hz", "42000", "--least", "1"]) == 1
    document = json.loads((tmp_path / "out.json").read_text())
    assert (document["schema"], document["results"][0]["ratio"]) == (1, 0.5)
