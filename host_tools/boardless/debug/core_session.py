"""A GDB at a core that a failed test has left: everything can be looked at, nothing runs."""

from __future__ import annotations

from collections.abc import Callable

from boardless.debug.describe import REGISTERS, XPSR, MapArea, memory_map_xml, target_xml
from boardless.debug.packets import MOST_BYTES, escaped
from boardless.debug.session import FAULT, OK, REFUSED, UNKNOWN, Client, Ending
from boardless.running.core_dump import CoreDump

_THUMB = 1 << 24  # GDB wants EPSR.T to see Thumb code
_STOPPED = b"T05thread:1;"
_RUNS = ("c", "s", "C", "S", "b", "vCont;")
_FLASH_END = 0x1000_0000
_FEATURES = (
    f"PacketSize={MOST_BYTES:x};qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;"
    "vContSupported+"
)


class CoreSession:
    """One client's, from its first packet to its last."""

    def __init__(self, core: CoreDump, client: Client) -> None:
        self._core, self._client = core, client
        self._words = {
            address: value
            for registers in core.devices.values()
            for address, value in registers.values()
        }
        self._ended: Ending | None = None

    def run(self) -> Ending:
        """Answer until the client detaches or kills. Raises `OSError` where it breaks off."""
        while self._ended is None:
            body = self._client.receive()
            if body == b"k":
                return Ending.KILLED
            self._client.send(_STOPPED if body is None else self._answer(body.decode("latin-1")))
            if body == b"QStartNoAckMode":
                self._client.acknowledges = False
        return self._ended

    def forget_stops(self) -> None:
        """A core has none."""

    def _answer(self, text: str) -> bytes:
        if text.startswith(_RUNS):
            said = "this is a core that a test left: it does not run\n"
            self._client.send(b"O" + said.encode().hex().encode())
            return _STOPPED
        handlers: dict[str, Callable[[str], bytes]] = {
            "?": lambda _: _STOPPED,
            "g": lambda _: b"".join(map(self._value, REGISTERS)).hex().encode(),
            "p": lambda text: self._value(int(text[1:], 16)).hex().encode(),
            "m": self._read,
            "H": lambda _: OK,
            "T": lambda text: OK if int(text[1:], 16) == 1 else REFUSED,
            "!": lambda _: OK,
            "D": lambda _: self._end(Ending.DETACHED),
            "q": self._query,
            "Q": lambda text: OK if text == "QStartNoAckMode" else UNKNOWN,
            "v": self._long,
        }
        handler = handlers.get(text[:1])
        try:
            # Breakpoints and writes are refused, not unknown: GDB would fall back to writing code.
            return (
                REFUSED if text[:1] in "GPMXZz" else UNKNOWN if handler is None else handler(text)
            )
        except (ValueError, KeyError, IndexError, OverflowError):
            return REFUSED

    def _end(self, ending: Ending) -> bytes:
        self._ended = ending
        return OK

    def _long(self, text: str) -> bytes:
        if text == "vCont?":
            return b"vCont;c;C;s;S"
        return self._end(Ending.KILLED) if text.startswith("vKill") else UNKNOWN

    def _value(self, number: int) -> bytes:
        register = REGISTERS[number]
        value = self._core.registers[register.name] | (_THUMB if number == XPSR else 0)
        return value.to_bytes(register.size, "little")

    # ---- memory ----

    def _read(self, text: str) -> bytes:
        address, size = (int(part, 16) for part in text[1:].split(","))
        found = self._bytes(address, min(size, MOST_BYTES // 2 - 8))
        return FAULT if found is None else found.hex().encode()

    def _bytes(self, address: int, size: int) -> bytes | None:
        for memory in self._core.memories:
            offset = address - memory.base
            if offset >= 0 and offset + size <= len(memory.data):
                return memory.data[offset : offset + size]
        words = [self._words.get(at) for at in range(address & ~3, address + size, 4)]
        if not words or None in words:
            return None
        data = b"".join(word.to_bytes(4, "little") for word in words if word is not None)
        return data[address & 3 :][:size]

    # ---- queries ----

    def _query(self, text: str) -> bytes:
        if text.startswith("qRcmd,"):
            return self._monitor(bytes.fromhex(text[6:]).decode()).encode().hex().encode() or OK
        if text.startswith("qXfer:"):
            _, what, _, _, place = text.split(":")
            offset, size = (int(part, 16) for part in place.split(","))
            document = {"features": target_xml, "memory-map": self._map}[what]().encode()
            last = offset + size >= len(document)
            return (b"l" if last else b"m") + escaped(document[offset : offset + size])
        return {
            "qSupported": _FEATURES.encode(),
            "qAttached": b"1",
            "qfThreadInfo": b"m1",
            "qsThreadInfo": b"l",
            "qC": b"QC1",
            "qThreadExtraInfo,1": self._core.chip.encode().hex().encode(),
        }.get(text.partition(":")[0], UNKNOWN)

    def _map(self) -> str:
        areas = [
            MapArea("rom" if memory.base < _FLASH_END else "ram", memory.base, len(memory.data))
            for memory in self._core.memories
            if memory.base < 0x4000_0000 and memory.data
        ]
        return memory_map_xml(areas)

    def _monitor(self, line: str) -> str:
        words = line.split()
        if words[:1] == ["peripherals"]:
            return self._peripherals(words[1:])
        if words[:1] == ["time"]:
            return f"{self._core.time_us:.3f} us\n"
        if words == ["fault"]:
            return "".join(f"{line}\n" for line in self._core.stands)
        if words[:1] in (["halt"], ["reset"]):
            return ""
        return "of a core: fault, time, peripherals [NAME]\n"

    def _peripherals(self, words: list[str]) -> str:
        if not words:
            return "".join(f"{name}\n" for name in self._core.devices)
        found = self._core.devices.get(words[0].upper())
        if found is None:
            return f"{words[0]!r}, expected one of: {', '.join(self._core.devices)}\n"
        return "".join(
            f"{at:#010x} {name:16} {value:#010x}\n" for name, (at, value) in found.items()
        )
