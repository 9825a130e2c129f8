"""A TOML table that remembers what was asked of it, so that a misspelt key is never ignored."""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

from boardless_sim.errors import ConfigError

_SIZE = re.compile(r"(\d{1,10})\s*(|B|K|KiB|M|MiB)", re.ASCII)
_BARE_KEY = re.compile(r"[\w-]{1,60}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UNITS = {"": 1, "B": 1, "K": 1 << 10, "KiB": 1 << 10, "M": 1 << 20, "MiB": 1 << 20}
_SIZE_FORMS = "bytes as 8192, '8K', '8 KiB' or '1M'"
MAX_SIZE = 1 << 32


class TomlTable:
    """One table of a file. Every complaint names the file, the key, what was found and expected."""

    def __init__(self, path: Path, name: str, values: dict[str, object] | None) -> None:
        self._path = path
        self._name = name
        self._values = values or {}
        self._asked: dict[str, None] = {}
        self.given = values is not None

    def error(self, text: str) -> ConfigError:
        """A complaint about this table."""
        where = f"[{self._name}] " if self._name else ""
        return ConfigError(f"{self._path}: {where}{text}")

    def names(self) -> tuple[str, ...]:
        """Its keys, in the file's order."""
        return tuple(self._values)

    def has(self, key: str) -> bool:
        """Whether the file gives the key."""
        return key in self._values

    def value(self, key: str) -> object:
        """A key's value as it is, for another reader."""
        return self._get(key)

    def leave(self, *keys: str) -> None:
        """Keys that another reader of this table takes."""
        self._asked |= dict.fromkeys(keys)

    def close(self) -> None:
        """Complain about the first key that nobody asked for."""
        for key in self._values:
            if key in self._asked:
                continue
            known = ", ".join(self._asked) or "no key"
            near = difflib.get_close_matches(key, self._asked, n=1)
            hint = f"expected {near[0]!r}?" if near else f"expected one of: {known}"
            where = f"[{self._name}] " if self._name else ""
            raise ConfigError(f"{self._path}: {where}unknown key {_short(key)}, {hint}")

    def text(self, key: str) -> str | None:
        """A text that is not empty, or None where the file has no such key."""
        value = self._get(key)
        if value is None:
            return None
        if not _is_line(value):
            raise self._wrong(key, value, "a text of one line")
        return value

    def required_text(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None:
            raise self.error(f"{key}: not there, expected a text")
        return value

    def choice(self, key: str, options: Sequence[str], default: str | None = None) -> str:
        """One of a few words."""
        value = self._get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in options:
            raise self._wrong(key, value, " or ".join(repr(option) for option in options))
        return value

    def texts(self, key: str, *, may_be_empty: bool = False) -> tuple[str, ...]:
        """One text or a list of them; empty where the file has no such key."""
        value = self._get(key)
        if value is None or (may_be_empty and value == []):
            return ()
        items = value if isinstance(value, list) else [value]
        texts = tuple(item for item in items if _is_line(item))
        if not texts or len(texts) != len(items):
            raise self._wrong(key, value, "a text or a list of texts")
        return texts

    def size(self, key: str) -> int:
        """A number of bytes that must be there."""
        value = self._get(key)
        if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
            value = int(match[1]) * _UNITS[match[2]]
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SIZE:
            raise self._wrong(key, value, _SIZE_FORMS)
        return value

    def optional_size(self, key: str) -> int | None:
        """A number of bytes, or None where the file has no such key."""
        if self.has(key):
            return self.size(key)
        self._asked[key] = None
        return None

    def count(self, key: str) -> int:
        """A number of times that must be there, at least one."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MAX_SIZE:
            raise self._wrong(key, value, "a number from 1")
        return value

    def whole(self, key: str) -> int:
        """A number that is not negative."""
        value = self._get(key)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._wrong(key, value, "a number from 0")
        return value

    def flag(self, key: str) -> bool | None:
        """true or false; None where the file has no such key."""
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    @property
    def folder(self) -> Path:
        """The file's folder, from which its paths go."""
        return self._path.parent

    def date(self, key: str) -> datetime.date:
        """A day that must be there: 2027-01-31, with quotes or without."""
        value = self._get(key)
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                value = datetime.date.fromisoformat(value)
            except ValueError:
                raise self._wrong(key, value, "a day that exists") from None
        if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime):
            raise self._wrong(key, value, "a day as 2027-01-31")
        return value

    def table(self, key: str) -> TomlTable:
        """A table inside this one; not `given` where the file has none."""
        value = self._get(key)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(key, value, "a table")
        return TomlTable(self._path, self._inner(key), value)

    def tables(self, key: str) -> tuple[TomlTable, ...]:
        """An array of tables; empty where the file has none."""
        value = self._get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, value, f"tables, each written [[{self._inner(key)}]]")
        return tuple(
            TomlTable(self._path, f"{self._inner(key)} {number}", item)
            for number, item in enumerate(value, 1)
        )

    def _inner(self, key: str) -> str:
        key = key if _BARE_KEY.fullmatch(key) else _short(key)
        return f"{self._name}.{key}" if self._name else key

    def _get(self, key: str) -> object:
        self._asked[key] = None
        return self._values.get(key)

    def _wrong(self, key: str, value: object, expected: str) -> ConfigError:
        found = "not there" if value is None else f"found {_short(value)}"
        where = f"[{self._name}] " if self._name else ""
        near = difflib.get_close_matches(key, self._values.keys() - self._asked, n=1)
        if value is None and near:
            return self.error(f"unknown key {_short(near[0])}, expected {key!r}?")
        return ConfigError(f"{self._path}: {where}{key}: {found}, expected {expected}")


def _is_line(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and value != "" and value.isprintable()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
