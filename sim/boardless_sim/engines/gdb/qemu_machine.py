"""One QEMU process, its gdb port and its UARTs: everything goes over pairs of sockets.

No port is opened and no file names a socket, so two runs cannot meet and nobody else can join.
"""

from __future__ import annotations

import functools
import re
import select
import shutil
import socket
import subprocess
import time
from pathlib import Path

from boardless_sim.engines.child import Child
from boardless_sim.engines.gdb.remote import GdbRemote
from boardless_sim.errors import EngineError, EngineMissing

PROGRAM = "qemu-system-arm"
MACHINE = "netduinoplus2"
OLDEST = (7, 2)
INSTALL = "apt-get install qemu-system-arm"
# QEMU's serial ports in its order; those that the native board lacks lead nowhere.
_UARTS = ("USART1", "USART2", "USART3", None, None, "USART6")
_TIMEOUT_S = 15.0
_VERSION_TIMEOUT_S = 15.0
_MAX_LINE_BYTES = 4096
_TIM4_COUNT, _TIM5_COUNT, _TIM5_PRESCALER = 0x4000_0824, 0x4000_0C24, 0x4000_0C28
_COARSE_NS = 1000


def find_qemu() -> Path:
    """The program on PATH. Raises `EngineError` where it is missing or too old."""
    found = shutil.which(PROGRAM)
    if found is None:
        raise EngineMissing(f"engine qemu: {PROGRAM} is not on PATH, expected it ({INSTALL})")
    version = qemu_version(Path(found))
    if version < OLDEST:
        raise EngineError(
            f"engine qemu: {found} is version {_dotted(version)}, "
            f"expected {_dotted(OLDEST)} or newer"
        )
    return Path(found)


@functools.lru_cache
def qemu_version(program: Path) -> tuple[int, ...]:
    """What `--version` says. Raises `EngineError` where that is no version of QEMU."""
    try:
        done = subprocess.run(
            [program, "--version"],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EngineError(f"engine qemu: {program} --version: {error}") from error
    first = done.stdout.decode("utf-8", "replace").partition("\n")[0]
    match = re.match(r"QEMU emulator version (\d{1,3})\.(\d{1,3})", first)
    if match is None:
        raise EngineError(
            f"engine qemu: {program} --version says {first[:60]!r}, "
            "expected 'QEMU emulator version …'"
        )
    return int(match[1]), int(match[2])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


class QemuMachine:
    """A machine that was started, stopped at reset."""

    def __init__(self, program: Path, elf: Path, ns_per_instruction: int) -> None:
        shift = ns_per_instruction.bit_length() - 1
        ours, theirs = socket.socketpair()
        self._sockets = [ours]
        self._uarts: dict[str, socket.socket] = {}
        self._partial: dict[str, bytearray] = {}
        ends = [theirs]
        command = [
            *(str(program), "-machine", MACHINE, "-kernel", str(elf), "-S"),
            *("-nodefaults", "-display", "none", "-monitor", "none"),
            *("-icount", f"shift={shift},align=off,sleep=on"),
            *("-chardev", f"socket,id=gdb,fd={theirs.fileno()}", "-gdb", "chardev:gdb"),
        ]
        for port in _UARTS:
            if port is None:
                command += ["-serial", "none"]
                continue
            here, there = socket.socketpair()
            here.setblocking(False)
            self._uarts[port], self._partial[port] = here, bytearray()
            self._sockets.append(here)
            ends.append(there)
            command += ["-chardev", f"socket,id={port},fd={there.fileno()}"]
            command += ["-serial", f"chardev:{port}"]
        try:
            self.child = Child("qemu", command, [end.fileno() for end in ends])
        except BaseException:
            self._close_sockets()
            raise
        finally:
            for end in ends:
                end.close()
        self.gdb = GdbRemote(ours, _TIMEOUT_S)

    def connect(self) -> None:
        """Wait for QEMU's first answer, and start its clocks."""
        self.gdb.ask("?")
        self.gdb.ask("qXfer:features:read:target.xml:0,ffb")  # before it, registers have no numbers
        self.gdb.expect_ok("Qqemu.sstep=7")  # interrupts and clocks go on in a single step
        self.gdb.expect_ok("Qqemu.PhyMemMode:1")  # otherwise a write does not reach a device
        self.gdb.write_memory(_TIM5_PRESCALER, (_COARSE_NS - 1).to_bytes(4, "little"))
        self.gdb.expect_ok("Qqemu.PhyMemMode:0")

    def time_ns(self) -> int:
        """Virtual time: TIM4 counts it in ns and wraps in 4 s, TIM5 in us and wraps in an hour."""
        fine = int.from_bytes(self.gdb.read_memory(_TIM4_COUNT, 4), "little")
        coarse = int.from_bytes(self.gdb.read_memory(_TIM5_COUNT, 4), "little") * _COARSE_NS
        wraps = (coarse - fine + (1 << 31)) >> 32
        return fine + (wraps << 32)

    # ---- running ----

    def stop_within(self, seconds: float, grace_s: float) -> bool:
        """Read the UARTs until the target stops, `grace_s` after the first whole line, or in time.

        False where it still runs.
        """
        deadline = time.monotonic() + seconds
        while True:
            left_s = max(deadline - time.monotonic(), 0.0)
            watched: list[GdbRemote | socket.socket] = [self.gdb, *self._uarts.values()]
            ready = select.select(watched, [], [], left_s)[0]
            if self._receive() and time.monotonic() + grace_s < deadline:
                deadline = time.monotonic() + grace_s
            if self.gdb in ready and self.gdb.stop_within(0.0):
                return True
            if not ready or time.monotonic() >= deadline:
                return False

    def wait_for_stop(self) -> None:
        """The target was interrupted: go on reading its UARTs, so that it can stop."""
        deadline = time.monotonic() + _TIMEOUT_S
        while not self.stop_within(0.5, 0.5):
            if time.monotonic() >= deadline:
                raise EngineError(f"does not stop within {_TIMEOUT_S:g} s of being told to")

    # ---- UART ----

    def uart_send(self, port: str, data: bytes) -> None:
        """Feed bytes into a USART's receiver."""
        uart = self._uarts.get(port)
        if uart is None:
            raise EngineError(
                f"engine qemu: port {port!r}, expected one of {', '.join(self._uarts)}"
            )
        try:
            uart.sendall(data)
        except OSError as error:
            raise EngineError(f"{port} takes no data: {error.strerror or error}") from error

    def take_lines(self) -> list[tuple[str, str]]:
        """The whole lines that have come since the last call: port and text."""
        self._receive()
        found = []
        for port, partial in self._partial.items():
            *whole, rest = bytes(partial).split(b"\n")
            while len(rest) >= _MAX_LINE_BYTES:
                whole.append(rest[:_MAX_LINE_BYTES])
                rest = rest[_MAX_LINE_BYTES:]
            partial[:] = rest
            found += [
                (port, line.decode("utf-8", "backslashreplace").rstrip("\r")) for line in whole
            ]
        return found

    def _receive(self) -> bool:
        """Take what the UARTs sent; whether there is a whole line."""
        for port, uart in self._uarts.items():
            try:
                self._partial[port] += uart.recv(1 << 16)
            except BlockingIOError:
                continue
            except OSError as error:
                raise EngineError(f"{port} closed") from error
        return any(b"\n" in partial for partial in self._partial.values())

    # ---- end ----

    def failed(self, error: EngineError) -> EngineError:
        """End it, keep its log, and say both in one line."""
        code = self.child.exit_code(0.2)
        said = self.child.said()
        log = self.child.keep_log()
        self.close()
        why = str(error) if code is None else f"QEMU ended with exit code {code}"
        last = f" ({said[-1][:120]})" if said else ""
        return EngineError(f"engine qemu: {why}{last}; log: {log}")

    def close(self) -> None:
        """End the process. Harmless twice."""
        self.child.end()
        self._close_sockets()

    def _close_sockets(self) -> None:
        for link in self._sockets:
            link.close()
