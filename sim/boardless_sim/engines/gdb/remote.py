"""The part of gdb's remote protocol that an engine needs, on a connected socket.

Every wait has a limit in host time. What makes no sense is an `EngineError` in the words of this
protocol; the engine adds its own name.
"""

from __future__ import annotations

import select
import socket
import time

from boardless_sim.errors import EngineError

_PACKET_BYTES = 1024  # of memory in one packet, twice as many characters; stubs take 4,000 or more
_LONGEST_PACKET = 1 << 16
_INTERRUPT = b"\x03"


class Refused(EngineError):
    """The target has nothing there; the connection is sound."""


class GdbRemote:
    """One connection to a gdb stub. `timeout_s` bounds each answer."""

    def __init__(self, link: socket.socket, timeout_s: float) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self._received = bytearray()
        link.setblocking(False)

    def fileno(self) -> int:
        """For `select`, while the target runs."""
        return self._link.fileno()

    # ---- state of the target ----

    def ask(self, command: str) -> str:
        """Send a command and return its answer."""
        self._send(command)
        return self._answer(command)

    def expect_ok(self, command: str) -> None:
        """Send a command that is answered by OK."""
        answer = self.ask(command)
        if answer != "OK":
            raise EngineError(f"gdb port answers {answer[:60]!r} to {command[:30]!r}, expected OK")

    def read_memory(self, address: int, size: int) -> bytes:
        """Bytes of memory or of a device."""
        found = bytearray()
        while len(found) < size:
            count = min(size - len(found), _PACKET_BYTES)
            answer = self.ask(f"m{address + len(found):x},{count:x}")
            data = b"" if answer.startswith("E") else _from_hex(answer)
            if len(data) != count:
                raise Refused(f"no memory of {size} bytes at {address:#010x}")
            found += data
        return bytes(found)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write memory."""
        for start in range(0, len(data), _PACKET_BYTES):
            part = data[start : start + _PACKET_BYTES]
            if self.ask(f"M{address + start:x},{len(part):x}:{part.hex()}") != "OK":
                raise Refused(f"no memory to write {len(data)} bytes at {address:#010x}")

    def read_register(self, number: int) -> int:
        """A register by the number that the stub's description gives it."""
        answer = self.ask(f"p{number:x}")
        data = _from_hex(answer)
        if len(data) != 4:
            raise EngineError(f"gdb port answers {answer[:60]!r} for register {number}")
        return int.from_bytes(data, "little")

    def set_breakpoint(self, address: int) -> None:
        """Stop before the instruction at an address."""
        self.expect_ok(f"Z0,{address:x},2")

    def clear_breakpoint(self, address: int) -> None:
        """No longer stop there."""
        self.expect_ok(f"z0,{address:x},2")

    # ---- running ----

    def resume(self) -> None:
        """Let the target run; its stop is told by `stop_within`."""
        self._send("c")

    def step(self) -> None:
        """Execute one instruction."""
        self._send("s")
        self._answer("s")

    def interrupt(self) -> None:
        """Ask a running target to stop; harmless where it has just stopped."""
        self._write(_INTERRUPT)

    def stop_within(self, seconds: float) -> bool:
        """Whether the target stopped within that time."""
        answer = self._packet_within(seconds)
        if answer is None:
            return False
        if answer[:1] not in ("T", "S"):
            raise EngineError(f"gdb port says {answer[:60]!r}, expected why the target stopped")
        return True

    def wait_for_stop(self) -> None:
        """The target was told to stop: it must."""
        if not self.stop_within(self._timeout_s):
            raise EngineError(f"does not stop within {self._timeout_s:g} s of being told to")

    # ---- packets ----

    def _answer(self, command: str) -> str:
        answer = self._packet_within(self._timeout_s)
        if answer is None:
            raise EngineError(
                f"no answer on the gdb port to {command[:30]!r} within {self._timeout_s:g} s"
            )
        return answer

    def _send(self, payload: str) -> None:
        data = payload.encode("ascii")
        self._write(b"$%s#%02x" % (data, sum(data) & 0xFF))

    def _write(self, data: bytes) -> None:
        deadline = time.monotonic() + self._timeout_s
        while data:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([], [self._link], [], left_s)[1]:
                raise EngineError(f"gdb port takes no data within {self._timeout_s:g} s")
            try:
                data = data[self._link.send(data) :]
            except OSError as error:
                raise EngineError("gdb port closed") from error

    def _packet_within(self, seconds: float) -> str | None:
        deadline = time.monotonic() + seconds
        while (packet := self._take_packet()) is None:
            left_s = max(deadline - time.monotonic(), 0.0)
            if not select.select([self._link], [], [], left_s)[0]:
                return None
            self._receive()
        self._write(b"+")
        return packet

    def _receive(self) -> None:
        try:
            data = self._link.recv(1 << 16)
        except OSError as error:
            raise EngineError("gdb port closed") from error
        if not data:
            raise EngineError("gdb port closed")
        self._received += data

    def _take_packet(self) -> str | None:
        """The first whole packet that was received, checked."""
        received = self._received
        while received[:1] == b"+":
            del received[:1]
        if received and received[:1] != b"$":
            raise EngineError(f"gdb port says {bytes(received[:40])!r}, expected a packet ($…#..)")
        end = received.find(b"#")
        if end < 0 or len(received) < end + 3:
            if len(received) > _LONGEST_PACKET:
                raise EngineError(f"gdb port sent {len(received)} bytes without an end")
            return None
        payload, digits = bytes(received[1:end]), bytes(received[end + 1 : end + 3])
        del received[: end + 3]
        if digits.lower() != b"%02x" % (sum(payload) & 0xFF):
            raise EngineError(f"gdb port: wrong checksum of packet {payload[:40]!r}")
        return payload.decode("latin-1")


def _from_hex(answer: str) -> bytes:
    try:
        return bytes.fromhex(answer)
    except ValueError as error:
        raise EngineError(f"gdb port says {answer[:60]!r}, expected hex digits") from error
