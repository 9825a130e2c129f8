"""What a coding assistant may do with a firmware: run, test, measure, explain, look, step.

Every path lies inside one folder, the project's; what is written, is written there by the commands.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from boardless_sim.errors import BoardlessError, EngineError
from boardless_sim.visible import visible

if TYPE_CHECKING:
    from boardless.debug.target import DebugTarget
    from boardless_sim.engines.native.engine import NativeEngine

_LIMIT_S = 600  # of the host, for a command
_MOST_SAID = 20_000  # characters of an answer; an assistant reads no more
_MOST_BYTES, _MOST_STEPS = 1024, 10_000
_LONGEST_US = 10_000_000.0


class Assistant:
    """One project, and at most one powered board."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._engine: NativeEngine | None = None
        self._target: DebugTarget | None = None

    def close(self) -> None:
        """Power the board off."""
        if self._target is not None:
            self._target.close()
        if self._engine is not None:
            self._engine.close()
        self._engine = self._target = None

    # ---- commands ----

    def run(self, elf: str, frames: str = "pattern:bars", limit: int = 10) -> str:
        """Show frames (a file, a folder, pattern:NAME) to a firmware ELF; its results and times."""
        options = ["--frames", self._frames(frames), "--limit", str(int(limit))]
        return self._command("run", self._inside(elf), *options)

    def test(self, suites: str = "robot/suites", elf: str = "") -> str:
        """Run Robot suites; a table, and where the report lies."""
        options = ["--elf", self._inside(elf)] if elf else []
        return self._command("test", self._inside(suites), *options)

    def budget(self, elf: str, config: str = "") -> str:
        """Hold a firmware's sizes and stack against the budgets of boardless.toml."""
        options = ["--config", self._inside(config)] if config else []
        return self._command("budget", self._inside(elf), *options)

    def _command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "boardless", *arguments]
        try:
            ran = subprocess.run(
                command, cwd=self._root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=_LIMIT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BoardlessError(f"{arguments[0]}: no end within {_LIMIT_S} s") from None
        said = ran.stdout.decode("utf-8", "replace")
        more = len(said) - _MOST_SAID
        left_out = f"… {more:,} characters before\n" if more > 0 else ""
        return f"exit code {ran.returncode}\n{left_out}{said[-_MOST_SAID:]}"

    # ---- a board ----

    def power_on(self, elf: str, frames: str = "") -> str:
        """A fresh board with a firmware ELF, before its first instruction."""
        from boardless.debug.target import DebugTarget
        from boardless_sim.camera.source import open_frames
        from boardless_sim.elf.image import load_image
        from boardless_sim.engines.native.engine import NativeEngine

        image = load_image(Path(self._inside(elf)))
        self.close()
        self._engine = NativeEngine()
        self._engine.load(image)
        for frame in open_frames(self._frames(frames), limit=100) if frames else ():
            self._engine.show(frame)
        self._target = DebugTarget(self._engine, image)
        return self.where()

    def go_on(self, for_us: float = 1000.0, until: str = "") -> str:
        """Let virtual time pass, at most so much, or up to a function."""
        target = self._powered()
        if not 0 < for_us <= _LONGEST_US:
            raise EngineError(f"for_us {for_us:g}, expected at most {_LONGEST_US:g}")
        place = target.image.symbol(until).address if until else None
        if place is not None:
            target.stops.add(place)
        try:
            end_ps = target.engine.machine.time_ps() + round(for_us * 1e6)
            stop = target.go_on(limit_ps=end_ps)
        finally:
            if place is not None:
                target.stops.remove(place)
        return f"{stop.why.value}\n{self.where()}"

    def step(self, count: int = 1, back: bool = False) -> str:
        """Instructions forward or back."""
        target = self._powered()
        if not 1 <= count <= _MOST_STEPS:
            raise EngineError(f"count {count}, expected 1 to {_MOST_STEPS}")
        if not back:
            return f"{target.step(count).why.value}\n{self.where()}"
        for _ in range(count):
            stop = target.step_back()
        return f"{stop.why.value}\n{self.where()}"

    def where(self) -> str:
        """Where the core stands: function, calls, arguments and locals, a fault in words, UART."""
        from boardless.running.post_mortem import examine, in_lines

        engine = self._powered().engine
        found = examine(engine)
        lines = [] if found is None else list(in_lines(found))
        lines.append(f"time       {engine.time_us():.3f} us")
        lines += [f"{line.port}  {line.text}" for line in engine.uart_lines()[-10:]]
        return "\n".join(map(visible, lines))

    def read(self, what: str, size: int = 4) -> str:
        """A register (pc, r0, msp …), a variable by its name, or memory at an address (0x…)."""
        target = self._powered()
        if not 1 <= size <= _MOST_BYTES:
            raise EngineError(f"size {size}, expected 1 to {_MOST_BYTES}")
        symbol = target.image.symbols.get(what)
        if symbol is None and not what.lower().startswith("0x"):
            return f"{what} = {target.engine.read_register(what):#010x}"
        try:
            address = symbol.address if symbol is not None else int(what, 16)
        except ValueError:
            raise EngineError(f"{what!r}, expected an address such as 0x20000000") from None
        size = min(symbol.size or size, _MOST_BYTES) if symbol is not None else size
        data = target.engine.read_memory(address, size)
        return f"{address:#010x} ({target.engine.place_of(address)}): {data.hex(' ', 4)}"

    def _powered(self) -> DebugTarget:
        if self._target is None:
            raise EngineError("no board is powered, expected power_on first")
        return self._target

    # ---- paths ----

    def _frames(self, source: str) -> str:
        return source if source.startswith("pattern:") else self._inside(source)

    def _inside(self, path: str) -> str:
        """Raises `BoardlessError` for a path that leads out of the project."""
        found = (self._root / path).resolve()
        if not found.is_relative_to(self._root):
            raise BoardlessError(f"{path}: found outside, expected a path inside {self._root}")
        return str(found)


TOOLS = ("run", "test", "budget", "power_on", "go_on", "step", "where", "read")
