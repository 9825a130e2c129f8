"""`boardless run --for`: the console of any firmware, with times, held against a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless.cli import main
from tests.firmware.conftest import BUILD

ELF = str(BUILD / "boardless.elf")
EXPECTED = "m- boardless firmware {{[\\d.]+}} hclk=168000000\nm- camera ov7670 pid=76 ver=73\n"


def test_a_console_as_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected, document = tmp_path / "expected.txt", tmp_path / "run.json"
    expected.write_text(EXPECTED, encoding="utf-8")
    command = ["run", ELF, "--for", "60ms", "--expect", str(expected), "--json", str(document)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "ms  USART2   m- camera ov7670 pid=76 ver=73" in out
    assert "stopped    its 60 ms are over" in out
    found = json.loads(document.read_text("utf-8"))
    assert [line["text"][:2] for line in found["lines"]] == ["m-", "m-"]
    assert found["lines"][0]["time_us"] == pytest.approx(8120, rel=0.1)


def test_a_console_that_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = tmp_path / "expected.txt"
    expected.write_text(EXPECTED.replace("76", "77"), encoding="utf-8")
    assert main(["run", ELF, "--for", "60ms", "--expect", str(expected)]) == 1
    assert "FAILED     " in capsys.readouterr().out


def test_a_fault_fails(capsys: pytest.CaptureFixture[str]) -> None:
    elf = str(BUILD / "faulty_hardfault.elf")
    assert main(["run", elf, "--for", "300ms", "--frames", "pattern:bars"]) == 1
    assert "FAILED     fault: HardFault" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--for", "2"], "'2', expected a time as 2s, 100ms or 500us"),
        (["--for", "1ms", "--send", "help"], "'help', expected TEXT@TIME as 'help\\r@100ms'"),
        (["--for", "1ms", "--send", "a@1"], "'1', expected a time as 2s"),
        (["--expect", "x"], "--expect and --send: expected them with --for"),
        ([], "expected one of --frames, --tensors and --for"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", ELF, *arguments]) == 2
    assert message in capsys.readouterr().err
