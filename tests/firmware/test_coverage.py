"""Coverage of the reference firmware, as it is."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.debug.coverage import measure
from boardless_sim.elf.image import load_image
from tests.firmware.conftest import BUILD, REPO
from tests.firmware.fingerprint import fingerprint, powered_board

ELF = BUILD / "boardless.elf"
END_PS = 300_000_000_000


def test_what_runs_is_covered_and_the_run_is_the_same() -> None:
    with closing(powered_board(ELF, 2)) as plain, closing(powered_board(ELF, 2)) as covered:
        covered.machine.cpu.cover()
        plain.machine.run_until(END_PS)
        covered.machine.run_until(END_PS)
        assert fingerprint(covered) == fingerprint(plain)
        found = measure(covered.machine.cpu, load_image(ELF))
    source = (REPO / "firmware/apps/classifier/preprocess.c").read_text("utf-8").splitlines()
    missed = [line for line, ran in found["apps/classifier/preprocess.c"].lines.items() if not ran]
    # Only the mailbox brings a tensor.
    assert [source[line - 1].strip() for line in missed] == [
        "memcpy(output, frame->pixels, PREPROCESS_BYTES);"
    ]
    assert not any(found["apps/classifier/fault_report.c"].lines.values())
    assert found["apps/classifier/main.c"].functions["main"][1]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace, xml, folder = tmp_path / "c.info", tmp_path / "c.xml", tmp_path / "html"
    code = main(
        ["coverage", str(ELF), "--frames", "pattern:noise:1", "--limit", "1", "--lcov", str(trace),
         "--cobertura", str(xml), "--html", str(folder), "--sources", "firmware"]
    )  # fmt: skip
    assert code == 0
    assert "SF:apps/classifier/main.c\n" in trace.read_text()
    assert xml.read_text().startswith("<?xml")
    assert "classify_next_frame" in "".join(page.read_text() for page in folder.glob("*.html"))
    assert "apps/classifier/main.c" in capsys.readouterr().out
