"""What a failed test leaves of its board for a debugger: `core.json`, and the memories' bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boardless.running.post_mortem import examine, in_lines
from boardless_sim.engines.core_image import KeptMemory
from boardless_sim.engines.engine import Engine
from boardless_sim.errors import EngineError
from boardless_sim.files import read_file, read_text, write_file, write_text
from boardless_sim.json_text import parse_json

CORE_FILES = CORE_JSON, CORE_BYTES = ("core.json", "core.bin")
_FORM = 1  # of core.json
_MOST_JSON_BYTES, _MOST_BYTES = 16 << 20, 64 << 20
_EXPECTED = "a core that a failed test has left"


@dataclass(frozen=True)
class CoreDump:
    """A board as it stood. `stands`: what a person is told of it first."""

    elf: str
    sha256: str
    chip: str
    time_us: float
    stands: tuple[str, ...]
    registers: Mapping[str, int]
    memories: tuple[KeptMemory, ...]
    devices: Mapping[str, Mapping[str, tuple[int, int]]]


def write_core(engine: Engine, folder: Path) -> bool:
    """Leave the board in a folder that is there; False: the engine cannot be looked into so far."""
    found, stands = engine.core_image(), examine(engine)
    if found is None:
        return False
    document = {
        "form": _FORM,
        "elf": str(engine.image.path.resolve()),
        "sha256": engine.image.sha256,
        "chip": found.chip,
        "time_us": engine.time_us(),
        "stands": [] if stands is None else list(in_lines(stands)),
        "registers": dict(found.registers),
        "memories": [
            {"name": memory.name, "base": memory.base, "bytes": len(memory.data)}
            for memory in found.memories
        ],
        "devices": {
            device.name: {"registers": device.registers, "state": device.state}
            for device in found.devices
        },
    }
    write_text(folder / CORE_JSON, json.dumps(document, indent=1) + "\n")
    write_file(folder / CORE_BYTES, b"".join(memory.data for memory in found.memories))
    return True


def read_core(folder: Path) -> CoreDump:
    """What `write_core` left. Raises `EngineError` for a folder without, or a damaged one."""
    path = folder / CORE_JSON
    text = read_text(path, _EXPECTED, EngineError, _MOST_JSON_BYTES)
    data = read_file(folder / CORE_BYTES, _EXPECTED, EngineError, _MOST_BYTES)
    found = parse_json(text, path, _EXPECTED, EngineError)
    try:
        return _core(found, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EngineError(f"{path}: damaged ({error!r:.80}), expected {_EXPECTED}") from error


def _core(found: Any, data: bytes) -> CoreDump:
    if found["form"] != _FORM:
        raise ValueError(f"form {found['form']}, expected {_FORM}")
    memories, at = [], 0
    for memory in found["memories"]:
        size = int(memory["bytes"])
        memories.append(KeptMemory(str(memory["name"]), int(memory["base"]), data[at : at + size]))
        at += size
    if at != len(data):
        raise ValueError(f"{len(data)} bytes, expected {at}")
    return CoreDump(
        elf=str(found["elf"]),
        sha256=str(found["sha256"]),
        chip=str(found["chip"]),
        time_us=float(found["time_us"]),
        stands=tuple(map(str, found["stands"])),
        registers={str(name): int(value) for name, value in found["registers"].items()},
        memories=tuple(memories),
        devices={
            str(name): {
                str(register): (int(address), int(value))
                for register, (address, value) in device["registers"].items()
            }
            for name, device in found["devices"].items()
        },
    )
