"""What a device can be told: the one schema of commands, on the wire as CBOR or as small JSON.

firmware/apps/command/command.h says the same in C; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from boardless_sim.errors import BoardlessError


class CommandKind(IntEnum):
    """The commands, by their numbers on the wire."""

    ANIM = 0
    SERVO = 1
    LED = 2
    STOP = 3
    PING = 4
    STATUS = 5


class Field(IntEnum):
    """The fields, by their keys in CBOR."""

    CMD = 0
    ID = 1
    DUR = 2
    ANGLE = 3
    RGB = 4


# The largest value of each; the least is 0, of a duration 1. ms, degrees, 0xRRGGBB.
LARGEST: Mapping[Field, int] = {
    Field.CMD: max(CommandKind),
    Field.ID: 255,
    Field.DUR: 3_600_000,
    Field.ANGLE: 180,
    Field.RGB: 0xFF_FFFF,
}
# A command has exactly these fields besides `cmd`.
FIELDS: Mapping[CommandKind, tuple[Field, ...]] = {
    CommandKind.ANIM: (Field.ID, Field.DUR),
    CommandKind.SERVO: (Field.DUR, Field.ANGLE),
    CommandKind.LED: (Field.DUR, Field.RGB),
    CommandKind.STOP: (),
    CommandKind.PING: (),
    CommandKind.STATUS: (),
}


class ResponseCode(IntEnum):
    """What the device answers; only OK was acted on."""

    OK = 0
    REPEATED = 1  # the counter of the last one that was acted on: its answer was lost
    OLD = 2
    DAMAGED = 3  # COBS or CRC: noise on the line
    TOO_LONG = 4
    VERSION = 5
    UNSIGNED = 6  # another key, or none
    MALFORMED = 7  # signed, but no command
    RANGE = 8  # a command with a value that the schema or the device does not have
    BUSY = 9  # the counter's Flash is full until it is erased
    NO_KEY = 10


class PacketError(BoardlessError):
    """What the device would not act on, with its code."""

    def __init__(self, code: ResponseCode, message: str) -> None:
        super().__init__(f"{message} ({code.name.lower()})")
        self.code = code


@dataclass(frozen=True)
class Command:
    """One command: its kind and exactly the fields that the kind has."""

    kind: CommandKind
    values: Mapping[Field, int]

    def __post_init__(self) -> None:
        expected = set(FIELDS[self.kind])
        if set(self.values) != expected:
            found = ", ".join(sorted(field.name.lower() for field in self.values)) or "none"
            names = ", ".join(field.name.lower() for field in FIELDS[self.kind]) or "none"
            raise PacketError(
                ResponseCode.MALFORMED,
                f"{self.kind.name.lower()}: fields {found}, expected {names}",
            )
        for field, value in self.values.items():
            least = 1 if field == Field.DUR else 0
            if not least <= value <= LARGEST[field]:
                raise PacketError(
                    ResponseCode.RANGE,
                    f"{self.kind.name.lower()}: {field.name.lower()} {value}, "
                    f"expected {least} to {LARGEST[field]}",
                )

    def __str__(self) -> str:
        fields = "".join(f" {field.name.lower()}={self.values[field]}" for field in self.values)
        return self.kind.name.lower() + fields


def anim(number: int, duration_ms: int) -> Command:
    """Play a stored animation."""
    return Command(CommandKind.ANIM, {Field.ID: number, Field.DUR: duration_ms})


def servo(angle: int, duration_ms: int) -> Command:
    """Turn the servo, and hold it."""
    return Command(CommandKind.SERVO, {Field.DUR: duration_ms, Field.ANGLE: angle})


def led(rgb: int, duration_ms: int) -> Command:
    """Colour the LED."""
    return Command(CommandKind.LED, {Field.DUR: duration_ms, Field.RGB: rgb})


STOP, PING, STATUS = (
    Command(kind, {}) for kind in (CommandKind.STOP, CommandKind.PING, CommandKind.STATUS)
)


def command_of(pairs: Sequence[tuple[int, int]]) -> Command:
    """The command of a decoded map. Raises `PacketError`."""
    fields = [key for key, _ in pairs]
    if len(set(fields)) != len(fields):
        raise PacketError(ResponseCode.MALFORMED, "a field twice, expected each once")
    known = {field.value for field in Field}
    if Field.CMD not in fields or not known.issuperset(fields):
        raise PacketError(ResponseCode.MALFORMED, f"fields {fields}, expected cmd and its own")
    values = dict(pairs)
    kind = values.pop(Field.CMD)
    if kind not in {each.value for each in CommandKind}:
        raise PacketError(ResponseCode.MALFORMED, f"cmd {kind}, expected 0 to {max(CommandKind)}")
    return Command(CommandKind(kind), {Field(key): value for key, value in values.items()})
