"""A third opinion on frames: the .su files that the compiler wrote with -fstack-usage.

GCC leaves out what a variadic function stores of its arguments, so it is compared, never believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from boardless_sim.errors import ConfigError
from boardless_sim.files import read_file

_MAX_FILES = 20_000
_MAX_BYTES = 8 << 20


class Usage(NamedTuple):
    """One line: `main.c:12:5:main<TAB>24<TAB>static`."""

    function: str
    own_bytes: int
    is_static: bool


def read_usages(folders: Iterable[Path]) -> tuple[Usage, ...]:
    """Every line below some folders. Raises `ConfigError` where there is no .su file."""
    found: list[Usage] = []
    for folder in folders:
        files = sorted(folder.rglob("*.su"))[:_MAX_FILES] if folder.is_dir() else []
        if not files:
            raise ConfigError(
                f"{folder}: no .su file, expected a folder of objects built with -fstack-usage"
            )
        for path in files:
            found += _lines(path)
    return tuple(found)


def _lines(path: Path) -> Iterator[Usage]:
    raw = read_file(path, "a .su file", ConfigError, _MAX_BYTES)
    for line in raw.decode("utf-8", "replace").splitlines():
        place, _, rest = line.partition("\t")
        size, _, kind = rest.partition("\t")
        if size.isascii() and size.isdigit() and len(size) < 10:
            yield Usage(place.rpartition(":")[2], int(size), kind.startswith("static"))
