"""What RAM holds at power-on: anything (RM0090 promises nothing), and here the same every time."""

from __future__ import annotations

from random import Random

RAM_FILL = 1  # the seed unless another is asked for; 0: zeros, as few chips have


def power_on_contents(seed: int, base: int, size: int) -> bytes:
    """Of the memory at `base`: each has a pattern of its own."""
    return Random(f"{seed} {base:#010x}").randbytes(size) if seed else bytes(size)
