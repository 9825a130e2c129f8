"""Float weights between the steps: batch norm already folded, ranges already calibrated."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.network import Network, network_from_json, network_to_json, stages
from boardless_sim.errors import ModelError

LARGEST_FILE_BYTES = 16 * 1024 * 1024


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
class Record:
    """How a checkpoint came to be: what must be given again to train it again."""

    step: str
    seed: int
    epochs: int
    dataset_sha256: str
    calibration_seed: int
    validation_accuracy: float
    parent: str = ""
    method: str = ""
    recipe: dict[str, float] = field(default_factory=dict)
    teacher: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """A float network, its weights, and how it was trained."""

    network: Network
    layers: tuple[FloatLayer, ...]
    record: Record


def read_arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    """Every array of an .npz, without pickle; a damaged or bloated file is a `ModelError`."""
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > LARGEST_FILE_BYTES:
            raise ModelError(
                f"{path}: {unpacked} bytes unpacked, expected at most {LARGEST_FILE_BYTES}"
            )
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as cause:
        raise ModelError(f"{path}: not a readable .npz ({cause})") from cause


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write the checkpoint as an .npz of plain arrays."""
    arrays: dict[str, NDArray[np.generic]] = {
        "network": np.array(network_to_json(checkpoint.network)),
        "record": np.array(json.dumps(asdict(checkpoint.record), sort_keys=True)),
    }
    for index, layer in enumerate(checkpoint.layers):
        arrays[f"weight_{index}"] = layer.weight
        arrays[f"bias_{index}"] = layer.bias
        arrays[f"range_{index}"] = np.array([layer.minimum, layer.maximum], np.float64)
        if layer.gamma is not None:
            arrays[f"gamma_{index}"] = layer.gamma
        if layer.slope:
            arrays[f"slope_{index}"] = np.array(layer.slope, np.float64)
    np.savez(path, allow_pickle=False, **arrays)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint and hold its arrays against the architecture it names."""
    arrays = read_arrays(path)
    try:
        network = network_from_json(str(arrays["network"]))
        record = Record(**json.loads(str(arrays["record"])))
        layers = tuple(
            float_layer(arrays, index, stage.weight_shape)
            for index, stage in enumerate(stages(network))
        )
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not a checkpoint ({cause!r})") from cause
    return Checkpoint(network, layers, record)


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
