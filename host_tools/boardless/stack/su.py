"""A third opinion on frames: the .su files that the compiler wrote with -fstack-usage.

GCC leaves out what a variadic function stores of its arguments, so it is compared, never believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from boardless_sim.errors import ConfigError

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
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}, expected a .su file") from error
    for line in text.splitlines():
        place, _, rest = line.partition("\t")
        size, _, kind = rest.partition("\t")
        if size.isascii() and size.isdigit() and len(size) < 10:
            yield Usage(place.rpartition(":")[2], int(size), kind.startswith("static"))
