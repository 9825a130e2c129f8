"""Files in and out: an input is a bounded regular file, an output is whole or not there.

An input is hostile until checked: a FIFO would block for ever, a device never ends. An output is
written beside its place and renamed, never over a file that the same command read, and what is no
regular file (a terminal, /dev/null) is written through, since a rename would replace the device.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from boardless_sim.errors import BoardlessError
from boardless_sim.visible import visible

# Larger than any firmware, data set or picture folder's file that a test machine is asked to hold.
MOST_BYTES = 1 << 30

# Descriptors, processes, memory, room on the disk.
_SPENT = frozenset({errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ENOSPC})
_LONGEST_NAME = 300  # of a name that is shown

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

_Identity = tuple[int, int]
_inputs: ContextVar[set[_Identity] | None] = ContextVar("inputs", default=None)


@contextlib.contextmanager
def guarded_inputs() -> Iterator[None]:
    """Within it, a file that was read is never written: one command is one such time."""
    token = _inputs.set(set())
    try:
        yield
    finally:
        _inputs.reset(token)


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key to sort names by, their numbers by value: frame2 before frame10."""
    # A number of many digits by its length first, which never makes a large integer of it.
    parts = re.split(r"(\d+)", name)
    key = []
    for number, part in enumerate(parts):
        digits = part.lstrip("0")
        key.append((len(digits), digits) if number % 2 else (0, part.casefold()))
    return [*key, (0, name)]


def may_be_renewed(path: Path) -> None:
    """A lock is an input that the command which reads it is there to write anew."""
    inputs = _inputs.get()
    if inputs is not None:
        with contextlib.suppress(OSError):
            inputs.discard(_identity(path.stat()))


def require_regular(
    path: Path,
    expected: str,
    error: type[BoardlessError] = BoardlessError,
    most: int = MOST_BYTES,
) -> int:
    """The size in bytes of an input, without opening it; links are followed.

    For readers that want a name (Pillow, numpy). Raises `error` for anything but a regular file of
    at most `most` bytes, naming what was found; `expected` says what it should be, as "an ELF".
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as cause:  # ValueError: a NUL byte in the name
        raise error(f"{path}: {_reason(cause)}, expected {expected}") from cause
    _check(path, found, expected, error, most)
    return found.st_size


@contextlib.contextmanager
def open_file(
    path: Path,
    expected: str,
    error: type[BoardlessError] = BoardlessError,
    most: int = MOST_BYTES,
) -> Iterator[BinaryIO]:
    """An input, open, for who reads it in pieces. Raises `error` as `require_regular` does."""
    try:
        # Without O_NONBLOCK the open of a FIFO waits for a writer, before anything can be checked.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as cause:
        raise error(f"{path}: {_reason(cause)}, expected {expected}") from cause
    try:
        _check(path, os.fstat(handle), expected, error, most)
        with os.fdopen(handle, "rb", closefd=False) as stream:
            yield stream
    except OSError as cause:
        raise error(f"{path}: {_reason(cause)}, expected {expected}") from cause
    finally:
        os.close(handle)


def read_file(
    path: Path,
    expected: str,
    error: type[BoardlessError] = BoardlessError,
    most: int = MOST_BYTES,
) -> bytes:
    """The bytes of an input. Raises `error` as `require_regular` does."""
    with open_file(path, expected, error, most) as stream:
        content = stream.read(most + 1)
    if len(content) > most:  # it grew since it was looked at
        raise error(f"{path}: over {most:,} bytes, expected {expected}")
    return content


def read_text(
    path: Path,
    expected: str,
    error: type[BoardlessError] = BoardlessError,
    most: int = MOST_BYTES,
) -> str:
    """The same as UTF-8 text; `error` where it is none."""
    try:
        return read_file(path, expected, error, most).decode("utf-8")
    except UnicodeDecodeError as cause:
        found = f"byte {cause.object[cause.start]:#04x} at {cause.start} is no UTF-8"
        raise error(f"{path}: {found}, expected {expected}") from cause


def write_file(path: Path, content: bytes) -> None:
    """Write the whole of it or nothing; a link's target is written, the link stays.

    Raises `BoardlessError` where the system refuses, and for an input of this command.
    """
    require_writable(path)
    place = Path(os.path.realpath(path))
    try:
        if place.exists() and not place.is_file():
            with place.open("wb", buffering=0) as device:
                device.write(content)
            return
        _replace(place, content)
    except OSError as cause:
        raise BoardlessError(f"{path}: {_reason(cause)}, expected a file to write") from cause


def write_text(path: Path, text: str) -> None:
    """The same for text; what UTF-8 cannot say (a name of stray bytes) is written escaped."""
    write_file(path, text.encode("utf-8", "backslashreplace"))


def require_writable(path: Path) -> None:
    """Find out before a long run, not after it, whether an output can be written."""
    try:
        found = path.stat()
    except FileNotFoundError:
        found = None
    except (OSError, ValueError) as cause:
        raise BoardlessError(f"{path}: {_reason(cause)}, expected a file to write") from cause
    if found is not None:
        _check_output(path, found)
        if not stat.S_ISREG(found.st_mode):
            return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise BoardlessError(f"{path}: no folder {folder}, expected one to write into")
    if not os.access(folder, os.W_OK):
        raise BoardlessError(f"{path}: folder {folder} is read-only, expected a writable one")


def _check_output(path: Path, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise BoardlessError(f"{path}: is a folder, expected a file to write")
    if stat.S_ISBLK(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        raise BoardlessError(f"{path}: is {_kind(found)}, expected a file to write")
    inputs = _inputs.get()
    if inputs is not None and stat.S_ISREG(found.st_mode) and _identity(found) in inputs:
        raise BoardlessError(f"{path}: is an input of this command, expected another file to write")


def _check(
    path: Path,
    found: os.stat_result,
    expected: str,
    error: type[BoardlessError],
    most: int,
) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise error(f"{path}: is {_kind(found)}, expected {expected}")
    if found.st_size > most:
        raise error(f"{path}: {found.st_size:,} bytes, expected {expected} of at most {most:,}")
    inputs = _inputs.get()
    if inputs is not None:
        inputs.add(_identity(found))


def _replace(place: Path, content: bytes) -> None:
    # A short prefix: the name itself may already be as long as the system allows.
    handle, name = tempfile.mkstemp(prefix=".boardless-", dir=place.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        beside.chmod(_mode(place))
        beside.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def _mode(place: Path) -> int:
    """Who may read it: as before, or as the user's umask has new files."""
    with contextlib.suppress(FileNotFoundError):
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino


def _kind(found: os.stat_result) -> str:
    return next((name for is_kind, name in _KINDS if is_kind(found.st_mode)), "no regular file")


def is_refusal(error: OSError) -> bool:
    """Whether the system says of which file, or of which of its means there is no more."""
    return error.filename is not None or error.errno in _SPENT


def refusal(error: OSError) -> str:
    """What the system refused, and of which file, in one line."""
    if error.errno in _SPENT:
        return f"{_reason(error)}, expected a machine with more of it"
    name = visible(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else ""
    return f"{name[:_LONGEST_NAME]}: {_reason(error)}, expected a usable path"


def _reason(cause: OSError | ValueError) -> str:
    return (cause.strerror if isinstance(cause, OSError) else None) or str(cause)
