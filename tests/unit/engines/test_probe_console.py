"""Consoles that a debug probe hears: semihosting, RTT, ITM."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine

SOURCE = Path(__file__).with_name("probe_firmware.c")
SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 64K
         RAM (rw) : ORIGIN = 0x20000000, LENGTH = 64K }
_estack = 0x20010000;
SECTIONS { .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > FLASH
           .bss (NOLOAD) : { *(.data*) *(.bss*) } > RAM }
"""


def power_on(
    folder: Path, kind: str, files: Path | None = None, *, strip: bool = False
) -> NativeEngine:
    compiler = shutil.which("arm-none-eabi-gcc")
    assert compiler is not None
    script, elf = folder / "link.ld", folder / f"{kind}.elf"
    script.write_text(SCRIPT)
    subprocess.run(
        [compiler, "-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding", "-nostdlib",
         "-Wl,--build-id=none,--no-warn-rwx-segments", *(["-s"] if strip else []),
         f"-DKIND_{kind}", "-T", str(script), str(SOURCE), "-o", str(elf)],
        check=True,
    )  # fmt: skip
    engine = NativeEngine(board=replace(REFERENCE, semihosting=files))
    engine.load(load_image(elf))
    return engine


def lines(engine: NativeEngine) -> list[tuple[str, str]]:
    return [(line.port, line.text) for line in engine.uart_lines()]


@pytest.fixture(name="files")
def files_fixture(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "in.txt").write_bytes(b"some text")
    (tmp_path / "secret").write_bytes(b"secret")
    return folder


def test_the_firmware_ends_itself_with_a_code(tmp_path: Path) -> None:
    """IHI 0100, SYS_WRITE to ":tt" and SYS_EXIT_EXTENDED."""
    with closing(power_on(tmp_path, "EXIT")) as engine:
        assert engine.run(1000) is StopReason.EXIT
        assert engine.exit_code == 3
        assert engine.log() == ["the firmware ended itself with code 3"]
        assert lines(engine) == [("semihosting", "hello")]
        assert engine.run(1000) is StopReason.EXIT  # it stays ended


def test_files_are_those_of_one_folder(tmp_path: Path, files: Path) -> None:
    with closing(power_on(tmp_path, "FILES", files)) as engine:
        assert engine.run(1000) is StopReason.EXIT
        assert engine.exit_code == 0
        assert (files / "out.txt").read_bytes() == b"some text"
        assert lines(engine) == [("semihosting", "kept out")]
        assert any("'../secret' was not opened, it is no file of" in line for line in engine.log())


def test_a_link_does_not_lead_out(tmp_path: Path, files: Path) -> None:
    (files / "in.txt").unlink()
    (files / "in.txt").symlink_to(tmp_path / "secret")
    with closing(power_on(tmp_path, "FILES", files)) as engine:
        engine.run(1000)
        assert (files / "out.txt").read_bytes() == b""


def test_without_a_folder_no_file_is_opened(tmp_path: Path) -> None:
    with closing(power_on(tmp_path, "FILES")) as engine:
        engine.run(1000)
        assert lines(engine) == [("semihosting", "kept out")]
        assert "semihosting: 'in.txt' was not opened, no folder is named for it" in engine.log()
    assert not (tmp_path / "out.txt").exists()


@pytest.mark.parametrize("strip", [False, True])
def test_rtt_goes_both_ways(tmp_path: Path, strip: bool) -> None:
    """The buffer is emptied once in a millisecond; with its symbol, or found by its identity."""
    with closing(power_on(tmp_path, "RTT", strip=strip)) as engine:
        engine.run(10_000)
        assert lines(engine) == [("rtt0", "a line that is longer than the buffer")]
        engine.uart_send("rtt0", b"x")
        engine.run(10_000)
        assert lines(engine)[1:] == [("rtt0", "X")]


def test_itm_has_a_console_a_port(tmp_path: Path) -> None:
    """DDI 0403E, C1.7: a port that is not enabled sends nothing."""
    with closing(power_on(tmp_path, "ITM")) as engine:
        assert engine.run(10_000) is StopReason.HALT
        assert lines(engine) == [("itm0", "by swo"), ("itm1", "ok")]
