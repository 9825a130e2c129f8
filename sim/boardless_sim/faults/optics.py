"""What can go wrong before the sensor: a source of frames, wrapped. ::

board.camera.show(next(noisy(open_frames("shoe.png"), sigma=8.0, seed=1)))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from boardless_sim.camera.frame import Frame


def noisy(frames: Iterable[Frame], sigma: float, seed: int) -> Iterator[Frame]:
    """Gaussian noise of standard deviation `sigma` on every frame, the same for the same seed."""
    generator = np.random.default_rng(seed)
    for frame in frames:
        noise = generator.normal(0.0, sigma, frame.luma.shape)
        luma = np.clip(np.rint(frame.luma + noise), 0, 255).astype(np.uint8)
        yield replace(frame, luma=luma)
