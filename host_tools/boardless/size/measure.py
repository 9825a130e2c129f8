"""An ELF's sizes, as they will lie in the chip's memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cached_property, lru_cache
from pathlib import Path

from boardless.project.budgets import Selector
from boardless.project.config import Config
from boardless.project.model import Role
from boardless.project.regions import Region
from boardless.size.attribution import AttributedBytes, attribute
from boardless.size.origin import Origin, archives, sources
from boardless.size.regions import (
    ELSEWHERE,
    Memories,
    image_bytes,
    memories_of,
    ram_sections,
    region_bytes,
)
from boardless_sim.elf.demangle import demangled
from boardless_sim.elf.file import ElfFile, read_elf
from boardless_sim.elf.intervals import union_bytes
from boardless_sim.elf.layout import Layout, layout_of
from boardless_sim.elf.lines import LineTable
from boardless_sim.elf.linker_map import Placed, read_map
from boardless_sim.errors import ConfigError

__all__ = ["ELSEWHERE", "Measurement", "image_bytes", "measure", "union_bytes"]


@dataclass(frozen=True)
class Measurement:
    """What was found. The bytes of a region contain its alignment padding.

    `static_ram` is what data takes in RAM before the first function runs; the stack's section is
    not in it but in `reserved_stack`.
    """

    layout: Layout
    regions: Mapping[str, int]
    static_ram: int
    reserved_stack: int
    memories: Memories = field(default_factory=lambda: Memories((), ""))
    stack_sections: tuple[str, ...] = ()
    map_path: Path | None = None
    map_required: bool = False
    roles: tuple[Role, ...] = ()

    @property
    def placed_in(self) -> tuple[Region, ...]:
        """The regions that the bytes were placed into."""
        return self.memories.regions

    @property
    def basis(self) -> str:
        """Where the regions come from."""
        return self.memories.basis

    @cached_property
    def parts(self) -> tuple[AttributedBytes, ...]:
        """Every byte of every region once. Raises `AnalyserError` where the sum does not close."""
        return attribute(self.layout, self.placed_in, self.regions)

    @cached_property
    def attribution(self) -> Mapping[str, Mapping[str, int]]:
        """Bytes of each region in `symbols`, in no symbol (`rest`) and of `padding`."""
        found: dict[str, dict[str, int]] = {}
        for part in self.parts:
            of_region = found.setdefault(part.region, {"symbols": 0, "rest": 0, "padding": 0})
            of_region["symbols" if part.kind == "symbol" else part.kind] += part.bytes
        return found

    @property
    def lines(self) -> LineTable:
        """The line tables; empty, with the reason, where the ELF has none that can be read."""
        return self.layout.elf.lines

    @cached_property
    def sources(self) -> Origin:
        """Bytes by source file."""
        return sources(self.layout, self.lines, self._objects[0])

    @cached_property
    def archives(self) -> Origin:
        """Bytes by archive, archive member and object."""
        return archives(self.layout, *self._objects)

    @cached_property
    def _objects(self) -> tuple[tuple[Placed, ...], str]:
        path = self.map_path
        if path is None:
            expected = self.layout.path.with_suffix(".map")
            return (), f"no linker map, expected {expected.name} or [project] map"
        try:
            return read_map(path, self.layout), ""
        except ConfigError as error:
            if self.map_required:
                raise
            return (), str(error)

    def require_map(self) -> None:
        """Raises `ConfigError` for a map that cannot be read, whoever needs it."""
        _ = self._objects

    def bytes_of(self, what: Selector, patterns: Iterable[str]) -> int | None:
        """Bytes of what the patterns match; None where they match nothing."""
        if what == "symbol":
            return self.symbol_bytes(patterns)
        if what == "section":
            return self.section_bytes(patterns)
        return (self.sources if what == "source" else self.archives).bytes_of(patterns)

    def problem(self, what: Selector) -> str:
        """Why nothing of that kind could be found; empty where it could."""
        if what == "symbol" and self.layout.is_stripped:
            return "stripped (no .symtab)"
        if what in ("symbol", "section"):
            return ""
        return (self.sources if what == "source" else self.archives).problem

    def symbol_bytes(self, patterns: Iterable[str]) -> int | None:
        """Bytes under the symbols that match; None where none does. Aliases count once."""
        found = [
            (symbol.address, symbol.address + symbol.size)
            for symbol in self.layout.symbols
            if self.matches(symbol.name, patterns)
        ]
        return union_bytes(found) if found else None

    def section_bytes(self, patterns: Iterable[str]) -> int | None:
        """Bytes of the allocated sections that match; None where none does."""
        found = [
            section.size for section in self.layout.sections if _matches(section.name, patterns)
        ]
        return sum(found) if found else None

    @staticmethod
    def matches(name: str, patterns: Iterable[str]) -> bool:
        """Whether a name, or the source's for it, is what a pattern means."""
        if _matches(name, patterns):
            return True
        source_name = demangled(name)
        return source_name is not None and _matches(source_name, patterns)

    @cached_property
    def symbols(self) -> Mapping[str, int]:
        """Bytes a symbol name: no byte twice, the bytes of one name in several files together."""
        found: Counter[str] = Counter()
        flash = {region.name for region in self.placed_in if region.kind == "flash"}
        copied = {part.section for part in self.parts if part.region in flash}
        for part in self.parts:
            if part.kind == "symbol" and (part.region in flash or part.section not in copied):
                found[part.name] += part.bytes
        return dict(sorted(found.items()))

    @cached_property
    def model(self) -> Mapping[str, int]:
        """The model's bytes by role; a symbol of two roles is of the first."""
        found: Counter[str] = Counter()
        for name, size in self.symbols.items():
            role = next((r.name for r in self.roles if self.matches(name, r.patterns)), None)
            if role is not None:
                found[role] += size
        return dict(found)


def measure(image: Path | ElfFile, config: Config, linker_map: Path | None = None) -> Measurement:
    """Place an ELF's sections into the chip's regions. Raises `ImageError`."""
    layout = layout_of(image if isinstance(image, ElfFile) else read_elf(image))
    memories = memories_of(layout, config)
    regions = memories.regions
    in_ram = ram_sections(layout, regions)
    stack = [section for section in in_ram if section.name in config.stack_sections]
    given = linker_map or config.linker_map
    beside = layout.path.with_suffix(".map")
    return Measurement(
        layout=layout,
        regions=region_bytes(layout, regions),
        static_ram=sum(section.size for section in in_ram if section not in stack),
        reserved_stack=sum(section.size for section in stack),
        memories=memories,
        stack_sections=config.stack_sections,
        map_path=given or (beside if beside.is_file() else None),
        map_required=given is not None,
        roles=config.roles,
    )


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return _compiled(tuple(patterns)).match(name) is not None


@lru_cache(maxsize=256)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """All of them as one: there may be a hundred thousand names."""
    return re.compile("|".join(translate(pattern) for pattern in patterns) or "(?!)")
