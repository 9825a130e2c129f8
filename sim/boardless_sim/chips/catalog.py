"""Which chips there are, and where their facts come from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from boardless_sim.errors import BoardError

MemoryMap = Mapping[str, tuple[int, int]]
"""Base and size of each memory, by modm's name."""

_PART = re.compile(r"stm32f4\d\d[a-z][0-9a-z]")


@dataclass(frozen=True)
class Facts:
    """What modm-devices knows of one part; see tools/chips.py, which wrote it down.

    `memories`: base and size by modm's name. `requests`: the DMA request lines of a controller's
    (stream, channel).
    """

    part: str
    max_hz: int
    memories: MemoryMap
    devices: frozenset[str]
    interrupts: Mapping[str, int]
    wait_states: Mapping[int, tuple[int, ...]]
    requests: Mapping[str, Mapping[tuple[int, int], tuple[str, ...]]]
    alternates: Mapping[tuple[str, int], tuple[str, ...]]

    def irq(self, name: str) -> int:
        """The number of an interrupt; several devices may share one ("TIM6_DAC")."""
        pattern = re.compile(rf"(^|_){name}(_|$)")
        for vector, number in self.interrupts.items():
            if pattern.search(vector):
                return number
        raise BoardError(f"{self.part}: no interrupt {name}")


def lines() -> list[str]:
    """The lines of parts whose facts are here, such as "stm32f407"."""
    return sorted(path.name[:-5] for path in _folder().iterdir() if path.name.endswith(".json"))


def lines_with(device: str) -> list[str]:
    """The lines whose parts have a device, such as "DCMI"."""
    return [line for line in lines() if device in _read(line)["devices"]]


def memories_of_parts() -> Iterator[tuple[str, MemoryMap]]:
    """Every known part with its memories."""
    for line in lines():
        for part, memories in _read(line)["parts"].items():
            yield part, _memories(memories)


@lru_cache(maxsize=4)
def load_facts(part: str) -> Facts:
    """The facts of a part, such as "stm32f407vg". Raises `BoardError`."""
    part = part.lower()
    line = part[: len("stm32f407")]
    if not _PART.match(part) or line not in lines():
        known = ", ".join(lines())
        raise BoardError(f"chip {part!r}, expected a part as stm32f407vg, of {known}")
    data = _read(line)
    memories = data["parts"].get(part[: len("stm32f407vg")])
    if memories is None:
        known = ", ".join(sorted(data["parts"]))
        raise BoardError(f"chip {part!r}, expected one of {known}")
    return Facts(
        part=part[: len("stm32f407vg")],
        max_hz=data["max_hz"],
        memories=_memories(memories),
        devices=frozenset(data["devices"]),
        interrupts=data["interrupts"],
        wait_states={int(mv): tuple(hz) for mv, hz in data["wait_states"].items()},
        requests=_requests(data["requests"]),
        alternates=_alternates(data["pins"]),
    )


def _read(line: str) -> Any:
    return json.loads((_folder() / f"{line}.json").read_text(encoding="utf-8"))


def _memories(data: Mapping[str, list[int]]) -> MemoryMap:
    return {name: (base, size) for name, (base, size) in data.items()}


def _folder() -> Any:
    return files("boardless_sim.chips.facts")


def _requests(data: Mapping[str, str]) -> dict[str, dict[tuple[int, int], tuple[str, ...]]]:
    by_controller: dict[str, dict[tuple[int, int], tuple[str, ...]]] = {}
    for place, names in data.items():
        controller, stream, channel = place.split()
        requests = by_controller.setdefault(controller, {})
        requests[int(stream), int(channel)] = tuple(names.split())
    return by_controller


def _alternates(data: Mapping[str, str]) -> dict[tuple[str, int], tuple[str, ...]]:
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for pin, functions in data.items():
        for function in functions.split():
            number, _, signal = function.partition(":")
            key = (pin, int(number))
            found[key] = (*found.get(key, ()), signal)
    return found
