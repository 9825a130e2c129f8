"""A frame: what the lens sees, before the sensor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Frame:
    """One test picture.

    `luma` is [height, width] uint8, 0 black to 255 white: what the reader gave, not yet scaled to
    the sensor. `name` says where it came from ("t10k-images[12]", "shoe.png"). `label` is the true
    class where the source knows one. `colour` is [height, width, 3], red, green and blue, where the
    picture has any.
    """

    name: str
    luma: Luma
    label: int | None = None
    colour: Luma | None = None
