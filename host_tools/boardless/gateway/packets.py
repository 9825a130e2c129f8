"""Packets: a counter and a command, signed, with a CRC, framed by COBS.

    version and flags 1 | counter 4, little-endian | body | MAC 16 or 32 | CRC 2, little-endian

The MAC is HMAC-SHA256 over all that stands before it, cut to 16 bytes on a slow line. The CRC
(CRC-16/IBM-3740) tells noise from forgery before a MAC is computed. COBS leaves no zero in the
frame; a zero ends it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from binascii import crc_hqx
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from boardless.gateway import cbor, small_json
from boardless.gateway.command import Command, PacketError, ResponseCode
from boardless_sim.errors import BoardlessError, ConfigError
from boardless_sim.files import read_file

VERSION = 0x01
FLAG_JSON, FLAG_LONG_MAC = 0x10, 0x20
KEY_BYTES = 32
_MOST_KEY_FILE = 4096
COUNTER_BYTES, CRC_BYTES = 4, 2
SHORT_MAC, LONG_MAC = 16, 32
MOST_BODY = 64
LARGEST_COUNTER = 0xFFFF_FFFF
DELIMITER = 0
_HEAD_BYTES = 1 + COUNTER_BYTES
MOST_FRAME = _HEAD_BYTES + MOST_BODY + LONG_MAC + CRC_BYTES + 1  # COBS adds one; no delimiter
_GROUP = 254  # COBS: bytes without a zero that one code byte covers


class Encoding(Enum):
    """How the body is written."""

    CBOR = 0
    JSON = FLAG_JSON


@dataclass(frozen=True)
class Packet:
    """What a valid packet says."""

    counter: int
    command: Command


def encode(
    packet: Packet, key: bytes, form: Encoding = Encoding.CBOR, mac_bytes: int = SHORT_MAC
) -> bytes:
    """The frame with its delimiter."""
    flags = form.value | (FLAG_LONG_MAC if mac_bytes == LONG_MAC else 0)
    body = (cbor if form is Encoding.CBOR else small_json).encode(packet.command)
    return seal(VERSION | flags, packet.counter, body, key)


def seal(version: int, counter: int, body: bytes, key: bytes) -> bytes:
    """Sign and frame any body: tests make with it what `encode` never would."""
    signed = bytes([version]) + counter.to_bytes(COUNTER_BYTES, "little") + body
    sealed = signed + _mac(signed, key, _mac_bytes(version))
    return frame(sealed + crc16(sealed).to_bytes(CRC_BYTES, "little"))


def decode(data: bytes, key: bytes, last: int) -> Packet:
    """Read one frame without its delimiter, as the device does in the same order.

    `last`: the counter that was last acted on, 0 for none. Raises `PacketError`.
    """
    if len(data) > MOST_FRAME:
        raise PacketError(
            ResponseCode.TOO_LONG, f"{len(data)} bytes, expected at most {MOST_FRAME}"
        )
    raw = unframe(data)
    if len(raw) < _HEAD_BYTES + SHORT_MAC + CRC_BYTES:
        raise PacketError(ResponseCode.DAMAGED, f"{len(raw)} bytes, expected more")
    sealed, crc = raw[:-CRC_BYTES], int.from_bytes(raw[-CRC_BYTES:], "little")
    if crc16(sealed) != crc:
        raise PacketError(ResponseCode.DAMAGED, f"CRC {crc:#06x}, expected {crc16(sealed):#06x}")
    version, mac_bytes = sealed[0], _mac_bytes(sealed[0])
    if version & ~(FLAG_JSON | FLAG_LONG_MAC) != VERSION:
        raise PacketError(ResponseCode.VERSION, f"version {version:#04x}, expected {VERSION:#04x}")
    if len(sealed) < _HEAD_BYTES + mac_bytes or len(sealed) - mac_bytes > _HEAD_BYTES + MOST_BODY:
        raise PacketError(ResponseCode.TOO_LONG, f"{len(sealed)} bytes, expected a body of 0 to 64")
    signed, mac = sealed[:-mac_bytes], sealed[-mac_bytes:]
    if not hmac.compare_digest(_mac(signed, key, mac_bytes), mac):
        raise PacketError(ResponseCode.UNSIGNED, "MAC differs, expected one by this key")
    counter = int.from_bytes(signed[1:_HEAD_BYTES], "little")
    if counter <= last:
        code = ResponseCode.REPEATED if counter == last else ResponseCode.OLD
        raise PacketError(code, f"counter {counter}, expected more than {last}")
    form = small_json if version & FLAG_JSON else cbor
    return Packet(counter, form.decode(signed[_HEAD_BYTES:]))


def frame(data: bytes) -> bytes:
    """COBS, and the delimiter behind it."""
    out = bytearray()
    # A group of 254 bytes at the very end is followed by an empty one, as the decoder expects.
    for part in data.split(b"\x00"):
        while len(part) >= _GROUP:
            out += bytes([_GROUP + 1]) + part[:_GROUP]
            part = part[_GROUP:]
        out += bytes([len(part) + 1]) + part
    return bytes(out) + bytes([DELIMITER])


def unframe(data: bytes) -> bytes:
    """Undo COBS; `data` is a frame without its delimiter. Raises `PacketError`."""
    out, place = bytearray(), 0
    while place < len(data):
        code = data[place]
        group = data[place + 1 : place + code]
        if not code or len(group) != code - 1 or 0 in group:
            raise PacketError(
                ResponseCode.DAMAGED, f"COBS code {code} at {place}, expected its group"
            )
        out += group
        place += code
        if code <= _GROUP and place < len(data):
            out.append(0)
    return bytes(out)


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740: polynomial 0x1021, starts at 0xFFFF, nothing reflected."""
    return crc_hqx(data, 0xFFFF)


def new_key() -> bytes:
    """A key from the system's randomness."""
    return secrets.token_bytes(KEY_BYTES)


def save_key(path: Path, key: bytes) -> None:
    """Write a key as hex, readable by its owner only; a file that is there stays."""
    save_secret(path, key.hex() + "\n")


def save_secret(path: Path, text: str) -> None:
    """Write a new file, readable by its owner only. Raises `BoardlessError`."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text)
    except OSError as error:
        raise BoardlessError(f"{path}: {error.strerror or error}, expected a new file") from error


def load_key(path: Path) -> bytes:
    """Read a key. Raises `ConfigError`; the message never holds what the file does."""
    content = read_file(path, "a key file", ConfigError, _MOST_KEY_FILE)
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError as error:
        raise ConfigError(f"{path}: not hex, expected {KEY_BYTES} bytes as hex") from error
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{path}: {len(key)} bytes, expected {KEY_BYTES}")
    return key


def _mac(signed: bytes, key: bytes, size: int) -> bytes:
    return hmac.new(key, signed, hashlib.sha256).digest()[:size]


def _mac_bytes(version: int) -> int:
    return LONG_MAC if version & FLAG_LONG_MAC else SHORT_MAC
