"""What the device does when something happens: a TOML file, read once.

    [link]
    form = "cbor"      # or "json"
    mac = 16           # bytes; 32 where the line has room

    [[on]]
    event = "jump"
    command = "anim"
    id = 1
    dur = 1000
    least-score = 25   # percent

Credentials never stand in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boardless.gateway.command import FIELDS, Command, CommandKind, PacketError
from boardless.gateway.event import EventKind, SceneEvent
from boardless.gateway.packets import LONG_MAC, SHORT_MAC, Encoding
from boardless.project.toml_table import TomlTable
from boardless_sim.errors import ConfigError
from boardless_sim.files import read_text

_FORMS = {form.name.lower(): form for form in Encoding}
_EVENTS = {kind.value: kind for kind in EventKind}
_KINDS = {kind.name.lower(): kind for kind in CommandKind}


@dataclass(frozen=True)
class Rule:
    """The command that an event leads to, and the least score that it needs."""

    command: Command
    least_score: float


@dataclass(frozen=True)
class Reactions:
    """All rules, in the order of the file, and how packets are written."""

    rules: Mapping[EventKind, tuple[Rule, ...]]
    form: Encoding
    mac_bytes: int

    def commands(self, event: SceneEvent) -> tuple[Command, ...]:
        """What an event leads to."""
        return tuple(
            rule.command
            for rule in self.rules.get(event.kind, ())
            if event.score >= rule.least_score
        )


_MOST_BYTES = 1 << 20


def load_mapping(path: Path) -> Reactions:
    """Read a file. Raises `ConfigError` with its name, what was found and what was expected."""
    text = read_text(path, "a mapping", ConfigError, _MOST_BYTES)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # its own, and those of thousands of digits
        raise ConfigError(f"{path}: {error}, expected TOML") from error
    top = TomlTable(path, "", content)
    link = top.table("link")
    form = _FORMS[link.choice("form", tuple(_FORMS), "cbor")]
    mac_bytes = link.count("mac") if link.has("mac") else SHORT_MAC
    if mac_bytes not in (SHORT_MAC, LONG_MAC):
        raise link.error(f"mac = {mac_bytes}, expected {SHORT_MAC} or {LONG_MAC}")
    link.close()
    rules: dict[EventKind, tuple[Rule, ...]] = {}
    for table in top.tables("on"):
        kind = _EVENTS[table.choice("event", tuple(_EVENTS))]
        rules[kind] = (*rules.get(kind, ()), _rule(table))
        table.close()
    top.close()
    if not rules:
        raise ConfigError(f"{path}: no [[on]], expected at least one event with its command")
    return Reactions(rules, form, mac_bytes)


def _rule(table: TomlTable) -> Rule:
    kind = _KINDS[table.choice("command", tuple(_KINDS))]
    values = {field: table.whole(field.name.lower()) for field in FIELDS[kind]}
    score = table.whole("least-score") if table.has("least-score") else 0
    if score > 100:
        raise table.error(f"least-score = {score}, expected 0 to 100 percent")
    try:
        return Rule(Command(kind, values), score / 100)
    except PacketError as error:
        raise table.error(str(error)) from error
