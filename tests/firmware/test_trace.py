"""A trace of the reference firmware."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.debug.trace import Filter, TraceKind, Tracer
from boardless_sim.elf.image import load_image
from tests.firmware.conftest import BUILD
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
END_PS = 200_000_000_000


def test_the_run_is_the_same_and_everything_is_in_order() -> None:
    with closing(powered_board(ELF, 2)) as plain, closing(powered_board(ELF, 2)) as traced:
        tracer = Tracer(traced, load_image(ELF))
        plain.machine.run_until(END_PS)
        traced.machine.run_until(END_PS)
        assert fingerprint(traced) == fingerprint(plain)
        trace = tracer.take(Filter())
        exceptions = traced.machine.cpu.shared.exceptions_taken
    times = [it.time_ps for it in trace]
    assert times == sorted(times)
    kinds = [it.kind for it in trace]
    assert kinds.count(TraceKind.ENTER) == kinds.count(TraceKind.LEAVE) == exceptions
    assert next(it.text for it in trace if it.kind is TraceKind.LINE).startswith("m- boardless")
    assert "dcmi_start" in {it.function for it in trace if it.device == "DCMI" and it.name == "CR"}


def test_the_command_writes_what_others_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, wave, track = tmp_path / "t.jsonl", tmp_path / "t.vcd", tmp_path / "t.json"
    run = ["trace", str(ELF), "--for-us", "20000"]
    files = ["--json-lines", str(lines), "--vcd", str(wave), "--perfetto", str(track)]
    assert main([*run, *files]) == 0
    found = [json.loads(line) for line in lines.read_text().splitlines()]
    assert {"SCB", "RCC", "USART2", "SysTick"} <= {it["device"] for it in found}
    codes = set(re.findall(r"^\$var \w+ \d+ (\S+) ", wave.read_text(), re.MULTILINE))
    used = set(re.findall(r"^(?:b[01]+ |[01])(\S+)$", wave.read_text(), re.MULTILINE))
    assert used
    assert used == codes
    phases = [event["ph"] for event in json.loads(track.read_text())["traceEvents"]]
    assert phases.count("B") == phases.count("E") > 0
    capsys.readouterr()
    assert main([*run, "--device", "USART2", "--from-us", "5000"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said
    assert all(" USART2 " in line and float(line.split()[0]) >= 5000 for line in said)
