"""What is done to the training frames so that no two epochs are the same (PyTorch)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from boardless_models.training.recipe import Recipe

ERASED_SIDE = 6


def view_count(shift: int, flip: bool) -> int:
    """How many ways there are to move a frame by up to `shift` pixels, and to mirror it."""
    return (2 * shift + 1) ** 2 * (2 if flip else 1)


def drawn_views(count: int, recipe: Recipe) -> Tensor:
    """A view for each of `count` frames, all equally likely."""
    return torch.randint(0, view_count(recipe.shift, recipe.flip), (count,))


def moved(batch: Tensor, views: Tensor, shift: int) -> Tensor:
    """Each frame [C,H,W] as its view shows it: moved down and right, then mirrored; gaps are black.

    Views are numbered (mirrored, down, right), the last changing fastest, so a recipe without the
    mirror draws the first half.
    """
    count, _, height, width = batch.shape
    side = 2 * shift + 1
    padded = nn.functional.pad(batch, (shift,) * 4).permute(0, 2, 3, 1)
    down = (views // side % side)[:, None] + torch.arange(height)
    right = (views % side)[:, None] + torch.arange(width)
    mirrored = views >= side * side
    right[mirrored] = right[mirrored].flip(1)
    picked = torch.arange(count)[:, None, None]
    return padded[picked, down[:, :, None], right[:, None, :]].permute(0, 3, 1, 2)


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


def augmented(batch: Tensor, views: Tensor, recipe: Recipe) -> Tensor:
    """Frames as one epoch of this recipe sees them."""
    batch = moved(batch, views, recipe.shift)
    return erased(batch, recipe.erase) if recipe.erase else batch
