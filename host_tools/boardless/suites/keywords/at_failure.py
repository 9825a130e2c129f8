"""What happens to the board where a keyword fails: a core is kept, or a debugger is let in."""

from __future__ import annotations

import re
from pathlib import Path

from boardless_sim.engines.engine import Engine
from boardless_sim.engines.native.engine import NativeEngine

DEBUG_PORT, CORES = "DEBUG PORT", "CORES"  # Robot variables that `boardless test` sets
_NO_NAME = re.compile(r"[^\w.-]+")


def keep_core(engine: Engine, folder: Path, test: str) -> Path | None:
    """A folder of the test's own for `boardless debug --core`; None where the engine gives none."""
    from boardless.running.core_dump import write_core

    place = folder / (_NO_NAME.sub("_", test)[:100] or "test")
    place.mkdir(parents=True, exist_ok=True)
    return place if write_core(engine, place) else None


def let_debugger_in(engine: Engine, port: int) -> None:
    """Wait for one GDB at the board as it stands; the test goes on when it has gone."""
    from boardless.debug.server import serve
    from boardless.debug.session import GdbSession
    from boardless.debug.target import DebugTarget

    if not isinstance(engine, NativeEngine):
        return
    target = DebugTarget(engine, engine.image, None)
    try:
        serve(lambda link: GdbSession(target, link), port, lambda text: None, once=True)
    finally:
        target.close()
