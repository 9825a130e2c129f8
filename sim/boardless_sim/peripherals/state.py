"""The state of devices, kept in memory and put back into the same devices.

A device's fields are kept as they are: values that never change by reference, containers with their
contents, and the parts that the device is made of (streams, interrupt lines, events, sensors) in
the same way. Another device, and the bus, are none of its parts; fields that its class lists as
`fixed_fields` are left out. Nothing is serialised, so that a device needs no code of its own for
this; a field whose state cannot be seen is refused by name.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np

from boardless_sim.errors import EngineError

_NEVER_CHANGES = (
    int, float, str, bytes, type(None), range, slice, frozenset, type, Enum, FunctionType,
    BuiltinFunctionType, partial,
)  # fmt: skip
_CONTAINERS = (list, deque, dict, set, bytearray)


@dataclass(frozen=True)
class _Contents:
    """A container, which stays the same object, and what it contained."""

    container: Any
    items: Any


@dataclass(frozen=True)
class _Array:
    """A numpy array and its values."""

    array: np.ndarray[Any, Any]
    values: np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Random:
    """A generator of random numbers and where it stood."""

    generator: random.Random
    state: object


@dataclass(frozen=True)
class Some:
    """Of an object, some fields only."""

    thing: object
    names: tuple[str, ...]


@dataclass(frozen=True)
class State:
    """Objects and the fields that they had."""

    fields: tuple[tuple[object, dict[str, object]], ...]

    def restore(self) -> None:
        """Give every object its fields back."""
        for thing, fields in self.fields:
            whole = not isinstance(thing, Some)
            target = thing.thing if isinstance(thing, Some) else thing
            restored = {name: _put_back(value) for name, value in fields.items()}
            if whole and hasattr(target, "__dict__"):
                later = target.__dict__.keys() - restored.keys()
                for name in later - set(getattr(type(target), "fixed_fields", ())):
                    del target.__dict__[name]
                target.__dict__.update(restored)
            else:
                for name, value in restored.items():
                    setattr(target, name, value)

    def of(self, thing: object) -> dict[str, object]:
        """The fields that one of the objects had, as they can be shown."""
        found = next(fields for kept, fields in self.fields if kept is thing)
        return {
            name: value.items if isinstance(value, _Contents) else value
            for name, value in found.items()
        }


def capture(roots: Iterable[object], is_outside: Callable[[object], bool]) -> State:
    """The state of some objects and their parts, without what is outside of them.

    Raises `EngineError` where a field has a state that cannot be kept.
    """
    return _Walk(is_outside).over(roots)


class _Walk:
    """From objects to their parts, each once."""

    def __init__(self, is_outside: Callable[[object], bool]) -> None:
        self._is_outside = is_outside
        self._seen: set[int] = set()
        self._waiting: list[object] = []

    def over(self, roots: Iterable[object]) -> State:
        """What the objects and their parts are now."""
        self._waiting = list(roots)
        self._seen = {id(root) for root in self._waiting}
        kept = []
        while self._waiting:
            thing = self._waiting.pop()
            kept.append((thing, self._fields(thing)))
        return State(tuple(kept))

    def _fields(self, thing: object) -> dict[str, object]:
        fields: dict[str, object] = {}
        seen = self._seen
        for name, value in _named(thing):
            if _known.get(type(value)) or id(value) in seen:
                fields[name] = value
            else:
                try:
                    fields[name] = self._kept(value)
                except TypeError:
                    raise EngineError(
                        f"{type(thing).__name__}.{name} is a {type(value).__name__}, whose state "
                        "cannot be kept: expected values, containers and objects with fields"
                    ) from None
        return fields

    def _kept(self, value: Any) -> object:
        """What to keep of a value; `TypeError` where nothing would do."""
        kind = type(value)
        if _never_changes(kind):
            return value
        if kind in _CONTAINERS:
            return _Contents(value, self._items(kind, value))
        if kind is tuple:
            if self._is_done(value):
                return value
            items = tuple(map(self._kept, value))
            return (
                items
                if any(new is not old for new, old in zip(items, value, strict=True))
                else value
            )
        if isinstance(value, np.ndarray):
            return _Array(value, value.copy()) if value.flags.writeable else value
        if isinstance(value, random.Random):
            return _Random(value, value.getstate())
        if isinstance(value, MethodType):
            self._visit(value.__self__)
        else:
            self._visit(value)
        return value

    def _items(self, kind: type, value: Any) -> object:
        if kind is bytearray:
            return bytes(value)
        if kind is dict:
            if _all_never_change(value.values()):
                return dict(value)
            if all(type(item) is tuple and self._is_done(item) for item in value.values()):
                return dict(value)
            return {key: self._kept(item) for key, item in value.items()}
        return tuple(value) if _all_never_change(value) else tuple(map(self._kept, value))

    def _is_done(self, values: tuple[object, ...]) -> bool:
        """Nothing in there is left to look at."""
        seen = self._seen
        for item in values:  # noqa: SIM110 - a generator takes twice as long
            if not _known.get(type(item)) and id(item) not in seen:
                return False
        return True

    def _visit(self, thing: object) -> None:
        if id(thing) in self._seen or self._is_outside(thing):
            return
        if not hasattr(thing, "__dict__") and not hasattr(type(thing), "__slots__"):
            raise TypeError
        self._seen.add(id(thing))
        self._waiting.append(thing)


def _named(thing: object) -> Iterable[tuple[str, object]]:
    if isinstance(thing, Some):
        return [(name, getattr(thing.thing, name)) for name in thing.names]
    fields = getattr(thing, "__dict__", None)
    if fields is not None:
        fixed = getattr(type(thing), "fixed_fields", ())  # fixed when the board was built
        return [item for item in fields.items() if item[0] not in fixed]
    names = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
    return [(name, getattr(thing, name)) for name in names if hasattr(thing, name)]


_known: dict[type, bool] = {}


def _never_changes(kind: type) -> bool:
    found = _known.get(kind)
    if found is None:
        frozen = is_dataclass(kind) and kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
        found = _known[kind] = frozen or issubclass(kind, _NEVER_CHANGES)
    return found


def _all_never_change(values: Iterable[object]) -> bool:
    return all(map(_never_changes, set(map(type, values))))


def _put_back(value: Any) -> object:
    if isinstance(value, _Contents):
        return _refill(value.container, value.items)
    if isinstance(value, _Array):
        value.array[...] = value.values
        return value.array
    if isinstance(value, _Random):
        value.generator.setstate(value.state)  # type: ignore[arg-type]
        return value.generator
    if type(value) is tuple:
        return tuple(_put_back(item) for item in value)
    return value


def _refill(container: Any, items: Any) -> object:
    if isinstance(container, bytearray):
        container[:] = items
        return container
    container.clear()
    if isinstance(container, dict):
        container.update((key, _put_back(item)) for key, item in items.items())
    elif isinstance(container, set):
        container.update(items)
    else:
        container.extend(_put_back(item) for item in items)
    return container
