"""The device's decoder in C against the gateway's: the same code and command for any bytes."""

from __future__ import annotations

import random
import re
import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from boardless.gateway import cbor, command, small_json
from boardless.gateway.command import (
    LARGEST,
    PING,
    Command,
    CommandKind,
    Field,
    PacketError,
    ResponseCode,
    anim,
    led,
    servo,
)
from boardless.gateway.packets import (
    FLAG_JSON,
    FLAG_LONG_MAC,
    MOST_BODY,
    MOST_FRAME,
    VERSION,
    Encoding,
    Packet,
    decode,
    encode,
    frame,
    seal,
)
from tests.unit.gateway.host_program import FIRMWARE, build, run

HERE = Path(__file__).parent
KEY = bytes(range(32))
SOURCES = (
    *("apps/command/packet.c", "apps/command/command.c", "apps/command/command_cbor.c"),
    *("apps/command/command_json.c", "crypto/sha256.c", "crypto/hmac_sha256.c"),
)
Frame = tuple[int, bytes]  # last counter, bytes without the delimiter


@pytest.fixture(name="program", scope="module")
def program_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(HERE / "decode_frames.c", SOURCES, tmp_path_factory.mktemp("device"))


def expected_line(last: int, data: bytes) -> str | int:
    """The line for a command that is acted on, the code for any other."""
    try:
        packet = decode(data, KEY, last)
    except PacketError as error:
        return int(error.code)
    values = {Field.CMD: int(packet.command.kind), **packet.command.values}
    present = sum(1 << field for field in values)
    fields = " ".join(str(values.get(field, 0)) for field in Field)
    return f"0 {packet.counter} {present} {fields}"


def compare(program: Path, frames: list[Frame]) -> Counter[int]:
    given = KEY + b"".join(struct.pack("<II", last, len(data)) + data for last, data in frames)
    lines = run(program, given)
    assert len(lines) == len(frames)
    for line, (last, data) in zip(lines, frames, strict=True):
        expected = expected_line(last, data)
        found = line if isinstance(expected, str) else int(line.split()[0])
        assert found == expected, data.hex()
    return Counter(int(line.split()[0]) for line in lines)


def random_command(chance: random.Random) -> Command:
    number = chance.randrange(4)
    duration = chance.choice([1, 23, 24, 255, 256, 65_535, 65_536, LARGEST[Field.DUR]])
    choices = (
        anim(chance.randrange(256), duration),
        servo(chance.randrange(181), duration),
        led(chance.randrange(1 << 24), duration),
        PING,
    )
    return choices[number]


def hostile(chance: random.Random, count: int) -> Iterator[Frame]:
    """Good packets, damaged ones, signed bodies that are none, and noise."""
    for _ in range(count):
        good = encode(
            Packet(chance.randrange(1, 9), random_command(chance)),
            KEY,
            chance.choice(list(Encoding)),
            chance.choice([16, 32]),
        )[:-1]
        kind = chance.randrange(7)
        if kind == 0:
            yield chance.randrange(6), good
        elif kind == 1:
            cut = bytearray(good)
            cut[chance.randrange(len(cut))] = chance.randrange(256)
            yield 0, bytes(cut[: chance.randrange(len(cut)) + 1])
        elif kind == 2:
            yield 0, chance.randbytes(chance.randrange(MOST_FRAME + 8))
        elif kind == 3:
            yield 0, frame(chance.randbytes(chance.randrange(MOST_FRAME)))[:-1]
        elif kind == 4:
            yield 0, encode(Packet(1, PING), chance.randbytes(32))[:-1]
        else:
            yield 0, mutated(chance)


def mutated(chance: random.Random) -> bytes:
    """A body that was changed before it was signed."""
    version = VERSION | chance.choice([0, FLAG_JSON]) | chance.choice([0, FLAG_LONG_MAC])
    writer = small_json if version & FLAG_JSON else cbor
    body = bytearray(writer.encode(random_command(chance)))
    for _ in range(chance.randrange(3)):
        place = chance.randrange(len(body))
        change = chance.randrange(4)
        if change == 0:
            body[place] = chance.choice(b'0123456789{}:," acdeilmnopstvrgu\x18\x19\x1a\xa1\xff')
        elif change == 1:
            body.insert(place, chance.choice(b' 0{",:\x00\x18'))
        elif change == 2:
            body[place:place] = body[place : place + chance.randrange(1, 9)]
        elif len(body) > 1:
            del body[place]
    return seal(version, chance.randrange(1, 9), bytes(body[: MOST_BODY + 2]), KEY)[:-1]


@pytest.mark.long
def test_both_say_the_same_of_a_hundred_thousand_packets(program: Path) -> None:
    seen = compare(program, list(hostile(random.Random(15), 100_000)))
    wanted = set(ResponseCode) - {ResponseCode.BUSY, ResponseCode.NO_KEY, ResponseCode.VERSION}
    assert wanted <= set(seen)  # the set reaches every refusal that a frame alone can earn
    assert seen[ResponseCode.OK] > 1000


def test_both_say_the_same_of_every_version(program: Path) -> None:
    frames = [(0, seal(version, 1, cbor.encode(PING), KEY)[:-1]) for version in range(256)]
    assert compare(program, frames)[ResponseCode.VERSION] == 252


def enum_of(header: str, prefix: str) -> dict[str, int]:
    text = (FIRMWARE / "apps" / "command" / header).read_text()
    return {name: int(value) for name, value in re.findall(rf"{prefix}(\w+) = (\d+)[,\s]", text)}


def test_the_schema_stands_in_both_places() -> None:
    numbers = enum_of("command.h", "COMMAND_")
    for each in CommandKind:
        assert numbers[each.name] == each
    for field in Field:
        assert numbers[f"FIELD_{field.name}"] == field
    for code in ResponseCode:
        assert numbers[code.name] == code
    assert len(numbers) == len(CommandKind) + len(Field) + len(ResponseCode)
    assert command.LARGEST[Field.CMD] == max(CommandKind)
