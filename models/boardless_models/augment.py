"""What is done to the training frames so that no two epochs are the same (PyTorch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from boardless_models.recipe import Recipe

ERASED_SIDE = 6


def moved(batch: Tensor, shift: int, flip: bool) -> Tensor:
    """Each frame moved by up to `shift` pixels, half of them mirrored; the gap is black."""
    count, _, height, width = batch.shape
    padded = nn.functional.pad(batch, (shift,) * 4)[:, 0]
    down = torch.randint(0, 2 * shift + 1, (count, 1)) + torch.arange(height)
    right = torch.randint(0, 2 * shift + 1, (count, 1)) + torch.arange(width)
    if flip:
        mirrored = torch.rand(count) < 0.5
        right[mirrored] = right[mirrored].flip(1)
    picked = torch.arange(count)[:, None, None]
    return padded[picked, down[:, :, None], right[:, None, :]][:, None]


def erased(batch: Tensor, share: float) -> Tensor:
    """A small square of some frames blackened."""
    count, _, height, width = batch.shape
    top = torch.randint(0, height - ERASED_SIDE + 1, (count, 1))
    left = torch.randint(0, width - ERASED_SIDE + 1, (count, 1))
    rows = torch.arange(height) - top
    columns = torch.arange(width) - left
    inside_rows = (rows >= 0) & (rows < ERASED_SIDE)
    inside_columns = (columns >= 0) & (columns < ERASED_SIDE)
    square = inside_rows[:, :, None] & inside_columns[:, None, :]
    square &= (torch.rand(count) < share)[:, None, None]
    return batch.masked_fill(square[:, None], 0.0)


def augmented(batch: Tensor, recipe: Recipe) -> Tensor:
    """Frames as one epoch of this recipe sees them."""
    batch = moved(batch, recipe.shift, recipe.flip)
    return erased(batch, recipe.erase) if recipe.erase else batch
