"""The built programs, and a way to run them to a line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine

REPO = Path(__file__).parents[2]
BUILD = REPO / "build" / "firmware"


@dataclass(frozen=True)
class Transcript:
    """What a program said, and what the run cost."""

    lines: tuple[str, ...]
    times_us: tuple[float, ...]
    reason: StopReason
    cycles: int
    instructions: int
    skipped_cycles: int
    log: tuple[str, ...]


Runner = Callable[..., Transcript]


def run_program(
    name: str,
    last: str,
    *,
    limit_us: float = 5e6,
    fast_forward: bool = True,
    strict: bool = False,
) -> Transcript:
    """Run `build/firmware/<name>.elf` until a line starts with `last`."""
    path = BUILD / f"{name}.elf"
    if not path.is_file():
        pytest.fail(f"{path} is missing: build it with `make firmware`")
    engine = NativeEngine(strict=strict, fast_forward=fast_forward)
    try:
        engine.load(load_image(path))
        reason = engine.run(limit_us, lambda line: line.text.startswith(last))
        shared = engine.machine.cpu.shared
        return Transcript(
            lines=tuple(line.text for line in engine.uart_lines()),
            times_us=tuple(line.time_us for line in engine.uart_lines()),
            reason=reason,
            cycles=shared.cycles,
            instructions=shared.instructions,
            skipped_cycles=shared.skipped_cycles,
            log=tuple(engine.log()),
        )
    finally:
        engine.close()


@pytest.fixture(name="run_program")
def run_program_fixture() -> Runner:
    return run_program
