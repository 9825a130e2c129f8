"""How well each device of the virtual board is known: the ledger, and the part that an ELF touches.

tools/fidelity.py collects it from the tests and writes `fidelity.json` beside this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from importlib.resources import files

LEDGER = "fidelity.json"
SCHEMA = 1


class Standing(Enum):
    """How far an answer of a device can be relied on."""

    MODELLED = "modelled"  # by the manual, and shown to be dead while unclocked
    UNPROVEN = "not shown dead while unclocked"
    NAMED = "not modelled"


@dataclass(frozen=True)
class ShortCut:
    """Where a device is simpler than the chip's, and what that could hide."""

    what: str
    hides: str


@dataclass(frozen=True)
class DeviceRecord:
    """What the tests say of one device: behaviours, by the kind of their evidence."""

    device: str
    standing: Standing
    behaviours: Mapping[str, int]
    short_cuts: tuple[ShortCut, ...] = ()


def load_ledger() -> dict[str, DeviceRecord]:
    """Every device that a test speaks of, by its name without a number."""
    text = files(__package__).joinpath(LEDGER).read_text(encoding="utf-8")
    return {
        name: DeviceRecord(
            name,
            Standing(row["standing"]),
            row["behaviours"],
            tuple(ShortCut(**found) for found in row["short_cuts"]),
        )
        for name, row in json.loads(text)["devices"].items()
    }


def block_of(device: str) -> str:
    """The name that all devices of a kind share: USART for UART4, GPIO for GPIOC."""
    name = re.sub(r"(?<=GPIO)[A-K]$|\d+$", "", device)
    return {"UART": "USART", "FMC": "FSMC", "OTG_FS": "OTG", "OTG_HS": "OTG"}.get(name, name)


def known_of(
    devices: Iterable[str], ledger: Mapping[str, DeviceRecord]
) -> list[tuple[str, DeviceRecord]]:
    """Each device with what is known of it; one that no test speaks of is not modelled."""
    found = []
    for device in devices:
        known = ledger.get(device) or ledger.get(block_of(device))
        found.append((device, known or DeviceRecord(device, Standing.NAMED, {})))
    return found


def ledger_document(known: Sequence[tuple[str, DeviceRecord]]) -> dict[str, object]:
    """The same as JSON, schema 1."""
    rows = [
        {
            "device": device,
            "standing": found.standing.value,
            "behaviours": dict(found.behaviours),
            "short_cuts": [asdict(cut) for cut in found.short_cuts],
        }
        for device, found in known
    ]
    return {"schema": SCHEMA, "devices": rows}
