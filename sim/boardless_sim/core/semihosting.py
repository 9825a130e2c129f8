"""Semihosting: BKPT 0xAB asks the host for something (Arm IHI 0100).

Text goes to `on_output` and comes from `feed`. Files are those of one folder only, and of none
until one is named. What else there is of a host (a clock, a shell, its command line) is refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from boardless_sim.core.cpu import Cpu
from boardless_sim.errors import EngineError

_BKPT_AB = b"\xab\xbe"
SYS_OPEN, SYS_CLOSE, SYS_WRITEC, SYS_WRITE0, SYS_WRITE = 0x01, 0x02, 0x03, 0x04, 0x05
SYS_READ, SYS_READC, SYS_ISERROR, SYS_ISTTY, SYS_SEEK, SYS_FLEN = 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C
SYS_REMOVE, SYS_CLOCK, SYS_ERRNO, SYS_GET_CMDLINE, SYS_HEAPINFO = 0x0E, 0x10, 0x13, 0x15, 0x16
SYS_EXIT, SYS_EXIT_EXTENDED = 0x18, 0x20
APPLICATION_EXIT = 0x20026  # ADP_Stopped_ApplicationExit
_FAILED = 0xFFFF_FFFF
_NO_ENTRY, _BAD_FILE, _NO_ACCESS = 2, 9, 13  # errno
_CONSOLE = ":tt"
_MODES = ("rb", "rb", "r+b", "r+b", "wb", "wb", "w+b", "w+b", "ab", "ab", "a+b", "a+b")
_MAX_TEXT_BYTES = 4096
_MOST_BYTES = 1 << 20  # of one call
_MOST_FILES, _MOST_FILE_BYTES = 16, 64 << 20


@dataclass
class _Stream:
    """What a handle stands for: a file, or without one the console."""

    file: BinaryIO | None = None


@dataclass
class Semihosting:
    """Answers the calls. `exit_code` is None until the firmware ended itself.

    `seconds` is virtual time. `folder`: what the firmware may open lies in it.
    """

    say: Callable[[str], None]
    seconds: Callable[[], float] = lambda: 0.0
    on_output: Callable[[int], None] = lambda byte: None
    folder: Path | None = None
    exit_code: int | None = None
    _typed: deque[int] = field(default_factory=deque)
    _streams: dict[int, _Stream] = field(default_factory=dict)
    _errno: int = 0

    def feed(self, data: bytes) -> None:
        """What a user types."""
        self._typed.extend(data)

    def close(self) -> None:
        """Close what the firmware left open."""
        for stream in self._streams.values():
            if stream.file is not None:
                stream.file.close()
        self._streams.clear()

    def call(self, cpu: Cpu) -> bool:
        """Answer the call at which the CPU stands. False: an ordinary breakpoint."""
        pc = cpu.register("pc")
        at = next((a for a in (pc, pc - 2) if cpu.read(a, 2) == _BKPT_AB), None)
        if at is None:
            return False
        operation, parameter = cpu.register("r0"), cpu.register("r1")
        try:
            answer = self._answer(cpu, operation, parameter)
        except EngineError as error:
            self.say(f"semihosting operation {operation:#x}: {error}")
            answer = _FAILED
        if answer is not None:
            cpu.set_register("r0", answer & _FAILED)
        cpu.set_register("pc", at + 2)
        return True

    def _answer(self, cpu: Cpu, operation: int, parameter: int) -> int | None:
        """What R0 becomes; None leaves it."""
        if operation == SYS_WRITEC:
            self.on_output(cpu.read(parameter, 1)[0])
            return None
        if operation == SYS_WRITE0:
            self._write_text(cpu, parameter)
            return None
        if operation in (SYS_EXIT, SYS_EXIT_EXTENDED):
            self._exit(cpu, operation, parameter)
            return None
        handlers: dict[int, Callable[[Cpu, int], int]] = {
            SYS_OPEN: self._open, SYS_CLOSE: self._close, SYS_WRITE: self._write,
            SYS_READ: self._read, SYS_SEEK: self._seek, SYS_FLEN: self._length,
            SYS_ISTTY: self._is_console, SYS_REMOVE: self._remove,
            SYS_READC: lambda cpu, at: self._typed.popleft() if self._typed else -1,
            SYS_CLOCK: lambda cpu, at: int(self.seconds() * 100),
            SYS_ISERROR: lambda cpu, at: int(_word(cpu, at) >> 31),
            SYS_ERRNO: lambda cpu, at: self._errno,
            SYS_GET_CMDLINE: self._command_line, SYS_HEAPINFO: self._heap,
        }  # fmt: skip
        handler = handlers.get(operation)
        if handler is not None:
            return handler(cpu, parameter)
        self.say(f"semihosting operation {operation:#x} is not modelled")
        return _FAILED

    def _fail(self, errno: int) -> int:
        self._errno = errno
        return -1

    def _write_text(self, cpu: Cpu, address: int) -> None:
        for offset in range(_MAX_TEXT_BYTES):
            byte = cpu.read(address + offset, 1)[0]
            if byte == 0:
                return
            self.on_output(byte)

    def _exit(self, cpu: Cpu, operation: int, parameter: int) -> None:
        """A reason, in 32 bits in R1 itself; SYS_EXIT_EXTENDED has a code behind it."""
        reason, code = parameter, 0
        if operation == SYS_EXIT_EXTENDED:
            reason, code = _word(cpu, parameter), _word(cpu, parameter + 4)
        self.exit_code = code & 0xFF if reason == APPLICATION_EXIT else 1

    # Files

    def _open(self, cpu: Cpu, at: int) -> int:
        name_at, mode, length = (_word(cpu, at + 4 * n) for n in range(3))
        name = cpu.read(name_at, min(length, _MAX_TEXT_BYTES)).decode("utf-8", "replace")
        if mode >= len(_MODES) or len(self._streams) >= _MOST_FILES:
            return self._fail(_NO_ACCESS)
        stream = _Stream()
        if name != _CONSOLE:
            path = self._path(name)
            if path is None:
                return self._fail(_NO_ACCESS)
            try:
                stream.file = cast("BinaryIO", path.open(_MODES[mode]))
            except OSError as error:
                return self._fail(error.errno or _NO_ENTRY)
        handle = next(n for n in range(1, _MOST_FILES + 1) if n not in self._streams)
        self._streams[handle] = stream
        return handle

    def _path(self, name: str) -> Path | None:
        """A regular file of the folder, or one that is not there yet; no other is touched."""
        if self.folder is None or "\0" in name:
            self.say(f"semihosting: {name!r} was not opened, no folder is named for it")
            return None
        path = (self.folder / name).resolve()
        inside = path.is_relative_to(self.folder.resolve())
        if inside and (path.is_file() or not path.exists()):
            return path
        self.say(f"semihosting: {name!r} was not opened, it is no file of {self.folder}")
        return None

    def _stream(self, cpu: Cpu, at: int) -> _Stream | None:
        return self._streams.get(_word(cpu, at))

    def _close(self, cpu: Cpu, at: int) -> int:
        stream = self._streams.pop(_word(cpu, at), None)
        if stream is None:
            return self._fail(_BAD_FILE)
        if stream.file is not None:
            stream.file.close()
        return 0

    def _write(self, cpu: Cpu, at: int) -> int:
        """How many bytes were not written."""
        stream, address, count = self._stream(cpu, at), _word(cpu, at + 4), _word(cpu, at + 8)
        if stream is None:
            self._fail(_BAD_FILE)
            return count
        data = cpu.read(address, min(count, _MOST_BYTES))
        if stream.file is None:
            for byte in data:
                self.on_output(byte)
            return count - len(data)
        if stream.file.tell() + len(data) > _MOST_FILE_BYTES:
            self._fail(_NO_ACCESS)
            return count
        try:
            return count - stream.file.write(data)
        except (OSError, ValueError):
            self._fail(_BAD_FILE)
            return count

    def _read(self, cpu: Cpu, at: int) -> int:
        """How many bytes were not read."""
        stream, address, count = self._stream(cpu, at), _word(cpu, at + 4), _word(cpu, at + 8)
        if stream is None:
            self._fail(_BAD_FILE)
            return count
        most = min(count, _MOST_BYTES)
        if stream.file is None:
            data = bytes(self._typed.popleft() for _ in range(min(most, len(self._typed))))
        else:
            try:
                data = stream.file.read(most)
            except (OSError, ValueError):
                self._fail(_BAD_FILE)
                return count
        cpu.write(address, data)
        return count - len(data)

    def _seek(self, cpu: Cpu, at: int) -> int:
        stream = self._stream(cpu, at)
        if stream is None or stream.file is None:
            return self._fail(_BAD_FILE)
        place = _word(cpu, at + 4)
        if place > _MOST_FILE_BYTES:
            return self._fail(_NO_ACCESS)
        stream.file.seek(place)
        return 0

    def _length(self, cpu: Cpu, at: int) -> int:
        stream = self._stream(cpu, at)
        if stream is None or stream.file is None:
            return self._fail(_BAD_FILE)
        place = stream.file.tell()
        length = stream.file.seek(0, 2)
        stream.file.seek(place)
        return length

    def _is_console(self, cpu: Cpu, at: int) -> int:
        stream = self._stream(cpu, at)
        return self._fail(_BAD_FILE) if stream is None else int(stream.file is None)

    def _remove(self, cpu: Cpu, at: int) -> int:
        name = cpu.read(_word(cpu, at), min(_word(cpu, at + 4), _MAX_TEXT_BYTES))
        path = self._path(name.decode("utf-8", "replace"))
        if path is None or not path.is_file():
            return self._fail(_NO_ENTRY)
        path.unlink()
        return 0

    def _command_line(self, cpu: Cpu, at: int) -> int:
        """An empty one."""
        cpu.write(_word(cpu, at), b"\0")
        cpu.write(at + 4, bytes(4))
        return 0

    def _heap(self, cpu: Cpu, at: int) -> int:
        """Zeros: the firmware's own linker script knows its heap and stack."""
        cpu.write(_word(cpu, at), bytes(16))
        return 0


def _word(cpu: Cpu, address: int) -> int:
    return int.from_bytes(cpu.read(address, 4), "little")
