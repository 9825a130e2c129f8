"""A sweep's folder: the results, one JSON line each, as they come; a lock.

A line is written whole and flushed, so that a sweep that was ended goes on from what was done.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from boardless.sweep.summary import SweepRow, row_of
from boardless.sweep.work import SCHEMA, Row
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_file, write_file

RESULTS = "results.jsonl"
_LOCK = ".lock"
_MOST_BYTES = 1 << 32


class SweepStore:
    """The open folder; `done` holds the results by their task's key."""

    def __init__(self, folder: Path, handle: int, done: dict[str, dict[str, Any]]) -> None:
        self.folder = folder
        self.done = done
        self._handle = handle

    def add(self, line: dict[str, Any]) -> None:
        """Keep one result; on the disk when this returns."""
        raw = (json.dumps(line) + "\n").encode()
        try:
            while raw:
                raw = raw[os.write(self._handle, raw) :]
            os.fsync(self._handle)
        except OSError as error:
            path = self.folder / RESULTS
            raise BoardlessError(f"{path}: {error.strerror}, expected room to write") from error
        self.done[line["key"]] = line


@contextmanager
def open_store(folder: Path) -> Iterator[SweepStore]:
    """The folder, made if need be. Raises `BoardlessError` where another sweep is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise BoardlessError(f"{folder}: {error.strerror}, expected a folder to write") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BoardlessError(
                f"{folder}: another sweep is running in it, expected a folder of its own"
            ) from None
        path = folder / RESULTS
        done = _done(read_results(path)) if path.exists() else {}
        _forget_half_a_line(path)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            yield SweepStore(folder, handle, done)
        finally:
            os.close(handle)
    finally:
        os.close(lock)


def read_results(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a file. Raises `BoardlessError` for a line that is none of ours."""
    raw = read_file(path, "a sweep's results", BoardlessError, _MOST_BYTES)
    found = []
    for number, line in enumerate(raw.split(b"\n")[:-1], 1):  # after the last end: half a line
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise BoardlessError(f"{path}: line {number} is no JSON, expected a result") from error
        _check(path, number, value)
        found.append(value)
    return found


def _done(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without those that met a problem: an engine that was missing may be there now."""
    return {line["key"]: line for line in lines if "problem" not in line}


def _check(path: Path, number: int, value: Any) -> None:
    is_ours = (
        isinstance(value, dict)
        and value.get("schema") == SCHEMA
        and isinstance(value.get("key"), str)
        and isinstance(value.get("row"), dict)
        and isinstance(value.get("count"), int)
        and ("problem" in value or isinstance(value.get("latency_us"), list))
    )
    if not is_ours:
        raise BoardlessError(f"{path}: line {number} is no result of schema {SCHEMA}")


def _forget_half_a_line(path: Path) -> None:
    """What a power cut left of the last line; its task is run again."""
    if not path.exists():
        return
    raw = read_file(path, "a sweep's results", BoardlessError, _MOST_BYTES)
    if raw and not raw.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(raw.rfind(b"\n") + 1)


def read_rows(folder: Path) -> dict[Row, SweepRow]:
    """The table of an older sweep. Raises `BoardlessError` where there is none."""
    lines: dict[Row, dict[str, dict[str, Any]]] = {}
    for line in read_results(folder / RESULTS):
        lines.setdefault(tuple(line["row"].items()), {})[line["key"]] = line
    return {
        row: row_of(row, sum(line["count"] for line in found.values()), list(found.values()))
        for row, found in lines.items()
    }


def write_parquet(path: Path, lines: list[dict[str, Any]]) -> None:
    """The results as a table, a column an axis (extra `sweep`). Raises `BoardlessError`."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BoardlessError(
            f"{path}: pyarrow is not installed, expected it: pip install 'boardless[sweep]'"
        ) from error
    flat = [{**{k: v for k, v in line.items() if k != "row"}, **line["row"]} for line in lines]
    buffer = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(flat), buffer)
    write_file(path, buffer.getvalue().to_pybytes())
