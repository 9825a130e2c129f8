"""A command as CBOR: one map of unsigned integers, decoded strictly.

Deterministic encoding (RFC 8949, 4.2.1): shortest form, keys ascending, definite length. Nothing
else is taken: no text, no float, no tag, no byte behind the map.
"""

from __future__ import annotations

from boardless.gateway.command import Command, Field, PacketError, ResponseCode, command_of

_MAP, _UNSIGNED = 5, 0
_MOST_ENTRIES = len(Field)
_WIDTHS = {24: (1, 24), 25: (2, 1 << 8), 26: (4, 1 << 16)}  # bytes, the least that needs them


def encode(command: Command) -> bytes:
    """The only encoding of a command."""
    entries = sorted({Field.CMD: int(command.kind), **command.values}.items())
    head = _head(_MAP, len(entries))
    return head + b"".join(_head(_UNSIGNED, part) for entry in entries for part in entry)


def decode(body: bytes) -> Command:
    """Read one command. Raises `PacketError`."""
    count, place = _read(body, 0, _MAP)
    if count > _MOST_ENTRIES:
        raise _malformed(f"a map of {count}, expected at most {_MOST_ENTRIES}")
    pairs: list[tuple[int, int]] = []
    for _ in range(count):
        key, place = _read(body, place, _UNSIGNED)
        value, place = _read(body, place, _UNSIGNED)
        if pairs and key <= pairs[-1][0]:
            raise _malformed(f"key {key} behind {pairs[-1][0]}, expected ascending ones")
        pairs.append((key, value))
    if place != len(body):
        raise _malformed(f"{len(body) - place} bytes behind the map, expected none")
    return command_of(pairs)


def _head(major: int, value: int) -> bytes:
    for low, (width, least) in reversed(_WIDTHS.items()):
        if value >= least:
            return bytes([major << 5 | low]) + value.to_bytes(width, "big")
    return bytes([major << 5 | value])


def _read(body: bytes, place: int, major: int) -> tuple[int, int]:
    if place >= len(body):
        raise _malformed("ends early, expected more")
    low = body[place] & 0x1F
    if body[place] >> 5 != major:
        raise _malformed(f"byte {body[place]:#04x} at {place}, expected major type {major}")
    if low < 24:
        return low, place + 1
    width, least = _WIDTHS.get(low, (0, 0))
    value = int.from_bytes(body[place + 1 : place + 1 + width], "big")
    if not width or place + 1 + width > len(body) or value < least:
        raise _malformed(f"byte {body[place]:#04x} at {place}, expected the shortest form")
    return value, place + 1 + width


def _malformed(text: str) -> PacketError:
    return PacketError(ResponseCode.MALFORMED, f"CBOR {text}")
