"""What a network is taught by: the labels, and where there is one a teacher's soft word."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from boardless_models.training.recipe import Recipe


@dataclass(frozen=True)
class Lesson:
    """A batch's labels, and the teacher's logits for it when there is a teacher."""

    labels: Tensor
    soft: Tensor | None


def loss_of(logits: Tensor, lesson: Lesson, recipe: Recipe) -> Tensor:
    """Cross-entropy with the labels; a share of it with the teacher, both softened alike."""
    hard = nn.functional.cross_entropy(
        logits, lesson.labels, label_smoothing=recipe.label_smoothing
    )
    if lesson.soft is None:
        return hard
    heat = recipe.temperature
    told = torch.softmax(lesson.soft / heat, 1)
    said = torch.log_softmax(logits / heat, 1)
    # The gradient shrinks with the square of the temperature.
    soft = nn.functional.kl_div(said, told, reduction="batchmean") * heat * heat
    return (1.0 - recipe.distilled) * hard + recipe.distilled * soft
