"""How a network is taught, as data: what a checkpoint's record must hold to teach it again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Length, rate, regularisation and augmentation of one training run.

    The rate rises over the share `warm_up` of the steps and falls along a cosine. `average` is the
    decay of the running mean of the weights, which is what is validated and kept; 0 keeps the
    weights themselves. Of the loss, the share `distilled` is the teacher's word, softened by
    `temperature`. With `bfloat16` the forward pass computes in it, which is faster where the
    processor multiplies it. With `whole` the validation frames are trained on too and the last
    epoch is kept: for a recipe that the split has settled, since nothing judges it any more.
    In the share `grid` of the epochs, the last ones, the weights stand on the grid of their bits.
    """

    epochs: int
    peak_rate: float
    warm_up: float = 0.15
    weight_decay: float = 1e-4
    label_smoothing: float = 0.0
    shift: int = 1
    flip: bool = False
    erase: float = 0.0
    average: float = 0.0
    distilled: float = 0.0
    temperature: float = 4.0
    bfloat16: bool = False
    whole: bool = False
    grid: float = 0.0


FLOAT = Recipe(epochs=40, peak_rate=8e-3)
GRID = Recipe(epochs=12, peak_rate=1.5e-3, warm_up=0.1, weight_decay=1e-5)
SPARSE = Recipe(epochs=8, peak_rate=2e-3, warm_up=0.1, weight_decay=1e-5)
SEARCH = Recipe(epochs=2, peak_rate=8e-3)
TEACHER = Recipe(
    epochs=16,
    peak_rate=0.1,
    warm_up=0.2,
    weight_decay=5e-4,
    shift=2,
    flip=True,
    erase=0.5,
    bfloat16=True,
)
