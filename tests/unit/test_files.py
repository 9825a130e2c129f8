"""Inputs are bounded regular files; outputs are whole or not there, and never an input."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from boardless_sim.errors import BoardlessError, FrameError
from boardless_sim.files import (
    guarded_inputs,
    may_be_renewed,
    read_file,
    read_text,
    require_regular,
    require_writable,
    write_file,
    write_text,
)

EXPECTED = "a picture"


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


@pytest.mark.parametrize("read", [read_file, require_regular])
@pytest.mark.parametrize(
    ("make", "found"),
    [
        (os.mkfifo, "is a FIFO"),
        (Path.mkdir, "is a folder"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device"),
        (lambda path: None, "No such file or directory"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
)
def test_what_is_no_regular_file_is_refused_by_name(
    read: Callable[..., object], make: Callable[[Path], None], found: str, tmp_path: Path
) -> None:
    path = tmp_path / "input"
    make(path)
    with pytest.raises(FrameError, match=rf"input: {found}, expected a picture$"):
        read(path, EXPECTED, FrameError)


def test_a_socket_is_refused(tmp_path: Path) -> None:
    make_socket(tmp_path / "s")
    with pytest.raises(BoardlessError, match=r"s: is a socket, expected a picture$"):
        require_regular(tmp_path / "s", EXPECTED)


@pytest.mark.parametrize("read", [read_file, require_regular])
def test_an_input_is_read_up_to_its_limit(read: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "input"
    path.write_bytes(b"x" * 9)
    read(path, EXPECTED, BoardlessError, 9)
    with pytest.raises(BoardlessError, match=r"9 bytes, expected a picture of at most 8$"):
        read(path, EXPECTED, BoardlessError, 8)


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"before")
    link.symlink_to("target")
    assert read_file(link, EXPECTED) == b"before"
    write_file(link, b"after")
    assert link.is_symlink()
    assert target.read_bytes() == b"after"


def test_a_name_with_a_nul_is_one_line() -> None:
    with pytest.raises(BoardlessError, match="embedded null byte, expected a picture$"):
        read_file(Path("a\0b"), EXPECTED)


def test_text_that_is_none_names_the_byte(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"ab\xff")
    with pytest.raises(BoardlessError, match="byte 0xff at 2 is no UTF-8, expected a picture$"):
        read_text(tmp_path / "t", EXPECTED)


def test_an_input_of_the_same_command_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "network.npz"
    path.write_bytes(b"kept")
    (tmp_path / "other").hardlink_to(path)
    with guarded_inputs():
        read_file(path, EXPECTED)
        for name in ("network.npz", "other"):
            with pytest.raises(BoardlessError, match="is an input of this command"):
                write_file(tmp_path / name, b"lost")
    assert path.read_bytes() == b"kept"
    write_file(path, b"another command's")
    assert path.read_bytes() == b"another command's"


def test_a_lock_may_be_renewed_by_the_command_that_read_it(tmp_path: Path) -> None:
    path = tmp_path / "budget.lock"
    path.write_bytes(b"before")
    with guarded_inputs():
        read_file(path, EXPECTED)
        may_be_renewed(path)
        write_file(path, b"after")
    assert path.read_bytes() == b"after"


def test_a_device_is_written_through_and_stays_one() -> None:
    write_text(Path("/dev/null"), "gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 100) == b"through"
    assert pipe.is_fifo()
    os.close(reader)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("none/out", "no folder .*/none, expected one to write into"),
        ("f" * 300, "File name too long, expected a file to write"),
        (".", "is a folder, expected a file to write"),
    ],
)
def test_an_output_that_cannot_be_is_found_before_the_run(
    name: str, found: str, tmp_path: Path
) -> None:
    for check in (require_writable, lambda path: write_file(path, b"x")):
        with pytest.raises(BoardlessError, match=found):
            check(tmp_path / name)


def test_nothing_half_is_left_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"before")

    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BoardlessError, match="out: No space left on device"):
        write_file(path, b"after")
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_a_new_file_is_as_private_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "out", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
    (tmp_path / "out").chmod(0o640)
    write_file(tmp_path / "out", b"y")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640


def test_a_name_of_stray_bytes_is_written_escaped(tmp_path: Path) -> None:
    write_text(tmp_path / "out", os.fsdecode(b"a\xff.elf"))
    assert (tmp_path / "out").read_text() == r"a\udcff.elf"
