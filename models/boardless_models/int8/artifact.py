"""The quantised network as a file: an .npz without pickle, its .sha256, and its provenance."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import read_arrays, write_arrays
from boardless_models.data.network import Network, Stage, network_from_json, network_to_json, stages
from boardless_models.int8.activation import GREATEST_SLOPE_EXPONENT, INPUTS, Slopes, Tabled
from boardless_models.int8.rounding import (
    GREATEST_SHIFT,
    LEAST_SHIFT,
    MULTIPLIER_BITS,
    ROUNDING,
    largest_weight,
)
from boardless_models.int8.scaling import LEAST_EXPONENT, ROUNDINGS, Rounding
from boardless_sim.errors import ModelError

FORMAT_VERSION = 1
# Activations that take sums from a grid of their own.
OWN_GRID = ("prelu", "hard-swish")
# An int8 input less its zero point, times an int8 weight.
LARGEST_PRODUCT = 255 * 127


@dataclass(frozen=True)
class Scales:
    """What one step is worth, as float32: of the input, of each channel's weights, of the output.

    multiplier and shift are input × weight / output, in this order in float64; the output is that
    of the sums where an activation follows on a grid of its own.
    """

    input: float
    weight: NDArray[np.float32]
    output: float


@dataclass(frozen=True)
class QuantizedLayer:
    """Weights [out,rows,columns,in]; bias, multiplier and shift a channel; zero points.

    Inference is integers alone; the scales are kept for files that name them (.tflite). A ReLU is
    the floor of the output's grid; another activation takes sums from a grid of their own.
    """

    weight: NDArray[np.int8]
    bias: NDArray[np.int32]
    multiplier: NDArray[np.int32]
    shift: NDArray[np.uint8]
    input_zero_point: int
    output_zero_point: int
    scales: Scales | None = None
    activation: Slopes | Tabled | None = None

    @property
    def sums_zero_point(self) -> int:
        """The zero point of the grid that sums are requantised to."""
        return self.activation.zero_point if self.activation else self.output_zero_point


@dataclass(frozen=True)
class QuantizedNetwork:
    """Everything that inference needs, in integers."""

    network: Network
    layers: tuple[QuantizedLayer, ...]
    score_step: int
    rounding: Rounding = ROUNDING

    def staged(self) -> tuple[tuple[Stage, QuantizedLayer], ...]:
        """Every layer with its place in the network."""
        return tuple(zip(stages(self.network), self.layers, strict=True))


def checksum_path(path: Path) -> Path:
    """The file that holds the digest of the artifact."""
    return path.with_suffix(".sha256")


def provenance_path(path: Path) -> Path:
    """The file that says where the artifact comes from."""
    return path.with_suffix(".json")


def save_artifact(quantized: QuantizedNetwork, provenance: dict[str, Any], path: Path) -> str:
    """Write the three files and return the digest of the first."""
    arrays: dict[str, NDArray[np.generic]] = {
        "format_version": np.array(FORMAT_VERSION, np.int32),
        "rounding": np.array(quantized.rounding),
        "network": np.array(network_to_json(quantized.network)),
        "score_step": np.array(quantized.score_step, np.int32),
    }
    for index, layer in enumerate(quantized.layers):
        arrays[f"weight_{index}"] = layer.weight
        arrays[f"bias_{index}"] = layer.bias
        arrays[f"multiplier_{index}"] = layer.multiplier
        arrays[f"shift_{index}"] = layer.shift
        points = [layer.input_zero_point, layer.output_zero_point]
        arrays[f"zero_points_{index}"] = np.array(points, np.int8)
        if layer.scales is not None:
            ends = [layer.scales.input, layer.scales.output]
            arrays[f"weight_scale_{index}"] = layer.scales.weight
            arrays[f"scales_{index}"] = np.array(ends, np.float32)
        if layer.activation is not None:
            arrays |= activation_arrays(layer.activation, index)
    write_arrays(path, arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n", encoding="ascii")
    body = {"sha256": digest, "rounding": quantized.rounding, **provenance}
    provenance_path(path).write_text(json.dumps(body, indent=2) + "\n", encoding="ascii")
    return digest


def activation_arrays(activation: Slopes | Tabled, index: int) -> dict[str, NDArray[np.generic]]:
    """The arrays of an activation that is no clamp."""
    arrays: dict[str, NDArray[np.generic]] = {
        f"sums_scale_{index}": np.array([activation.scale], np.float32),
        f"sums_zero_point_{index}": np.array([activation.zero_point], np.int8),
    }
    if isinstance(activation, Tabled):
        return arrays | {f"table_{index}": activation.table}
    return arrays | {
        f"slope_{index}": np.array([activation.slope], np.int8),
        f"slope_scale_{index}": np.array([activation.slope_scale], np.float32),
        f"factors_{index}": np.array([activation.above, activation.below], np.int32),
    }


def artifact_sha256(path: Path) -> str:
    """The digest of the artifact, equal to the one in the file beside it."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        words = checksum_path(path).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as cause:
        raise ModelError(f"{path}: artifact or checksum cannot be read ({cause})") from cause
    expected = words[0] if words else "nothing"
    if found != expected:
        raise ModelError(f"{path}: sha256 {found}, expected {expected}")
    return found


def load_artifact(path: Path) -> QuantizedNetwork:
    """Read an artifact whose checksum holds and whose every value a kernel can take."""
    artifact_sha256(path)
    arrays = read_arrays(path)
    try:
        version, rounding = int(arrays["format_version"]), str(arrays["rounding"])
        if version != FORMAT_VERSION or rounding not in ROUNDINGS:
            raise ModelError(
                f"{path}: format {version}, rounding {rounding!r}; "
                f"expected {FORMAT_VERSION}, {' or '.join(ROUNDINGS)}"
            )
        way: Rounding = "double" if rounding == "double" else "single"
        network = network_from_json(str(arrays["network"]))
        layers = tuple(
            quantized_layer(arrays, index, stage) for index, stage in enumerate(stages(network))
        )
        return QuantizedNetwork(network, layers, int(arrays["score_step"]), way)
    except (KeyError, TypeError, ValueError) as cause:
        raise ModelError(f"{path}: not an artifact ({cause!r})") from cause


def quantized_layer(
    arrays: dict[str, NDArray[np.generic]], index: int, stage: Stage
) -> QuantizedLayer:
    """One layer, each array of the type and shape that its place asks for."""
    shape = stage.weight_shape
    points = typed(arrays, f"zero_points_{index}", np.dtype(np.int8), (2,))
    layer = QuantizedLayer(
        weight=typed(arrays, f"weight_{index}", np.dtype(np.int8), shape),
        bias=typed(arrays, f"bias_{index}", np.dtype(np.int32), shape[:1]),
        multiplier=typed(arrays, f"multiplier_{index}", np.dtype(np.int32), shape[:1]),
        shift=typed(arrays, f"shift_{index}", np.dtype(np.uint8), shape[:1]),
        input_zero_point=int(points[0]),
        output_zero_point=int(points[1]),
        scales=layer_scales(arrays, index, shape[0]),
        activation=layer_activation(arrays, index, stage.activation),
    )
    check_layer(layer, stage, index)
    return layer


def layer_scales(arrays: dict[str, NDArray[np.generic]], index: int, outputs: int) -> Scales | None:
    """The scales of one layer; None where the file has none."""
    if f"scales_{index}" not in arrays:
        return None
    kind = np.dtype(np.float32)
    ends = typed(arrays, f"scales_{index}", kind, (2,))
    weight = typed(arrays, f"weight_scale_{index}", kind, (outputs,))
    every = np.concatenate([ends, weight])
    if not np.isfinite(every).all() or float(every.min()) <= 0.0:
        raise ModelError(f"layer {index}: a scale of {every.min()}, expected positive numbers")
    return Scales(float(ends[0]), weight, float(ends[1]))


def layer_activation(
    arrays: dict[str, NDArray[np.generic]], index: int, name: str
) -> Slopes | Tabled | None:
    """The activation of a layer that is no clamp."""
    if name not in OWN_GRID:
        return None
    scale = float(typed(arrays, f"sums_scale_{index}", np.dtype(np.float32), (1,))[0])
    zero_point = int(typed(arrays, f"sums_zero_point_{index}", np.dtype(np.int8), (1,))[0])
    if not np.isfinite(scale) or scale <= 0.0:
        raise ModelError(f"layer {index}: sums on a scale of {scale}, expected a positive number")
    if name == "hard-swish":
        table = typed(arrays, f"table_{index}", np.dtype(np.int8), (INPUTS.size,))
        return Tabled(scale, zero_point, table)
    slope_scale = float(typed(arrays, f"slope_scale_{index}", np.dtype(np.float32), (1,))[0])
    slope = int(typed(arrays, f"slope_{index}", np.dtype(np.int8), (1,))[0])
    factors = typed(arrays, f"factors_{index}", np.dtype(np.int32), (2, 2))
    above, below = ((int(multiplier), int(exponent)) for multiplier, exponent in factors)
    for multiplier, exponent in (above, below):
        if multiplier < 0 or not LEAST_EXPONENT <= exponent <= GREATEST_SLOPE_EXPONENT:
            raise ModelError(f"layer {index}: factor {multiplier} × 2^({exponent} - 31)")
    if slope < 0 or not np.isfinite(slope_scale) or slope_scale <= 0.0:
        raise ModelError(f"layer {index}: slope {slope} × {slope_scale}, expected none below zero")
    return Slopes(scale, zero_point, slope, slope_scale, above, below)


def typed(
    arrays: dict[str, NDArray[np.generic]], name: str, kind: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[Any]:
    """The named array, if it is of this type and shape."""
    array = arrays[name]
    if array.dtype != kind or array.shape != shape:
        raise ModelError(f"{name}: {array.dtype} {array.shape}, expected {kind} {shape}")
    return array


def check_layer(layer: QuantizedLayer, stage: Stage, index: int) -> None:
    """Refuse what would overflow an int32 sum or the kernels' requantise step."""
    largest_stored = largest_weight(stage.layer.bits)
    if int(layer.weight.min()) < -largest_stored or int(layer.weight.max()) > largest_stored:
        raise ModelError(
            f"layer {index}: weights {layer.weight.min()} to {layer.weight.max()}, "
            f"expected -{largest_stored} to {largest_stored}"
        )
    largest = stage.fan_in * LARGEST_PRODUCT + int(np.abs(layer.bias.astype(np.int64)).max())
    if largest >= 1 << 31:
        raise ModelError(f"layer {index}: sums reach {largest}, expected less than 2^31")
    if int(layer.multiplier.min()) < 1 << (MULTIPLIER_BITS - 1):
        raise ModelError(f"layer {index}: multiplier below 2^{MULTIPLIER_BITS - 1}")
    if int(layer.shift.min()) < LEAST_SHIFT or int(layer.shift.max()) > GREATEST_SHIFT:
        raise ModelError(f"layer {index}: shift outside {LEAST_SHIFT} to {GREATEST_SHIFT}")
