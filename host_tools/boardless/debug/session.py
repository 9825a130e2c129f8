"""What each packet of a GDB means to the board."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from boardless.debug.describe import REGISTERS, XPSR, MapArea, memory_map_xml, target_xml
from boardless.debug.monitor import MonitorCommands
from boardless.debug.packets import MOST_BYTES, escaped, unescaped
from boardless.debug.stop_reply import stop_reply
from boardless.debug.target import DebugTarget, Stop, Why
from boardless.debug.threads import Threads
from boardless_sim.core.stops import WatchAccess, Watchpoint
from boardless_sim.errors import BoardlessError

OK, UNKNOWN, REFUSED, FAULT = b"OK", b"", b"E01", b"E0e"
_THUMB = 1 << 24  # GDB wants EPSR.T to see Thumb code
_WATCHES = {2: WatchAccess.WRITE, 3: WatchAccess.READ, 4: WatchAccess.READ | WatchAccess.WRITE}
_FEATURES = (
    f"PacketSize={MOST_BYTES:x};qXfer:features:read+;qXfer:memory-map:read+;QStartNoAckMode+;"
    "vContSupported+;ReverseStep+;ReverseContinue+;swbreak+;hwbreak+"
)


class Ending(Enum):
    """How a session ended."""

    DETACHED = "detached"
    KILLED = "killed"


class Client(Protocol):
    """The other end."""

    acknowledges: bool

    def send(self, body: bytes) -> None:
        """A packet to it."""

    def receive(self) -> bytes | None:
        """A packet from it, None for Ctrl-C."""

    def is_interrupted(self) -> bool:
        """Whether Ctrl-C came while the board ran."""


class GdbSession:
    """One client's, from its first packet to its last."""

    def __init__(self, target: DebugTarget, client: Client) -> None:
        self._target, self._client = target, client
        self._monitor = MonitorCommands(target)
        self._threads = Threads(target.engine, target.image)
        self._stop = Stop(Why.STEP)
        self._flash: list[tuple[int, bytes]] = []
        self._breakpoints: dict[int, int] = {}  # Z packet's kind, for the reply
        self._ended: Ending | None = None
        self._by_letter: dict[str, Callable[[str, bytes], bytes]] = {
            "?": lambda text, body: self._reply(),
            "g": lambda text, body: self._read_all(),
            "G": self._write_all,
            "p": lambda text, body: self._read_one(int(text[1:], 16)),
            "P": self._write_one,
            "m": self._read_memory,
            "M": self._write_memory,
            "X": self._write_memory,
            "Z": lambda text, body: self._breakpoint(text, wanted=True),
            "z": lambda text, body: self._breakpoint(text, wanted=False),
            "c": lambda text, body: self._go(self._forward),
            "s": lambda text, body: self._go(self._step),
            "b": self._backwards,
            "H": lambda text, body: self._choose_thread(text),
            "T": lambda text, body: OK if self._threads.has(int(text[1:], 16)) else REFUSED,
            "D": lambda text, body: self._end(Ending.DETACHED),
            "R": lambda text, body: self._reset(),
            "!": lambda text, body: OK,
            "q": self._query,
            "Q": self._set,
            "v": self._long,
        }

    def run(self) -> Ending:
        """Answer until the client detaches or kills. Raises `OSError` where it breaks off."""
        while self._ended is None:
            body = self._client.receive()
            if body is None:
                self._client.send(self._reply())
            elif body == b"k":  # the one packet that has no answer
                return Ending.KILLED
            else:
                self._client.send(self._answer(body))
                if body == b"QStartNoAckMode":
                    self._client.acknowledges = False
        return self._ended

    def forget_stops(self) -> None:
        """The client is gone: what it wanted to stop at does not stop the next one."""
        for address in self._target.stops.breakpoints:
            self._target.stops.remove(address)
        for watchpoint in self._target.stops.watchpoints:
            self._target.stops.unwatch(watchpoint)

    def _answer(self, body: bytes) -> bytes:
        text = body.decode("latin-1")
        handler = self._by_letter.get(text[:1])
        if handler is None:
            return UNKNOWN
        try:
            return handler(text, body)
        except BoardlessError:
            return FAULT
        except (ValueError, KeyError, IndexError, OverflowError):
            return REFUSED

    def _end(self, ending: Ending) -> bytes:
        self._ended = ending
        return OK

    # ---- running ----

    def _go(self, verb: Callable[[], Stop]) -> bytes:
        self._stop = verb()
        words = self._monitor.words_of(self._stop)
        if words:
            self._client.send(b"O" + words.encode().hex().encode())
        self._threads.look()
        return self._reply()

    def _reply(self) -> bytes:
        kind = self._breakpoints.get(self._target.engine.read_register("pc"), 1)
        return stop_reply(self._stop, kind, self._threads.current, self._target.stops)

    def _forward(self) -> Stop:
        return self._target.go_on(self._client.is_interrupted)

    def _step(self) -> Stop:
        return self._target.step(wants_stop=self._client.is_interrupted)

    def _step_range(self, start: int, end: int) -> Stop:
        return self._target.step(within=(start, end), wants_stop=self._client.is_interrupted)

    def _backwards(self, text: str, body: bytes) -> bytes:
        if text == "bs":
            return self._go(self._target.step_back)
        return self._go(self._target.run_back) if text == "bc" else UNKNOWN

    def _long(self, text: str, body: bytes) -> bytes:
        if text == "vCont?":
            return b"vCont;c;C;s;S;r"
        if text.startswith("vCont;"):
            return self._continue(text[6:].split(";")[0].split(":")[0])
        if text.startswith("vFlash"):
            return self._program(text, body)
        return self._end(Ending.KILLED) if text.startswith("vKill") else UNKNOWN

    def _continue(self, action: str) -> bytes:
        if action[:1] in ("c", "C"):
            return self._go(self._forward)
        if action[:1] in ("s", "S"):
            return self._go(self._step)
        if action[:1] == "r":
            start, end = (int(part, 16) for part in action[1:].split(","))
            return self._go(lambda: self._step_range(start, end))
        return REFUSED

    def _reset(self) -> bytes:
        self._target.reset()
        return OK

    # ---- registers ----

    def _value(self, number: int) -> bytes:
        register = REGISTERS[number]
        saved = self._threads.saved(register.name)
        cpu = self._target.engine.machine.cpu
        if saved is not None:
            value = saved
        elif register.size == 8:
            value = cpu.double(number - 26)
        else:
            value = cpu.register(register.name)
        return (value | (_THUMB if number == XPSR else 0)).to_bytes(register.size, "little")

    def _read_all(self) -> bytes:
        return b"".join(map(self._value, REGISTERS)).hex().encode()

    def _read_one(self, number: int) -> bytes:
        return self._value(number).hex().encode()

    def _write_one(self, text: str, body: bytes) -> bytes:
        number, data = text[1:].split("=")
        self._write_register(int(number, 16), bytes.fromhex(data))
        return OK

    def _write_all(self, text: str, body: bytes) -> bytes:
        data = bytes.fromhex(text[1:])
        if len(data) != sum(register.size for register in REGISTERS.values()):
            return REFUSED
        for number, register in REGISTERS.items():
            value, data = data[: register.size], data[register.size :]
            if value != self._value(number):
                self._write_register(number, value)
        return OK

    def _write_register(self, number: int, data: bytes) -> None:
        register = REGISTERS[number]
        if len(data) != register.size or self._threads.is_parked:
            raise ValueError(register.name)
        value = int.from_bytes(data, "little")
        if register.size == 8:
            self._target.set_double(number - 26, value)
        else:
            self._target.set_register(register.name, value)

    # ---- memory ----

    def _read_memory(self, text: str, body: bytes) -> bytes:
        address, size = _place(text[1:])
        size = min(size, MOST_BYTES // 2 - 8, (1 << 32) - address)
        return self._target.engine.read_memory(address, size).hex().encode()

    def _write_memory(self, text: str, body: bytes) -> bytes:
        head, _, data = body.partition(b":")
        address, size = _place(head[1:].decode())
        data = unescaped(data) if text[0] == "X" else bytes.fromhex(data.decode())
        if len(data) != size:
            return REFUSED
        if data:
            self._target.write(address, data)
        return OK

    def _program(self, text: str, body: bytes) -> bytes:
        """Nothing is written before the last packet: broken off, the Flash is what it was."""
        if text.startswith("vFlashErase:"):
            address, size = _place(text.partition(":")[2])
            self._require_flash(address, size)
            self._flash.append((address, b"\xff" * size))
        elif text.startswith("vFlashWrite:"):
            where, _, data = body.partition(b":")[2].partition(b":")
            content = unescaped(data)
            self._require_flash(int(where, 16), len(content))
            self._flash.append((int(where, 16), content))
        elif text == "vFlashDone":
            self._target.write_flash(self._flash)
            self._flash = []
        else:
            return UNKNOWN
        return OK

    def _require_flash(self, address: int, size: int) -> None:
        base, memory = self._target.engine.machine.cpu.flash
        if not base <= address <= address + size <= base + memory.size:
            raise ValueError(address)

    def _breakpoint(self, text: str, *, wanted: bool) -> bytes:
        kind, where, size = text[1:].split(";")[0].split(",")
        address = int(where, 16)
        stops = self._target.stops
        if kind in ("0", "1"):
            (stops.add if wanted else stops.remove)(address)
            if wanted:
                self._breakpoints[address & ~1] = int(kind)
            return OK
        watchpoint = Watchpoint(address, int(size, 16), _WATCHES[int(kind)])
        (stops.watch if wanted else stops.unwatch)(watchpoint)
        return OK

    # ---- queries ----

    def _query(self, text: str, body: bytes) -> bytes:
        if text.startswith("qRcmd,"):
            answer = self._monitor.run(bytes.fromhex(text[6:]).decode())
            self._stop = Stop(Why.STEP)
            return answer.encode().hex().encode() or OK
        if text.startswith("qXfer:"):
            return self._transfer(text)
        if text.startswith("qThreadExtraInfo,"):
            return self._threads.name(int(text.partition(",")[2], 16)).encode().hex().encode()
        name = text.partition(":")[0]
        if name == "qfThreadInfo":
            self._threads.look()
            return b"m" + b",".join(b"%x" % number for number in self._threads.numbers)
        return {
            "qSupported": _FEATURES.encode(),
            "qAttached": b"1",
            "qsThreadInfo": b"l",
            "qC": b"QC%x" % self._threads.current,
        }.get(name, UNKNOWN)

    def _set(self, text: str, body: bytes) -> bytes:
        return OK if text == "QStartNoAckMode" else UNKNOWN

    def _choose_thread(self, text: str) -> bytes:
        kind, number = text[1], text[2:]
        if kind == "g":
            self._threads.choose(int(number, 16))
        return OK

    def _transfer(self, text: str) -> bytes:
        _, what, _, _, place = text.split(":")
        offset, size = _place(place)
        document = {"features": target_xml, "memory-map": self._memory_map}[what]().encode()
        part = document[offset : offset + size]
        return (b"l" if offset + size >= len(document) else b"m") + escaped(part)

    def _memory_map(self) -> str:
        areas = [
            MapArea(
                "ram" if area.writable else "flash" if area.waits else "rom", area.base, area.size
            )
            for area in self._target.engine.machine.board.chip.memories
        ]
        return memory_map_xml(areas)


def _place(text: str) -> tuple[int, int]:
    """`address,size` in hexadecimal."""
    address, size = (int(part, 16) for part in text.split(","))
    if not (0 <= address < 1 << 32 and size >= 0):
        raise ValueError(text)
    return address, size
