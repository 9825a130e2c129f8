"""Where a reader must look: the source line of what grew, or else the budget's own line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import Config
from boardless.size.measure import Measurement
from boardless_sim.errors import ConfigError
from boardless_sim.files import read_text

Place = tuple[str, int]


def place_of(row: VerdictRow, verdict: Verdict, config: Config) -> Place:
    """File and line, relative to the current folder where it is inside of it."""
    measurement = verdict.measurement
    if measurement is not None:
        for name in _suspects(row, verdict, measurement, config):
            if (found := _source(name, measurement)) is not None:
                return found
    if row.where is not None and (found := _here(row.where)) is not None:
        return found
    return _config_line(row, config)


def _suspects(
    row: VerdictRow, verdict: Verdict, measurement: Measurement, config: Config
) -> Iterator[str]:
    """Symbols that the row may be about, the likeliest first."""
    if row.kind == "stack":
        if verdict.diff is not None:
            yield from (path.function for path in verdict.diff.stacks if path.function)
        return
    if row.reason:
        return
    if verdict.diff is not None:
        yield from (change.name for change in verdict.diff.symbols[:5] if change.delta > 0)
    budget = next((b for b in config.budgets.sizes if b.name == row.name), None)
    if budget is None or budget.what != "symbol":
        return
    sizes = measurement.symbols
    matching = [name for name in sizes if measurement.matches(name, budget.patterns)]
    yield from sorted(matching, key=lambda name: -sizes[name])[:5]


def _source(name: str, measurement: Measurement) -> Place | None:
    symbol = next((s for s in measurement.layout.symbols if s.name == name), None)
    where = None if symbol is None else measurement.lines.where(symbol.address)
    return None if where is None else _here(where)


def _here(where: Place) -> Place | None:
    """The file as the repository knows it; None where it is not in the current folder."""
    file, line = where
    try:
        path = Path(file).resolve().relative_to(Path.cwd())
    except (ValueError, OSError):
        return None
    return (path.as_posix(), max(1, line)) if path.is_file() else None


def _config_line(row: VerdictRow, config: Config) -> Place:
    name = row.name.removesuffix(".growth")
    patterns = [
        rf"\[budget\.(?:region\.)?\"?{re.escape(name)}\"?\]",
        rf'name\s*=\s*"{re.escape(name)}"',
    ]
    if row.kind == "stack":
        patterns = [r"\[budget\.stack\]"]
    if row.kind == "waiver":
        patterns = [rf'budget\s*=\s*"{re.escape(name)}"']
    try:
        lines = read_text(config.path, "a TOML file", ConfigError).splitlines()
    except ConfigError:  # a place for a comment: the verdict stands without it
        lines = []
    found = (
        number
        for number, line in enumerate(lines, 1)
        if any(re.search(pattern, line) for pattern in patterns)
    )
    number = next(found, 1)
    return _here((str(config.path), number)) or (config.path.name, number)
