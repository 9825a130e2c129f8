"""Colours of LTDC and DMA2D: from bytes to ARGB and back (RM0090 tables 62 and 91)."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Argb = NDArray[np.uint8]  # pixels, then alpha, red, green, blue


class ColourFormat(IntEnum):
    """Numbered as both devices do; L4 and the last two are DMA2D's alone."""

    ARGB8888 = 0
    RGB888 = 1
    RGB565 = 2
    ARGB1555 = 3
    ARGB4444 = 4
    L8 = 5
    AL44 = 6
    AL88 = 7
    L4 = 8
    A8 = 9
    A4 = 10


BITS = {
    ColourFormat.ARGB8888: 32, ColourFormat.RGB888: 24, ColourFormat.RGB565: 16,
    ColourFormat.ARGB1555: 16, ColourFormat.ARGB4444: 16, ColourFormat.L8: 8, ColourFormat.AL44: 8,
    ColourFormat.AL88: 16, ColourFormat.L4: 4, ColourFormat.A8: 8, ColourFormat.A4: 4,
}  # fmt: skip
_FIELDS = {
    ColourFormat.RGB565: ((0, 0), (11, 5), (5, 6), (0, 5)),
    ColourFormat.ARGB1555: ((15, 1), (10, 5), (5, 5), (0, 5)),
    ColourFormat.ARGB4444: ((12, 4), (8, 4), (4, 4), (0, 4)),
}  # shift and width of alpha, red, green, blue


def decode(form: ColourFormat, data: bytes, clut: Argb, colour: int = 0) -> Argb:
    """Pixels of a format; `clut` has the colours of L8 and L4, `colour` that of A8 and A4."""
    raw = np.frombuffer(data, np.uint8)
    if form is ColourFormat.ARGB8888:
        return raw.reshape(-1, 4)[:, ::-1]
    if form is ColourFormat.RGB888:
        return _with_alpha(raw.reshape(-1, 3)[:, ::-1], 255)
    if form in _FIELDS:
        words = raw.view("<u2").astype(np.uint32)
        return np.stack([_field(words, *field) for field in _FIELDS[form]], axis=1)
    if form in (ColourFormat.L4, ColourFormat.A4):
        raw = np.stack((raw & 15, raw >> 4), axis=1).reshape(-1)
    if form in (ColourFormat.A8, ColourFormat.A4):
        alpha = raw * np.uint8(17) if form is ColourFormat.A4 else raw
        rgb = np.array([colour >> 16 & 255, colour >> 8 & 255, colour & 255], np.uint8)
        return _with_alpha(np.tile(rgb, (len(alpha), 1)), alpha)
    if form is ColourFormat.AL44:
        return _with_alpha(clut[(raw & 15) * 17][:, 1:], ((raw >> 4) * 17).astype(np.uint8))
    if form is ColourFormat.AL88:
        return _with_alpha(clut[raw[0::2]][:, 1:], raw[1::2])
    return clut[raw]


def encode(form: ColourFormat, pixels: Argb) -> bytes:
    """The same back, for the five formats that can be put out."""
    if form is ColourFormat.ARGB8888:
        return pixels[:, ::-1].tobytes()
    if form is ColourFormat.RGB888:
        return pixels[:, :0:-1].tobytes()
    words = np.zeros(len(pixels), np.uint16)
    for channel, (shift, width) in enumerate(_FIELDS[form]):
        if width:
            words |= (pixels[:, channel].astype(np.uint16) >> (8 - width)) << shift
    return words.astype("<u2").tobytes()


def blend(front: Argb, back: Argb) -> Argb:
    """The front over the back (section 11.3.6)."""
    front_alpha = front[:, :1].astype(np.uint32)
    back_alpha = back[:, :1].astype(np.uint32)
    both = front_alpha * back_alpha // 255
    alpha = front_alpha + back_alpha - both
    weighted = front[:, 1:] * front_alpha + back[:, 1:] * (back_alpha - both)
    rgb = weighted // np.maximum(alpha, 1)
    return np.concatenate((alpha, rgb), axis=1).astype(np.uint8)


def _field(words: NDArray[np.uint32], shift: int, width: int) -> NDArray[np.uint8]:
    """A component, its upper bits repeated below; without bits it is full."""
    if not width:
        return np.full(len(words), 255, np.uint8)
    value = words >> shift & ((1 << width) - 1)
    return (value * 255 // ((1 << width) - 1)).astype(np.uint8)


def _with_alpha(rgb: Argb, alpha: NDArray[np.uint8] | int) -> Argb:
    column = np.full(len(rgb), alpha, np.uint8) if isinstance(alpha, int) else alpha
    return np.concatenate((column[:, None], rgb), axis=1)
