"""A GNU linker map: which object or archive member an address comes from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath

from boardless_sim.elf.layout import Layout
from boardless_sim.errors import ConfigError
from boardless_sim.files import read_file

_MAX_BYTES = 256 << 20
_START = "Linker script and memory map"
_OUTPUT = re.compile(r"([^\s*]\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)(?:\s|$)")
_INPUT = re.compile(r"(?: (\S+))?\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S.*)")


@dataclass(frozen=True)
class Placed:
    """An input section of one object: `member` is empty outside of an archive."""

    start: int
    end: int
    path: str
    member: str


def read_map(path: Path, layout: Layout) -> tuple[Placed, ...]:
    """The map's input sections. Raises `ConfigError` where it is no map of this very link."""
    raw = read_file(path, "a linker map", ConfigError, _MAX_BYTES)
    text = raw.decode("utf-8", "replace")  # a name in it may be of any bytes
    _, start, body = text.partition(_START)
    if not start:
        raise ConfigError(f"{path}: no line {_START!r}, expected a GNU linker map")
    lines = list(_joined(body))
    _check(path, lines, layout)
    return tuple(_inputs(lines))


def _joined(body: str) -> Iterator[str]:
    """Lines, a name too long for its column joined with the figures below it."""
    pending = ""
    for line in body.splitlines():
        if pending:
            line, pending = f"{pending} {line.lstrip()}", ""
        if line.strip() and not line.startswith("  ") and len(line.split()) == 1:
            pending = line.rstrip()
            continue
        yield line


def _check(path: Path, lines: list[str], layout: Layout) -> None:
    """Its output sections are the ELF's, or it is the map of another link."""
    found = {
        match[1]: (int(match[2], 16), int(match[3], 16))
        for line in lines
        if (match := _OUTPUT.match(line))
    }
    for section in layout.sections:
        mapped = found.get(section.name)
        if section.size and mapped != (section.address, section.size):
            says = "no such section" if mapped is None else f"{mapped[1]} bytes at {mapped[0]:#x}"
            raise ConfigError(
                f"{path}: {section.name}: {says}, expected {section.size} bytes at "
                f"{section.address:#x} as in {layout.path}: the map of another link"
            )


def _inputs(lines: list[str]) -> Iterator[Placed]:
    for line in lines:
        match = _INPUT.fullmatch(line.rstrip())
        if match is None or not match[1] or match[1].startswith("*"):
            continue
        start, size = int(match[2], 16), int(match[3], 16)
        if not size or start + size > 1 << 32:
            continue
        archive, bracket, member = match[4].partition("(")
        yield Placed(start, start + size, normpath(archive), member.rstrip(")") if bracket else "")
