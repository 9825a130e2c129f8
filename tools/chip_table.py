"""Writes the table of STM32 parts that `boardless fit` reads, from the package modm-devices.

Usage: tools/chip_table.py [--check]    --check writes nothing and fails where the table differs

Takes two minutes. `tox -e chips` runs it with the package in an environment of its own.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import modm_devices
from modm_devices.parser import DeviceParser

TABLE = Path("host_tools/boardless/fit/parts.json")
_PACKAGE = "modm-devices"
_DEVICES = Path(modm_devices.__file__).parent / "resources" / "devices" / "stm32"
_KIB = 1024

# The Flash in KiB by the letter in the part's name: "Ordering information" of every data sheet.
FLASH_KIB = {
    "3": 8, "4": 16, "6": 32, "8": 64, "b": 128, "z": 192, "c": 256, "d": 384, "e": 512, "y": 640,
    "f": 768, "g": 1024, "h": 1536, "i": 2048, "k": 3072, "j": 4096,
}  # fmt: skip
# Where the letter is no power of two (data sheet DS13258: STM32WB10CC and WB15CC have 320 KiB).
FLASH_EXCEPTIONS = {("wb", "10"): 320, ("wb", "15"): 320}
_FLASH = re.compile(r"flash\d?(_ns)?")
_NOT_WORKING_MEMORY = re.compile(r"backup|bkpsram.*|eeprom|.*flash.*|itcm_ram")
# Their core runs at twice the AHB's clock, which is the one that the wait states are given for
# (RM0433, RM0399, RM0468, RM0477: clock tree); H7A3, 7B0 and 7B3 are not among them.
_DOUBLED = re.compile(r"stm32h7(2|3|4|5|r|s)")


class Row(NamedTuple):
    """One core of one part."""

    part: str
    family: str
    name: str
    letter: str
    core: str
    clock_hz: int
    flash: tuple[tuple[int, int], ...]  # start, size
    ram: tuple[tuple[str, int, int], ...]  # name, start, size


def rows() -> Iterator[Row]:
    """Every row of the package."""
    parser = DeviceParser()
    for file in sorted(_DEVICES.glob("stm32*.xml")):
        for device in parser.parse(str(file)).get_devices():
            yield row_of(device)


def row_of(device: Any) -> Row:
    """A part as the package has it."""
    core, identifier = device.get_driver("core"), device.identifier
    part = device.partname.split("@")[0]
    memories = [m for m in core["memory"] if "alias" not in m or m["name"] == "flash"]
    flash = [m for m in memories if _FLASH.fullmatch(m["name"])]
    ram = [m for m in memories if not _NOT_WORKING_MEMORY.fullmatch(m["name"])]
    waits = (device.get_driver("flash") or {}).get("latency", [])
    hclk = max((int(w["hclk-max"]) for each in waits for w in each["wait-state"]), default=0)
    doubled = bool(_DOUBLED.match(part)) and core["type"].startswith("cortex-m7")
    return Row(
        part,
        identifier.family,
        identifier.name,
        identifier.size,
        core["type"],
        hclk * (2 if doubled else 1),
        tuple((int(m["start"], 16), int(m["size"])) for m in flash),
        tuple(
            (ram_name(identifier.family, m["name"]), int(m["start"], 16), int(m["size"]))
            for m in ram
        ),
    )


def ram_name(family: str, name: str) -> str:
    """Without the world's suffix; what the package calls the L4's "ccm" is its SRAM2 (RM0351)."""
    if family == "l4" and name == "ccm":
        return "sram2"
    return name.removesuffix("_ns")


def joined(each: Iterable[Row]) -> list[Row]:
    """The cores of a part as one row: memories by address, the faster core first."""
    by_part: dict[str, list[Row]] = defaultdict(list)
    for row in each:
        by_part[row.part].append(row)
    return [join(cores) for cores in by_part.values()]


def join(cores: list[Row]) -> Row:
    """One row of a part's cores; an address that both see is one memory."""
    first = max(cores, key=lambda row: (row.core, row.clock_hz))
    flash = {start: size for row in cores for start, size in row.flash}
    ram = {start: (name, size) for row in [*cores, first] for name, start, size in row.ram}
    return first._replace(
        core="+".join(sorted({row.core for row in cores}, reverse=True)),
        flash=tuple(sorted(flash.items())),
        ram=tuple((name, start, size) for start, (name, size) in sorted(ram.items())),
    )


def corrected(row: Row) -> tuple[Row, str]:
    """The row with the Flash that its name says, and what was wrong ("" where nothing was)."""
    right = FLASH_EXCEPTIONS.get((row.family, row.name), FLASH_KIB[row.letter]) * _KIB
    found = sum(size for _, size in row.flash)
    if found == right:
        return row, ""
    what = f"Flash of {row.family}{row.name} with letter {row.letter}: {found // _KIB} KiB"
    return row._replace(flash=((row.flash[0][0], right),)), f"{what}, is {right // _KIB}"


def table() -> dict[str, Any]:
    """The whole table."""
    found = list(rows())
    corrections: Counter[str] = Counter()
    groups: dict[tuple[Any, ...], list[str]] = defaultdict(list)
    parts = joined(found)
    for row in parts:
        right, what = corrected(row)
        corrections.update([what] if what else [])
        groups[(right.core, right.clock_hz, right.flash, right.ram)].append(right.part)
    return {
        "source": f"{_PACKAGE} {version(_PACKAGE)}",
        "rows": len(found),
        "parts": len(parts),
        "corrections": dict(sorted(corrections.items())),
        "groups": [
            {"core": core, "clock_hz": clock, "flash": flash, "ram": ram, "parts": sorted(names)}
            for (core, clock, flash, ram), names in sorted(groups.items(), key=lambda g: g[1])
        ],
    }


def text_of(content: dict[str, Any]) -> str:
    """JSON with a line for each group, so that a change of one shows as one."""
    head = {key: value for key, value in content.items() if key != "groups"}
    lines = [json.dumps(group, separators=(",", ":")) for group in content["groups"]]
    start = json.dumps(head, indent=1).removesuffix("\n}")
    return start + ',\n "groups": [\n' + ",\n".join(lines) + "\n]}\n"


def main() -> int:
    """Write the table, or hold it against the package."""
    text = text_of(table())
    if "--check" not in sys.argv[1:]:
        TABLE.write_text(text)
        return 0
    if TABLE.read_text() == text:
        return 0
    print(f"{TABLE}: not what {_PACKAGE} {version(_PACKAGE)} gives; run tools/chip_table.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
