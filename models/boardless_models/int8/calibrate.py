"""The range of every layer's output on the calibration frames, as the exporter will scale it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.dataset import Dataset
from boardless_models.data.network import Network, PlacedLayer, stages
from boardless_models.int8.checkpoint import FloatLayer
from boardless_models.int8.forward import Floats, layer_outputs
from boardless_sim.errors import ModelError

CALIBRATION_COUNT = 1_000
HIGHEST_QUANTILE = 0.9997
LOGIT_QUANTILE = 0.001


def calibration_indices(seed: int, frame_count: int) -> NDArray[np.int32]:
    """Which training frames are calibrated on: drawn once, then a list in the checkpoint."""
    generator = np.random.default_rng(seed)
    picked = generator.choice(frame_count, min(CALIBRATION_COUNT, frame_count), replace=False)
    return np.asarray(np.sort(picked), np.int32)


def output_ranges(
    placed: tuple[PlacedLayer, ...], outputs: list[Floats]
) -> list[tuple[float, float]]:
    """Zero to a high quantile after a ReLU; for logits only the low end may be cut."""
    ranges: list[tuple[float, float]] = []
    for stage, output in zip(placed, outputs, strict=True):
        if stage.is_last:
            ranges.append((float(np.quantile(output, LOGIT_QUANTILE)), float(output.max())))
        else:
            # An activation that goes below zero keeps its few lowest values: they are small.
            ranges.append(
                (min(0.0, float(output.min())), float(np.quantile(output, HIGHEST_QUANTILE)))
            )
    return ranges


def calibrated(
    network: Network, layers: Iterable[FloatLayer], dataset: Dataset, picked: NDArray[np.int32]
) -> tuple[FloatLayer, ...]:
    """The layers with the output ranges that these training frames give."""
    kept, count = tuple(layers), len(dataset.train)
    if int(picked.max()) >= count:
        raise ModelError(f"calibration frame {picked.max()}, expected less than {count}")
    placed = stages(network)
    ranges = output_ranges(placed, layer_outputs(placed, kept, dataset.train.images[picked]))
    return tuple(
        replace(layer, minimum=low, maximum=high)
        for layer, (low, high) in zip(kept, ranges, strict=True)
    )
