"""Devices and parts in files of the user's own: `FILE:CLASS@BASE`, `FILE:CLASS`."""

from __future__ import annotations

import importlib.util
import re
import traceback
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from boardless_sim.chips.chip import Placement
from boardless_sim.errors import BoardError, BoardlessError
from boardless_sim.files import require_regular
from boardless_sim.parts.part import Part
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


def load_part(spec: str) -> Part:
    """Read `lamp.py:Lamp` and make the part. The file is executed. Raises `BoardError`."""
    file, _, name = spec.rpartition(":")
    found = getattr(_execute(Path(file)), name, None)
    if not isinstance(found, type) or not hasattr(found, "attach"):
        raise BoardError(f"{file}: no class {name!r} with attach")
    try:
        part: Part = found()
    except (Exception, SystemExit) as error:
        raise BoardError(f"{file}: {name}(): {type(error).__name__}: {error}") from error
    return part


def file_of(spec: str) -> str:
    """The file of a spec, as Python names it in tracebacks."""
    return str(Path(spec.rpartition(":")[0]).absolute())


@contextmanager
def blaming(files: Container[str]) -> Iterator[None]:
    """What a device of the user's own raises is an error of its file, `sys.exit()` too.

    Unseen it would end the run as if the run had wanted to, with whatever code it names.
    """
    try:
        yield
    except BoardlessError:
        raise
    except (Exception, SystemExit) as error:
        place = _place_of(error, files)
        if place is None:
            raise
        raise BoardError(f"{place}: {type(error).__name__}: {error}") from error


def _place_of(error: BaseException, files: Container[str]) -> str | None:
    """File and line of the innermost frame that is in one of the files."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename in files:
            found = f"{frame.f_code.co_filename}:{line}"
    return found


def _execute(path: Path) -> object:
    require_regular(path, "Python with a Peripheral", BoardError, _MOST_BYTES)
    spec = importlib.util.spec_from_file_location(f"boardless_own_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BoardError(f"{path}: not Python, expected a file that ends with .py")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise BoardError(f"{path}: {type(error).__name__}: {error}") from error
    return module
