"""One state of the board for the page: a header in JSON, then the pictures' bytes.

Four bytes, little-endian, say how long the header is; `images` in it name size and order.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from boardless.debug.viewfinder.board import WatchedBoard
from boardless_sim.camera.scene import compose
from boardless_sim.parts.ssd1306 import HEIGHT, WIDTH, Ssd1306
from boardless_sim.visible import visible

if TYPE_CHECKING:
    from boardless_sim.engines.native.engine import NativeEngine

_SHOWN_LINES, _SHOWN_RESULTS, _SHOWN_TEXT = 40, 120, 200


@dataclass(frozen=True)
class Playing:
    """How the board runs: `speed` is virtual time by the clock on the wall."""

    running: bool
    speed: float
    note: str = ""


@dataclass
class _Images:
    headers: list[dict[str, object]] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)

    def add(self, kind: str, name: str, shape: tuple[int, int, int], values: bytes) -> None:
        height, width, channels = shape
        self.headers.append(
            {"kind": kind, "name": name, "h": height, "w": width, "c": channels, "n": len(values)}
        )
        self.data.append(values)


def message(board: WatchedBoard, pace: Playing, display: Ssd1306 | None) -> bytes:
    """The board as it is now."""
    images = _Images()
    engine = board.engine
    lens = engine.machine.devices.camera.lens
    scene = compose(lens.in_view)
    images.add("camera", visible(lens.in_view.name), (*scene.shape, 1), scene.tobytes())
    for number, shown in sorted(board.seen.items()):
        kind = "input" if number < 0 else "layer"
        images.add(kind, shown.name, shown.shape, shown.values)
    if display is not None:
        images.add("display", "SSD1306", (HEIGHT, WIDTH, 1), display.pixels())
    header = json.dumps({**_facts(board, pace), "images": images.headers}).encode()
    return struct.pack("<I", len(header)) + header + b"".join(images.data)


def _facts(board: WatchedBoard, pace: Playing) -> dict[str, object]:
    engine, results = board.engine, board.results
    last = results[-1] if results else None
    return {
        "elf": engine.image.path.name,
        "chip": engine.machine.board.chip.name,
        "basis": str(engine.timing_basis),
        "time_ms": engine.time_us() / 1e3,
        "running": pace.running,
        "speed": pace.speed,
        "note": pace.note,
        "held": board.held,
        "frames": len(engine.captured()),
        "result": None
        if last is None
        else {"class": last.class_index, "score": last.score, "name": _name(board)},
        "results": len(results),
        "classes": list(engine.contract.classes),
        "latencies": [dict(result.times_us) for result in results[-_SHOWN_RESULTS:]],
        "uart": [
            {"ms": line.time_us / 1e3, "port": line.port, "text": _shortened(line.text)}
            for line in engine.uart_lines()[-_SHOWN_LINES:]
        ],
        "ports": list(engine.machine.devices.usarts),
        "stack": _stack(engine),
        "pins": [
            {
                "port": name.removeprefix("GPIO"),
                "levels": gpio.levels,
                "modes": [gpio.mode(pin) for pin in range(16)],
            }
            for name, gpio in engine.machine.devices.gpios.items()
        ],
        "faults": board.faults(),
        "stands": [visible(line) for line in board.stands],
    }


def _name(board: WatchedBoard) -> str:
    """Of the frame that the last result is about."""
    number = board.results[-1].frame
    captured = board.engine.captured()
    if number is None or not 0 <= number < len(captured):
        return ""
    return visible(captured[number].name)


def _stack(engine: NativeEngine) -> dict[str, int]:
    """How deep the main stack went, and how much room there is below it."""
    top = engine.image.initial_sp
    below = [at for at in engine.machine.variables.bounds if at < top]
    memory = next((m for m in engine.machine.board.chip.memories if m.holds(top - 4)), None)
    floor = max([*below, top if memory is None else memory.base])
    return {"used": engine.stack_mark().used_bytes, "room": top - floor}


def _shortened(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _SHOWN_TEXT else f"{text[: _SHOWN_TEXT - 1]}…"
