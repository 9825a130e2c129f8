"""A device in a file of the user's own: `FILE:CLASS@BASE`."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from boardless_sim.chips.chip import Placement
from boardless_sim.errors import BoardError
from boardless_sim.files import require_regular
from boardless_sim.peripherals.peripheral import Peripheral

_SPEC = re.compile(r"(?P<file>.+):(?P<name>[A-Za-z_]\w*)@(?P<base>0x[0-9a-fA-F]+|\d+)")
_SLOT = 0x400
_MOST_BYTES = 16 << 20


def load_placement(spec: str) -> Placement:
    """Read `rng.py:Rng@0x50060800`: the class `Rng` of `rng.py` at that base address.

    The file is Python and is executed. The class is called with the name of the device: its own
    name in capitals. Raises `BoardError`.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise BoardError(f"peripheral {spec!r}, expected FILE:CLASS@BASE, as rng.py:Rng@0x50060800")
    path, name, base = Path(match["file"]), match["name"], int(match["base"], 0)
    if base % _SLOT or not 0x4000_0000 <= base < 0x6000_0000:
        raise BoardError(
            f"peripheral {spec!r}: base {base:#010x}, expected a multiple of {_SLOT:#x} in "
            "0x40000000-0x5fffffff"
        )
    found = getattr(_execute(path), name, None)
    if not (isinstance(found, type) and issubclass(found, Peripheral)):
        raise BoardError(f"{path}: no class {name!r} derived from Peripheral")
    return Placement(name.upper(), base, found)


def _execute(path: Path) -> object:
    require_regular(path, "Python with a Peripheral", BoardError, _MOST_BYTES)
    spec = importlib.util.spec_from_file_location(f"boardless_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BoardError(f"{path}: not Python, expected a file that ends with .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BoardError(f"{path}: {type(error).__name__}: {error}") from error
    return module
