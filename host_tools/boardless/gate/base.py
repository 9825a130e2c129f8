"""What a firmware is compared with: an earlier JSON, an earlier ELF, or a revision's budget.lock.

A base is never built here, and it is always said which one was used.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from boardless.gate.diff import Baseline
from boardless.gate.figures import figure_rows
from boardless.gate.stack_bound import stack_bound
from boardless.gate.stack_diff import StackFrame, StackPath, Stacks
from boardless.project.config import Config, parse_config
from boardless.size.measure import Measurement
from boardless_sim.errors import BoardlessError, ConfigError
from boardless_sim.files import open_file, read_file
from boardless_sim.json_text import parse_json

LOCK = "budget.lock"
_MAX_BYTES = 64 << 20
_REVISION = re.compile(r"[\w.][\w./@{}^~+-]{0,199}", re.ASCII)
_GIT_SECONDS = 30
_MAX_SIZE = 1 << 40

Measure = Callable[[Path, Config], Measurement]


def load_base(text: str | None, config: Config, measure: Measure) -> Baseline | None:
    """The base that `--base` names; without one, the budget.lock beside the config if it is there.

    Raises `BoardlessError` where a base is named and cannot be read.
    """
    if text is None:
        lock = config.path.parent / LOCK
        return _of_file(lock, config, measure) if lock.is_file() else None
    if text.startswith("git:"):
        return _of_revision(text.removeprefix("git:"), config)
    return _of_file(Path(text), config, measure)


def baseline_of(label: str, raw: bytes) -> Baseline:
    """The figures in a `boardless budget --json`. Raises `ConfigError`: it may come from anyone."""
    document = parse_json(raw, label, "a boardless budget --json", ConfigError)
    if not isinstance(document, dict) or document.get("schema") != 1:
        found = document.get("schema") if isinstance(document, dict) else None
        raise ConfigError(f"{label}: schema {found!r:.40}, expected 1 (boardless budget --json)")
    regions, stack = _table(document, "regions"), _table(document, "stack")
    sizes = {str(entry.get("name")): entry for entry in _entries(document, "sizes")}
    rows = {f"region.{name}": row for name, row in regions.items()}
    rows |= {f"size.{name}": row for name, row in sizes.items()}
    rows |= {f"stack.{name}": row for name, row in stack.items()}
    if not regions:
        raise ConfigError(f"{label}: no regions, expected a boardless budget --json")
    bound = stack.get("bound")
    stacks = _stacks(_table(document, "stacks"))
    return Baseline(
        label=label,
        regions=_figures(regions, "bytes"),
        sizes=_figures(sizes, "bytes"),
        symbols=_sizes(document.get("symbols")),
        maxima=_figures(rows, "max"),
        reasons={key: _line(row.get("why")) for key, row in _tables(rows)},
        stack_bytes=_size(bound.get("bytes")) if isinstance(bound, dict) else None,
        stacks=stacks if stacks.paths else None,
        no_stacks="" if stacks.paths else f"{label} has none",
    )


def _of_file(path: Path, config: Config, measure: Measure) -> Baseline:
    expected = "a base (JSON or ELF)"
    with open_file(path, expected, ConfigError) as stream:
        is_elf = stream.read(4) == b"\x7fELF"
    if is_elf:
        return _of_elf(path, config, measure)
    return baseline_of(str(path), read_file(path, expected, ConfigError, _MAX_BYTES))


def _of_elf(path: Path, config: Config, measure: Measure) -> Baseline:
    """Figures of an ELF, by the rules of now; it says nothing of what it was held to."""
    found = measure(path, config)
    sizes = {
        budget.name: size
        for budget in config.budgets.sizes
        if (size := found.bytes_of(budget.what, budget.patterns)) is not None
    }
    sizes |= {row.name: row.bytes for row in figure_rows(found, config.budgets) if row.bytes}
    bound = stack_bound(found, config)  # today's annotations may not fit yesterday's functions
    return Baseline(
        label=f"{path} (ELF)",
        regions=found.regions,
        sizes=sizes,
        symbols=found.symbols,
        maxima={},
        reasons={},
        stack_bytes=bound.bytes,
        stacks=bound.stacks,
        no_stacks=bound.reason if bound.stacks is None else "",
    )


def _of_revision(revision: str, config: Config) -> Baseline:
    if not _REVISION.fullmatch(revision):
        raise ConfigError(f"git:{revision!r:.80}: expected a revision, as git:main or git:HEAD^1")
    folder = config.path.parent
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise ConfigError(f"git:{revision}: no such commit here, expected one (fetch it first)")
    short = commit.decode("ascii", "replace").strip()[:12]
    label = f"git:{revision} ({short}) {LOCK}"
    raw = _git(folder, "show", f"{short}:./{LOCK}")
    if raw is None:
        raise ConfigError(
            f"git:{revision} ({short}): no {LOCK} beside {config.path}, expected one: "
            f"boardless budget ELF --json {LOCK}, committed"
        )
    found = baseline_of(label, raw[:_MAX_BYTES])
    text = _git(folder, "show", f"{short}:./{config.path.name}")
    if text is None:
        return found
    held = parse_config(Path(f"{revision}:{config.path.name}"), text).budgets.held
    maxima = {budget.key: budget.max_bytes for budget in held if budget.max_bytes is not None}
    reasons = {budget.key: budget.reason for budget in held}
    return replace(found, maxima=maxima, reasons=reasons)


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None where it refuses."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BoardlessError(f"git: {error}, expected git for a base git:REV") from error
    return done.stdout if done.returncode == 0 else None


def _table(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = document.get(key)
    return {str(name): row for name, row in value.items()} if isinstance(value, dict) else {}


def _entries(document: Mapping[str, object], key: str) -> Iterator[Mapping[str, object]]:
    value = document.get(key)
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            yield entry


def _tables(rows: Mapping[str, object]) -> Iterator[tuple[str, Mapping[str, object]]]:
    for name, row in rows.items():
        if isinstance(row, dict):
            yield name, row


def _figures(rows: Mapping[str, object], key: str) -> dict[str, int]:
    found = {name: _size(row.get(key)) for name, row in _tables(rows)}
    return {name: size for name, size in found.items() if size is not None}


def _sizes(value: object) -> dict[str, int]:
    entries = value.items() if isinstance(value, dict) else ()
    found = {_line(name): _size(size) for name, size in entries}
    return {name: size for name, size in found.items() if size is not None}


def _size(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_SIZE:
        return None
    return value


def _line(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return text if text.isprintable() else repr(text)


def _stacks(table: Mapping[str, object]) -> Stacks:
    paths = {
        _line(name): StackPath(_line(row.get("entry")), _size(row.get("worst")))
        for name, row in _tables(_table(table, "paths"))
    }
    functions = {
        _line(name): StackFrame(own, _size(row.get("worst")), _line(row.get("calls")))
        for name, row in _tables(_table(table, "functions"))
        if (own := _size(row.get("own"))) is not None
    }
    return Stacks(paths, functions)
