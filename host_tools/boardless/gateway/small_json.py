"""A command as small JSON: one object of names and whole numbers, `cmd` as its name.

`{"cmd":"anim","id":5,"dur":1000}`. Spaces may stand between tokens; there are no escapes, signs,
fractions, exponents, leading zeros or nesting.
"""

from __future__ import annotations

import re

from boardless.gateway.command import (
    Command,
    CommandKind,
    Field,
    PacketError,
    ResponseCode,
    command_of,
)

_NAMES = {field.name.lower(): field for field in Field}
_KINDS = {kind.name.lower(): kind for kind in CommandKind}
_TOKEN = re.compile(rb' *([{}:,]|"[a-z]+"|0|[1-9][0-9]{0,9}) *')
_LARGEST = 0xFFFF_FFFF


def encode(command: Command) -> bytes:
    """Without a space."""
    fields = [f'"cmd":"{command.kind.name.lower()}"']
    fields += [f'"{field.name.lower()}":{value}' for field, value in sorted(command.values.items())]
    return ("{" + ",".join(fields) + "}").encode()


def decode(body: bytes) -> Command:
    """Read one command. Raises `PacketError`."""
    tokens = _tokens(body)
    if len(tokens) < 2 or tokens[0] != "{" or tokens[-1] != "}" or len(tokens) % 4 != 1:
        raise _malformed("is no object, expected {...}")
    pairs = []
    for place in range(1, len(tokens), 4):
        key, colon, value, comma = tokens[place : place + 4]
        last = place + 4 == len(tokens)
        if colon != ":" or comma != ("}" if last else ","):
            raise _malformed(f"has no field at token {place}, expected one")
        pairs.append((_field(key), _value(key, value)))
    if len(pairs) > len(Field):
        raise _malformed(f"has {len(pairs)} fields, expected at most {len(Field)}")
    return command_of(pairs)


def _tokens(body: bytes) -> list[str]:
    found, place = [], 0
    while place < len(body):
        match = _TOKEN.match(body, place)
        if match is None:
            raise _malformed(f"has an unknown byte at {place}, expected a token")
        found.append(match[1].decode("ascii"))
        place = match.end()
    return found


def _field(key: str) -> Field:
    field = _NAMES.get(key[1:-1]) if key.startswith('"') else None
    if field is None:
        raise _malformed(f"has a field {key}, expected one of {', '.join(_NAMES)}")
    return field


def _value(key: str, value: str) -> int:
    if key == '"cmd"':
        kind = _KINDS.get(value[1:-1]) if value.startswith('"') else None
        if kind is None:
            raise _malformed(f"has cmd {value}, expected one of {', '.join(_KINDS)}")
        return kind
    if not value.isdecimal() or int(value) > _LARGEST:
        raise _malformed(f"has {key} {value}, expected a whole number below 2^32")
    return int(value)


def _malformed(text: str) -> PacketError:
    return PacketError(ResponseCode.MALFORMED, f"JSON {text}")
