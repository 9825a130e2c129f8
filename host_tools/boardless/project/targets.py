"""`[[target]]`: several ELFs of one project, each held to what all share and to what is its own.

    [budget.stack]                  # of every target
    max = "4K"

    [[target]]
    name = "application"
    elf = "build/app.elf"
    budget.region.FLASH.max = "448K"

    [[target]]                      # one target an ELF, named as its file
    elf = "build/tests/*.elf"

A target's own keys go before the file's; entries with a `name` (`[[budget.size]]`) by their name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from boardless.project.config import Config, config_of, read_toml
from boardless.project.toml_table import TomlTable
from boardless_sim.errors import ConfigError

_OWN = ("name", "elf")


@dataclass(frozen=True)
class Target:
    """One ELF and what it is held to."""

    name: str
    elf: Path
    config: Config


def load_targets(path: Path) -> tuple[Target, ...]:
    """Every target of a file, in its order; none where it has no such table."""
    return targets_of(path, read_toml(path))


def targets_of(path: Path, values: dict[str, object]) -> tuple[Target, ...]:
    """The same of a file that is read. Raises `ConfigError`."""
    shared = {key: value for key, value in values.items() if key != "target"}
    found: dict[str, Target] = {}
    for entry in TomlTable(path, "", values).tables("target"):
        for target in _targets(path, entry, shared):
            if target.name in found:
                raise entry.error(f"name: found {target.name!r} again, expected each once")
            found[target.name] = target
    return tuple(found.values())


def _targets(path: Path, entry: TomlTable, shared: dict[str, object]) -> Iterator[Target]:
    name, elf = entry.text("name"), entry.required_text("elf")
    own = {key: entry.value(key) for key in entry.names() if key not in _OWN}
    try:
        config = config_of(path, _merged(shared, own))
    except ConfigError as error:
        raise ConfigError(f"{error} (target {name or elf!r})") from error
    if not any(sign in elf for sign in "*?["):
        yield _target(name or Path(elf).stem, path.parent / elf, config)
        return
    files = sorted(file for file in path.parent.glob(elf) if file.is_file())
    if not files:
        raise entry.error(f"elf: nothing matches {elf!r}, expected built ELFs")
    for file in files:
        yield _target(file.stem if name is None else f"{name}-{file.stem}", file, config)


def _target(name: str, elf: Path, config: Config) -> Target:
    return Target(name, elf, replace(config, target=name))


def _merged(shared: dict[str, object], own: dict[str, object]) -> dict[str, object]:
    found = dict(shared)
    for key, value in own.items():
        before = found.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            value = _merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            value = _by_name(before, value)
        found[key] = value
    return found


def _by_name(shared: list[object], own: list[object]) -> list[object]:
    """Entries of both; an own one of a name takes the place of the shared one."""
    names = {entry["name"] for entry in own if isinstance(entry, dict) and "name" in entry}
    if not all(isinstance(entry, dict) for entry in (*shared, *own)):
        return own
    return [e for e in shared if isinstance(e, dict) and e.get("name") not in names] + own
