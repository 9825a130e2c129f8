"""What a person gets for input that cannot be used: one line, exit 2, no report."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boardless import cli

EXECUTABLE, ARM, X86 = 2, 40, 3


def elf_header(
    *, width: int = 1, order: int = 1, kind: int = EXECUTABLE, machine: int = ARM
) -> bytes:
    ident = b"\x7fELF" + bytes([width, order, 1]) + bytes(9)
    return ident + struct.pack("<HHIIIIIHHHHHH", kind, machine, 1, 0, 0, 0, 0, 52, 32, 0, 40, 0, 0)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "shoe.png"
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(path)
    return path


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str | Path) -> str:
    """The one line on stderr of a run that could not be made."""
    report = folder / "run.json"
    code = cli.main(["run", *map(str, arguments), "--json", str(report)])
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert not report.exists()
    assert output.err.count("\n") == 1
    return output.err.removeprefix("boardless: ").rstrip("\n").replace(str(folder), "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "/app.elf: No such file or directory, expected an ELF"),
        (b"hello", "/app.elf: starts with b'hell', expected an ELF (b'\\x7fELF')"),
        (elf_header()[:40], "/app.elf: truncated after 40 bytes, expected an ELF header of 52"),
        (elf_header(width=2), "/app.elf: ELF class 2, expected 1 (32-bit)"),
        (elf_header(order=2), "/app.elf: ELF data encoding 2, expected 1 (little-endian)"),
        (elf_header(machine=X86), "/app.elf: ELF machine 3 (x86), expected 40 (ARM)"),
        (
            elf_header(kind=1),
            "/app.elf: ELF type 1, expected 2 (executable, linked at its address)",
        ),
        (elf_header(), "/app.elf: no section headers, expected an ELF with its sections"),
    ],
)
def test_a_firmware_that_is_none(
    content: bytes | None,
    message: str,
    picture: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    elf = tmp_path / "app.elf"
    if content is not None:
        elf.write_bytes(content)
    assert run(capsys, tmp_path, elf, "--frames", picture) == message


def test_a_folder_without_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    found = run(capsys, tmp_path, "app.elf", "--frames", tmp_path / "empty")
    assert found.startswith("/empty: found no pictures, expected PNG, JPEG, ")


def test_a_picture_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "shoe.png").write_text("no picture")
    found = run(capsys, tmp_path, "app.elf", "--frames", tmp_path / "shoe.png")
    assert found.startswith("/shoe.png: found an unknown format, expected PNG, ")


def test_labels_that_do_not_match(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("1\n2\n")
    found = run(capsys, tmp_path, "app.elf", "--frames", picture, "--labels", labels)
    assert found.startswith("/labels.txt: found 2 labels, expected 1")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_firmware_in_any_number_of_jobs(
    jobs: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = tmp_path / "app.elf"
    found = run(capsys, tmp_path, elf, "--frames", picture, "--jobs", jobs)
    assert found == "/app.elf: No such file or directory, expected an ELF"


def test_a_budget_without_firmware(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["budget", str(tmp_path / "app.elf")])
    output = capsys.readouterr()
    assert (code, output.out) == (2, "")
    assert output.err == (
        f"boardless: {tmp_path}/app.elf: No such file or directory, expected an ELF\n"
    )
