"""The remote protocol, byte by byte, against a scripted other end."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from boardless_sim.engines.gdb.remote import GdbRemote, Refused
from boardless_sim.errors import EngineError


@pytest.fixture(name="ends")
def ends_fixture() -> Iterator[tuple[GdbRemote, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield GdbRemote(here, timeout_s=0.2), there


def packet(payload: bytes) -> bytes:
    return b"$%s#%02x" % (payload, sum(payload) & 0xFF)


def test_memory_is_read_in_hex(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.sendall(b"+" + packet(b"00ff10"))
    assert gdb.read_memory(0x2000_0000, 3) == b"\x00\xff\x10"
    assert there.recv(100) == packet(b"m20000000,3") + b"+"


def test_memory_is_written_in_pieces(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.sendall(packet(b"OK") + packet(b"OK"))
    gdb.write_memory(0x2000_0000, bytes(1025))
    sent = there.recv(1 << 16)
    assert sent.startswith(b"$M20000000,400:0000")
    assert b"$M20000400,1:00#" in sent


def test_a_register_is_little_endian(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.sendall(packet(b"78563412"))
    assert gdb.read_register(15) == 0x1234_5678


def test_a_packet_may_come_in_two(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.sendall(b"$T05thre")
    assert not gdb.stop_within(0.0)
    there.sendall(b"ad:01;#07")
    assert gdb.stop_within(0.0)


def test_no_memory_is_a_refusal_and_no_end(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.sendall(packet(b"E14"))
    with pytest.raises(Refused, match="no memory of 4 bytes at 0x30000000"):
        gdb.read_memory(0x3000_0000, 4)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"hello", "gdb port says b'hello', expected a packet"),
        (b"$OK#00", "wrong checksum of packet b'OK'"),
        (packet(b"zz"), "gdb port says 'zz', expected hex digits"),
        (packet(b"12"), "gdb port answers '12' for register 15"),
        (b"", "no answer on the gdb port to 'pf' within 0.2 s"),
        (b"$" + b"x" * 70_000, "bytes without an end"),
    ],
)
def test_what_makes_no_sense_is_named(
    ends: tuple[GdbRemote, socket.socket], sent: bytes, message: str
) -> None:
    gdb, there = ends
    there.sendall(sent)
    with pytest.raises(EngineError) as caught:
        gdb.read_register(15)
    assert message in str(caught.value)


def test_a_closed_port_is_named(ends: tuple[GdbRemote, socket.socket]) -> None:
    gdb, there = ends
    there.shutdown(socket.SHUT_WR)
    with pytest.raises(EngineError, match="gdb port closed"):
        gdb.ask("?")
    there.close()
    with pytest.raises(EngineError, match="gdb port closed"):
        gdb.ask("?")
