"""An option that names a file opens it, or says why not: whatever stands there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from boardless import cli

Make = Callable[[Path], object]
KINDS: dict[str, tuple[Make, str]] = {
    "fifo": (os.mkfifo, "is a FIFO"),
    "folder": (Path.mkdir, "is a folder"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    "missing": (lambda path: None, "No such file or directory"),
    "loop": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}
BUDGETS = '[budget.region.FLASH]\nmax = "1M"\n'
# Each with FILE for what is no file; ELF and CONFIG are good.
OPTIONS = [
    ["run", "FILE", "--frames", "pattern:bars"],
    ["run", "ELF", "--limit", "1", "--frames", "FILE"],
    ["run", "ELF", "--frames", "pattern:bars", "--labels", "FILE"],
    ["run", "ELF", "--frames", "pattern:bars", "--config", "FILE"],
    ["run", "ELF", "--frames", "pattern:bars", "--peripheral", "FILE:Rng@0x50060800"],
    ["budget", "FILE", "--config", "CONFIG"],
    ["budget", "ELF", "--config", "FILE"],
    ["budget", "ELF", "--config", "CONFIG", "--map", "FILE"],
    ["budget", "ELF", "--config", "CONFIG", "--base", "FILE"],
    ["compare", "FILE", "--frames", "pattern:bars"],
    ["compare", "ELF", "--frames", "FILE"],
    ["profile", "FILE"],
    ["profile", "ELF", "--frames", "FILE"],
    ["fit", "FILE", "--any"],
    ["model", "import", "FILE", "OUT"],
    ["model", "export", "FILE", "OUT"],
    ["model", "verify", "FILE"],
    ["model", "quantize", "FILE", "OUT"],
]


CASES = [
    (line, kind)
    for line in OPTIONS
    for kind in KINDS
    if not (kind == "folder" and line[-1] == "FILE" and line[-2] == "--frames")  # pictures
]


def path_of(line: list[str], folder: Path) -> Path:
    """`fit` goes by the name's end."""
    return folder / ("given.tflite" if line[0] == "fit" else "given")


def run(line: list[str], elf: Path, folder: Path) -> int:
    config = folder / "boardless.toml"
    config.write_text(BUDGETS)
    given = {"ELF": elf, "CONFIG": config, "OUT": folder / "out.npz"}
    named = [str(given.get(word, word)) for word in line]
    return cli.main([word.replace("FILE", str(path_of(line, folder))) for word in named])


@pytest.mark.parametrize(
    ("line", "kind"), CASES, ids=[f"{' '.join(line)}-{kind}" for line, kind in CASES]
)
def test_what_is_no_regular_file_is_one_line(
    line: list[str],
    kind: str,
    small_elf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make, found = KINDS[kind]
    path = path_of(line, tmp_path)
    make(path)
    code = run(line, small_elf, tmp_path)
    output = capsys.readouterr()
    assert (code, output.out, output.err.count("\n")) == (2, "", 1), output.err
    assert f"{path}: {found}, expected " in output.err
    assert not (tmp_path / "out.npz").exists()
