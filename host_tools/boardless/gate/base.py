"""What a firmware is compared with: an earlier JSON, an earlier ELF, or a revision's budget.lock.

A base is never built here, and it is always said which one was used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from boardless.gate.diff import Baseline
from boardless.gate.figures import figure_rows
from boardless.gate.git import git
from boardless.gate.stack_bound import stack_bound
from boardless.gate.stack_diff import StackFrame, StackPath, Stacks
from boardless.project.budgets import Budget
from boardless.project.config import Config, config_of, parse_toml
from boardless.project.targets import targets_of
from boardless.size.measure import Measurement
from boardless_sim.errors import ConfigError
from boardless_sim.files import may_be_renewed, open_file, read_file
from boardless_sim.json_text import parse_json

LOCK = "budget.lock"
_MAX_BYTES = 64 << 20
_REVISION = re.compile(r"[\w.][\w./@{}^~+-]{0,199}", re.ASCII)
_MAX_SIZE = 1 << 40

Measure = Callable[[Path, Config], Measurement]


def load_base(text: str | None, image: Path, config: Config, measure: Measure) -> Baseline | None:
    """The base that `--base` names; without one, the budget.lock beside the config if it is there.

    Raises `BoardlessError` where a base is named and cannot be read, or is of another image; a
    lock of another image is none of this one's.
    """
    of = Identity(image.name, config.target)
    if text is None:
        lock = config.path.parent / LOCK
        return _of_lock(lock, of, config, measure) if lock.is_file() else None
    if text.startswith("git:"):
        return _of_revision(text.removeprefix("git:"), of, config)
    return _of_file(Path(text), of, config, measure)


@dataclass(frozen=True)
class Identity:
    """Which firmware a base must be of: its file's name, or the target's of several."""

    image: str = ""
    target: str = ""


class AnotherImage(ConfigError):
    """A base is of another firmware."""


def baseline_of(label: str, raw: bytes, of: Identity = Identity()) -> Baseline:
    """The figures in a `boardless budget --json`. Raises `ConfigError`: it may come from anyone."""
    document = parse_json(raw, label, "a boardless budget --json", ConfigError)
    if not isinstance(document, dict) or document.get("schema") != 1:
        found = document.get("schema") if isinstance(document, dict) else None
        raise ConfigError(f"{label}: schema {found!r:.40}, expected 1 (boardless budget --json)")
    document = _own_part(label, document, of)
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


def _own_part(label: str, document: dict[str, object], of: Identity) -> dict[str, object]:
    """The part of a base that is of a firmware. Raises `AnotherImage`."""
    targets = document.get("targets")
    if isinstance(targets, dict):
        found = targets.get(of.target) if of.target else None
        if isinstance(found, dict):
            return found
        known = ", ".join(_line(name) for name in targets)
        wanted = f"target {of.target!r}" if of.target else f"{of.image}, which is no target"
        raise AnotherImage(f"{label}: has {known or 'no target'}, expected {wanted}")
    image = str(document.get("image", "")).replace("\\", "/").rpartition("/")[2]
    if of.image and image and image != of.image:
        raise AnotherImage(f"{label}: is of {_line(image)}, expected a base of {of.image}")
    return document


def _of_lock(path: Path, of: Identity, config: Config, measure: Measure) -> Baseline | None:
    try:
        found = _of_file(path, of, config, measure)
    except AnotherImage:
        found = None
    may_be_renewed(path)
    return found


def _of_file(path: Path, of: Identity, config: Config, measure: Measure) -> Baseline:
    expected = "a base (JSON or ELF)"
    with open_file(path, expected, ConfigError) as stream:
        is_elf = stream.read(4) == b"\x7fELF"
    if is_elf:
        return _of_elf(path, config, measure)
    return baseline_of(str(path), read_file(path, expected, ConfigError, _MAX_BYTES), of)


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


def _of_revision(revision: str, of: Identity, config: Config) -> Baseline:
    if not _REVISION.fullmatch(revision):
        raise ConfigError(f"git:{revision!r:.80}: expected a revision, as git:main or git:HEAD^1")
    folder = config.path.parent
    commit = git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise ConfigError(f"git:{revision}: no such commit here, expected one (fetch it first)")
    short = commit.decode("ascii", "replace").strip()[:12]
    label = f"git:{revision} ({short}) {LOCK}"
    raw = git(folder, "show", f"{short}:./{LOCK}")
    if raw is None:
        raise ConfigError(
            f"git:{revision} ({short}): no {LOCK} beside {config.path}, expected one: "
            f"boardless budget ELF --json {LOCK}, committed"
        )
    found = baseline_of(label, raw[:_MAX_BYTES], of)
    text = git(folder, "show", f"{short}:./{config.path.name}")
    if text is None:
        return found
    held = _held_then(Path(f"{revision}:{config.path.name}"), text, of.target)
    maxima = {budget.key: budget.max_bytes for budget in held if budget.max_bytes is not None}
    reasons = {budget.key: budget.reason for budget in held}
    return replace(found, maxima=maxima, reasons=reasons)


def _held_then(path: Path, raw: bytes, target: str) -> tuple[Budget, ...]:
    """The budgets of a file as it was; of several targets those of one."""
    values = parse_toml(path, raw)
    if target:
        own = {each.name: each.config for each in targets_of(path, values)}
        if target in own:
            return own[target].budgets.held
    return config_of(path, values).budgets.held


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
