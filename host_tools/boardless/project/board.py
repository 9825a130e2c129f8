"""The board and the image in `boardless.toml`: what is soldered, and what is flashed.

[board]
chip = "stm32f429zi"
crystal = "8M"                    # or "none"
semihosting = "files"             # the folder that the firmware may open files of

[camera]
sensor = "ov7670"
bus = "i2c2"                      # or gpio:PB8,PB9: clock and data by hand
xclk = "MCO1"                     # or MCO2, TIM1_CH1, 24M (an oscillator)
powerdown = "PG9"
reset = "PA7"

[[attach]]
device = "ssd1306"                # or a class of your own, "lamp.py:Lamp"
at = "i2c1"                       # gpio:PB8,PB9, fsmc:0x60000000, PD12

[image]
vector-table = 0x08010000
also = [{ file = "boot.bin", at = 0x08000000 }]
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from boardless.project.toml_table import TomlTable
from boardless_sim.boards.board import Attachment, CameraWiring
from boardless_sim.boards.plan import CAMERA, DEFAULT_CHIP, BoardPlan
from boardless_sim.boards.wiring import require_possible
from boardless_sim.contract import Contract
from boardless_sim.elf.image import ImagePlan
from boardless_sim.errors import BoardError

_CARD = "sdio:"  # before the file that is in the card
_HERTZ = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(M|k)?", re.ASCII)
_SCALE = {"M": 1_000_000, "k": 1_000, None: 1}
_CRYSTAL_HZ = range(1_000_000, 50_000_001)  # HSE, bypassed too (the data sheets, 5.3.9 on)
_WATCH_CRYSTAL_HZ = range(32_000, 33_000)


def read_board(
    root: TomlTable, board: TomlTable, chip: str | None, contract: Contract
) -> BoardPlan:
    """The board of a file; the reference board where it says nothing. Raises `ConfigError`."""
    port, baud = contract.port, contract.baud
    plan = BoardPlan(
        chip=(chip or DEFAULT_CHIP).lower(),
        crystal_hz=_hertz(board, "crystal", BoardPlan.crystal_hz, _CRYSTAL_HZ),
        watch_crystal_hz=_hertz(
            board, "watch-crystal", BoardPlan.watch_crystal_hz, _WATCH_CRYSTAL_HZ
        ),
        camera=_camera(root.table("camera")),
        attached=tuple(_attachment(entry) for entry in root.tables("attach")),
        console_bauds={port: baud} if baud is not None and port is not None else {},
        semihosting=_folder(board, "semihosting"),
    )
    try:
        require_possible(plan)
    except BoardError as error:
        raise root.error(str(error)) from error
    return plan


def _folder(table: TomlTable, key: str) -> Path | None:
    name = table.text(key)
    if name is None:
        return None
    if not (table.folder / name).is_dir():
        raise table.error(f"{key}: found no folder {name!r}, expected one beside the file")
    return table.folder / name


def read_image(table: TomlTable) -> ImagePlan:
    """`[image]`: how the firmware is flashed."""
    symbols = table.text("symbols")
    plan = ImagePlan(
        vector_table=_address(table, "vector-table"),
        at=_address(table, "at"),
        also=tuple(_beside(entry) for entry in table.tables("also")),
        symbols=None if symbols is None else table.folder / symbols,
    )
    table.close()
    return plan


def _address(table: TomlTable, key: str) -> int | None:
    if table.has(key):
        return table.whole(key)
    table.leave(key)
    return None


def _beside(entry: TomlTable) -> tuple[Path, int | None]:
    found = entry.folder / entry.required_text("file"), _address(entry, "at")
    entry.close()
    return found


def _camera(table: TomlTable) -> CameraWiring | None:
    if not table.given:
        return None
    from boardless_sim.camera.sensors.catalog import SENSORS  # here: most files have no camera

    wiring = CameraWiring(
        sensor=_known(table, "sensor", SENSORS) or CAMERA.sensor,
        bus=table.text("bus") or CAMERA.bus,
        xclk=table.text("xclk") or CAMERA.xclk,
        powerdown=table.text("powerdown"),
        reset=table.text("reset"),
    )
    table.close()
    return wiring


def _attachment(entry: TomlTable) -> Attachment:
    device, at = entry.required_text("device"), entry.required_text("at")
    if ".py:" in device:
        device = str(entry.folder / device)
    else:
        from boardless_sim.parts.catalog import PARTS

        device = _known(entry, "device", PARTS) or device
    if at.startswith(_CARD):
        at = f"{_CARD}{entry.folder / at.removeprefix(_CARD)}"
        if device == "sd-card":  # its contents lie beside the TOML
            bus, colon, name = at.partition(":")
            at = f"{bus}{colon}{entry.folder / name}" if name else at
    entry.close()
    return Attachment(device, at)


def _known(table: TomlTable, key: str, known: Collection[str]) -> str | None:
    """A name of a catalogue, in its spelling."""
    name = table.text(key)
    if name is not None and name.lower() not in known:
        raise table.error(f"{key}: found {name!r}, expected one of {', '.join(sorted(known))}")
    return None if name is None else name.lower()


def _hertz(table: TomlTable, key: str, usual: int | None, possible: range) -> int | None:
    """A frequency as "8M", 25000000 or "none"; the usual one where the file has none."""
    if not table.has(key):
        table.leave(key)
        return usual
    value = table.value(key)
    if value == "none":
        return None
    match = _HERTZ.fullmatch(str(value))
    hertz = 0 if match is None else round(float(match[1]) * _SCALE[match[2]])
    if hertz not in possible:
        expected = f"{possible.start} to {possible.stop - 1} Hz, as '8M', or 'none'"
        raise table.error(f"{key}: found {value!r}, expected {expected}")
    return hertz
