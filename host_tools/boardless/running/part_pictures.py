"""What hangs on a board, as evidence: a display's picture, the state of anything else."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from boardless_sim.engines.engine import Capability, Engine
from boardless_sim.errors import BoardlessError

PREFIX = "part-"  # of the files of a board's parts
_PLAIN = (bool, int, float, str)


def parts_of(engine: Engine) -> Mapping[str, object]:
    """By name; none where the engine has none."""
    return engine.parts() if Capability.PARTS in engine.capabilities else {}


def picture_of(name: str, part: object) -> NDArray[np.uint8]:
    """Rows, columns, red, green, blue. Raises `BoardlessError` for a part without a picture."""
    rgb = getattr(part, "rgb", None)
    if not isinstance(rgb, np.ndarray) or rgb.ndim != 3:
        raise BoardlessError(f"part {name!r} shows no picture, expected a display")
    return rgb


def state_of(part: object) -> dict[str, bool | int | float | str]:
    """Its public attributes that are plain values."""
    names = [name for name in dir(part) if not name.startswith("_") and not name.isupper()]
    found = {name: getattr(part, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, _PLAIN)}


def png_of(rgb: NDArray[np.uint8]) -> bytes:
    """A picture as a file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "PNG")
    return stream.getvalue()


def evidence_of(parts: Mapping[str, object]) -> dict[str, bytes]:
    """Files by name: "part-ili9341.png" for a display, "part-states.txt" for the others."""
    files: dict[str, bytes] = {}
    lines: list[str] = []
    for name, part in parts.items():
        try:
            files[f"{PREFIX}{re.sub(r'[^A-Za-z0-9._-]+', '_', name)}.png"] = png_of(
                picture_of(name, part)
            )
        except BoardlessError:
            told = ", ".join(f"{key} {value}" for key, value in state_of(part).items())
            lines.append(f"{name}: {told}\n")
    if lines:
        files[f"{PREFIX}states.txt"] = "".join(lines).encode()
    return files
