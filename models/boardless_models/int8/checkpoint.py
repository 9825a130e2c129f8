"""Float weights between the steps: batch norm already folded, ranges already calibrated."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import read_arrays, write_arrays
from boardless_models.data.network import Network, network_from_json, network_to_json, stages
from boardless_sim.errors import ModelError
from boardless_sim.json_text import parse_json


@dataclass(frozen=True)
class FloatLayer:
    """Weights [out,rows,columns,in], bias [out], and the range seen at the output.

    `gamma` is the gain [out] that the batch norm had before it was folded, by which channels are
    pruned; `slope` is that of a PReLU below zero.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    minimum: float
    maximum: float
    gamma: NDArray[np.float32] | None = None
    slope: float = 0.0


@dataclass(frozen=True)
class TrainingRecord:
    """How a checkpoint came to be: what must be given again to train it again.

    There is no validation accuracy where it was trained on the validation frames.
    """

    step: str
    seed: int
    epochs: int
    dataset_sha256: str
    validation_accuracy: float | None
    parent: str = ""
    method: str = ""
    recipe: dict[str, float] = field(default_factory=dict)
    teacher: dict[str, Any] = field(default_factory=dict)

    def verdict(self) -> str:
        """The validation accuracy, for a person."""
        if self.validation_accuracy is None:
            return "no validation: trained on the whole"
        return f"validation {self.validation_accuracy:.2%}"


@dataclass(frozen=True)
class Checkpoint:
    """A float network, its weights, its record, and the training frames it is calibrated on."""

    network: Network
    layers: tuple[FloatLayer, ...]
    record: TrainingRecord
    calibration: NDArray[np.int32]


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write the checkpoint as an .npz of plain arrays."""
    arrays: dict[str, NDArray[np.generic]] = {
        "network": np.array(network_to_json(checkpoint.network)),
        "record": np.array(json.dumps(asdict(checkpoint.record), sort_keys=True)),
        "calibration": checkpoint.calibration,
    }
    for index, layer in enumerate(checkpoint.layers):
        arrays[f"weight_{index}"] = layer.weight
        arrays[f"bias_{index}"] = layer.bias
        arrays[f"range_{index}"] = np.array([layer.minimum, layer.maximum], np.float64)
        if layer.gamma is not None:
            arrays[f"gamma_{index}"] = layer.gamma
        if layer.slope:
            arrays[f"slope_{index}"] = np.array(layer.slope, np.float64)
    write_arrays(path, arrays)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint and hold its arrays against the architecture it names."""
    arrays = read_arrays(path)
    try:
        network = network_from_json(str(arrays["network"]))
        record = TrainingRecord(
            **parse_json(str(arrays["record"]), "record", "a training's", ModelError)
        )
        layers = tuple(
            float_layer(arrays, index, stage.weight_shape)
            for index, stage in enumerate(stages(network))
        )
        calibration = np.asarray(arrays["calibration"], np.int32)
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not a checkpoint ({cause!r})") from cause
    if calibration.ndim != 1 or not len(calibration) or int(calibration.min()) < 0:
        raise ModelError(f"{path}: calibration {calibration.shape}, expected indices of frames")
    return Checkpoint(network, layers, record, calibration)


def float_layer(
    arrays: dict[str, NDArray[np.generic]], index: int, shape: tuple[int, int, int, int]
) -> FloatLayer:
    """One layer whose shapes fit and whose numbers are finite."""
    weight = np.asarray(arrays[f"weight_{index}"], np.float32)
    bias = np.asarray(arrays[f"bias_{index}"], np.float32)
    if weight.shape != shape or bias.shape != shape[:1]:
        raise ModelError(
            f"layer {index}: weights {weight.shape}, bias {bias.shape}; expected {shape}"
        )
    minimum, maximum = np.asarray(arrays[f"range_{index}"], np.float64)
    slope = float(np.asarray(arrays.get(f"slope_{index}", np.zeros(())), np.float64))
    gamma = None
    if f"gamma_{index}" in arrays:
        gamma = np.asarray(arrays[f"gamma_{index}"], np.float32)
        if gamma.shape != bias.shape or not np.isfinite(gamma).all():
            raise ModelError(f"layer {index}: gamma {gamma.shape}, expected finite {bias.shape}")
    finite = np.isfinite(weight).all() and np.isfinite(bias).all() and np.isfinite(slope)
    if not finite or not np.isfinite([minimum, maximum]).all() or minimum >= maximum:
        raise ModelError(f"layer {index}: not finite, or an empty range {minimum}..{maximum}")
    return FloatLayer(weight, bias, float(minimum), float(maximum), gamma, slope)
