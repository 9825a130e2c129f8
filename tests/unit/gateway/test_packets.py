from __future__ import annotations

import stat
from pathlib import Path

import pytest

from boardless.gateway import cbor, small_json
from boardless.gateway.command import (
    PING,
    STATUS,
    STOP,
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
    LONG_MAC,
    VERSION,
    Encoding,
    Packet,
    crc16,
    decode,
    encode,
    frame,
    load_key,
    new_key,
    save_key,
    seal,
    unframe,
)
from boardless_sim.errors import BoardlessError, ConfigError

KEY = bytes(range(32))
COMMANDS = [anim(5, 1000), servo(90, 500), led(0xFF8000, 1), STOP, PING, STATUS]


@pytest.mark.parametrize("command", COMMANDS, ids=str)
@pytest.mark.parametrize("form", Encoding)
@pytest.mark.parametrize("mac_bytes", [16, LONG_MAC])
def test_what_was_sent_arrives(command: Command, form: Encoding, mac_bytes: int) -> None:
    data = encode(Packet(7, command), KEY, form, mac_bytes)
    assert data[-1] == 0
    assert 0 not in data[:-1]
    assert decode(data[:-1], KEY, 6) == Packet(7, command)


def test_the_sizes_that_the_line_was_chosen_for() -> None:
    """32 bytes of JSON or 9 of CBOR; 34 on the line with its delimiter and 16 bytes of MAC."""
    command = anim(5, 1000)
    assert small_json.encode(command) == b'{"cmd":"anim","id":5,"dur":1000}'
    assert cbor.encode(command).hex() == "a3000001050219 03e8".replace(" ", "")
    assert len(encode(Packet(1, command), KEY)) == 34
    assert len(encode(Packet(1, command), KEY, mac_bytes=LONG_MAC)) == 50


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("", "ends early"),
        ("a1", "ends early"),
        ("a10004ff", "1 bytes behind"),
        ("a200040004", "ascending"),
        ("a20201 0004", "ascending"),
        ("a1001804", "shortest"),
        ("a100190004", "shortest"),
        ("bf0004ff", "shortest"),
        ("a100f97e00", "major type 0"),  # NaN
        ("a1636361 6d04", "major type 0"),  # a key of text
        ("a100c24104", "major type 0"),  # a bignum
        ("a1001b0000000000000004", "shortest"),
        ("a10020", "major type 0"),  # -1
        ("a20004 0501", "fields"),
        ("a10009", "cmd 9"),
        ("80", "major type 5"),
        ("b818", "expected at most 5"),
    ],
)
def test_cbor_that_is_no_command(body: str, why: str) -> None:
    with pytest.raises(PacketError, match=why) as caught:
        cbor.decode(bytes.fromhex(body))
    assert caught.value.code == ResponseCode.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        "", "{}", "[]", "{", '{"cmd":"ping"', '{"cmd":"ping"}}', '{"cmd":"ping",}',
        '{"cmd":"ping","cmd":"ping"}', '{"cmd":"fly"}', '{"cmd":4}', '{"id":1}',
        '{"cmd":"anim","id":05,"dur":1}', '{"cmd":"anim","id":-5,"dur":1}',
        '{"cmd":"anim","id":5.0,"dur":1}', '{"cmd":"anim","id":5e0,"dur":1}',
        '{"cmd":"anim","id":NaN,"dur":1}', '{"cmd":"anim","id":"5","dur":1}',
        '{"cmd":"anim","id":99999999999,"dur":1}', '{"cmd":"anim","id":5}',
        '{"cmd":"ping"}\n', '{"CMD":"ping"}', '{"cmd" "ping"}', '{"cmd":"ping" "id":1}',
        '{"cmd":"stop","dur":1}', '{"cmd":"pi\\u006eg"}',
    ],
)  # fmt: skip
def test_json_that_is_no_command(body: str) -> None:
    with pytest.raises(PacketError) as caught:
        small_json.decode(body.encode())
    assert caught.value.code == ResponseCode.MALFORMED


def test_spaces_may_stand_between_tokens() -> None:
    assert small_json.decode(b' { "cmd" : "anim" , "dur": 9,"id":1 } ') == anim(1, 9)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (CommandKind.ANIM, {Field.ID: 256, Field.DUR: 1}),
        (CommandKind.ANIM, {Field.ID: 0, Field.DUR: 0}),
        (CommandKind.SERVO, {Field.DUR: 1, Field.ANGLE: 181}),
        (CommandKind.LED, {Field.DUR: 1, Field.RGB: 1 << 24}),
        (CommandKind.LED, {Field.DUR: 3_600_001, Field.RGB: 0}),
    ],
)
def test_a_value_out_of_range(kind: CommandKind, values: dict[Field, int]) -> None:
    with pytest.raises(PacketError) as caught:
        Command(kind, values)
    assert caught.value.code == ResponseCode.RANGE


def code_of(data: bytes, last: int = 0, key: bytes = KEY) -> ResponseCode:
    with pytest.raises(PacketError) as caught:
        decode(data, key, last)
    return caught.value.code


def test_every_refusal_has_its_code() -> None:
    good = encode(Packet(7, PING), KEY)[:-1]
    assert code_of(good, last=7) == ResponseCode.REPEATED
    assert code_of(good, last=8) == ResponseCode.OLD
    assert code_of(good, key=bytes(32)) == ResponseCode.UNSIGNED
    assert code_of(good[:-1]) == ResponseCode.DAMAGED
    assert code_of(b"") == ResponseCode.DAMAGED
    assert code_of(b"\x01" * 105) == ResponseCode.TOO_LONG
    assert code_of(seal(0x02, 7, cbor.encode(PING), KEY)[:-1]) == ResponseCode.VERSION
    assert code_of(seal(0x41, 7, cbor.encode(PING), KEY)[:-1]) == ResponseCode.VERSION
    assert code_of(seal(VERSION, 7, b"\xff", KEY)[:-1]) == ResponseCode.MALFORMED
    assert (
        code_of(seal(VERSION, 7, bytes.fromhex("a3000001050200"), KEY)[:-1]) == ResponseCode.RANGE
    )
    assert code_of(seal(VERSION, 7, b"x" * 65, KEY)[:-1]) == ResponseCode.TOO_LONG


def test_any_flipped_bit_is_refused() -> None:
    good = encode(Packet(7, anim(5, 1000)), KEY)[:-1]
    for bit in range(8 * len(good)):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        assert code_of(bytes(flipped)) in (ResponseCode.DAMAGED, ResponseCode.TOO_LONG)


@pytest.mark.parametrize("size", [0, 1, 253, 254, 255, 508, 509, 600])
def test_cobs_gives_back_what_it_took(size: int) -> None:
    for data in (b"\x01" * size, b"\x00" * size, (b"\x00" + b"\x02" * 254) * (size // 255)):
        framed = frame(data)
        assert 0 not in framed[:-1]
        assert unframe(framed[:-1]) == data


@pytest.mark.parametrize("data", [b"\x00", b"\x03\x01", b"\x02\x00", b"\xff\x01"])
def test_cobs_that_is_none(data: bytes) -> None:
    with pytest.raises(PacketError, match="COBS"):
        unframe(data)


def test_the_check_value_of_the_crc() -> None:
    assert crc16(b"123456789") == 0x29B1  # CRC-16/IBM-3740 in the RevEng catalogue


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = new_key()
    save_key(path, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key
    with pytest.raises(BoardlessError, match="expected a new file"):
        save_key(path, key)


@pytest.mark.parametrize("text", ["", "00" * 31, "zz" * 32])
def test_no_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    with pytest.raises(ConfigError, match="expected") as caught:
        load_key(path)
    assert not text or text not in str(caught.value)
