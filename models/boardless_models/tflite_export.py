"""The artifact as a full-int8 .tflite of the same network, without TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np

from boardless_models import tflite_file as tfl
from boardless_models.artifact import (
    QuantizedLayer,
    QuantizedNetwork,
    Scales,
    artifact_sha256,
    load_artifact,
)
from boardless_models.network import Shape, Stage
from boardless_models.tflite_file import FileOperator, FileTensor, Options, TfliteFile
from boardless_sim.errors import BoardlessError, ModelError


class Builder:
    """Tensors and operators in the order in which they are added."""

    def __init__(self) -> None:
        self.tensors: list[FileTensor] = []
        self.operators: list[FileOperator] = []

    def add(self, tensor: FileTensor) -> int:
        """The tensor's number."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def activation(self, name: str, shape: Shape, scale: float, zero_point: int) -> int:
        """An int8 tensor between two operators."""
        extents = (1, shape.height, shape.width, shape.channels)
        return self.add(activation(name, extents, scale, zero_point))


def activation(name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> FileTensor:
    """An int8 tensor without data."""
    return FileTensor(
        name,
        shape,
        tfl.INT8,
        scales=np.array([scale], np.float32),
        zero_points=np.array([zero_point], np.int64),
    )


def scales_of(layer: QuantizedLayer, index: int) -> Scales:
    """The layer's scales, which an artifact of an earlier version lacks."""
    if layer.scales is None:
        raise ModelError(f"layer {index}: no scales, expected an artifact quantised with them")
    return layer.scales


def constants(builder: Builder, stage: Stage, layer: QuantizedLayer, index: int) -> list[int]:
    """Weights and bias of one layer."""
    scales = scales_of(layer, index)
    outputs = len(layer.bias)
    weight, axis = layer.weight, 0
    if stage.kind == "depthwise":
        weight, axis = weight.transpose(3, 1, 2, 0), 3
    if stage.kind == "dense":
        weight = weight.reshape(outputs, -1)
    bias_scales = np.float32(scales.input) * scales.weight
    zeros = np.zeros(outputs, np.int64)
    return [
        builder.add(
            FileTensor(
                f"{name}_{index}", array.shape, kind, array.tobytes(), grid, zeros, quantized_axis
            )
        )
        for name, array, kind, grid, quantized_axis in (
            ("weights", weight, tfl.INT8, scales.weight, axis),
            ("bias", layer.bias, tfl.INT32, bias_scales.astype(np.float32), 0),
        )
    ]


def add_layer(
    builder: Builder, stage: Stage, layer: QuantizedLayer, index: int, source: int
) -> int:
    """One layer, and the number of its output."""
    scale, zero_point = scales_of(layer, index).output, layer.output_zero_point
    inputs = (source, *constants(builder, stage, layer, index))
    if stage.kind == "dense":
        shape = (1, stage.output.channels)
        output = builder.add(activation(f"layer_{index}", shape, scale, zero_point))
        builder.operators.append(FileOperator(tfl.FULLY_CONNECTED, inputs, (output,)))
        return output
    if stage.activation not in ("relu", "relu6"):  # int8 saturates where the ReLU6 ends
        raise ModelError(f"layer {index}: {stage.activation}, expected relu or relu6")
    depthwise = stage.kind == "depthwise"
    code = tfl.DEPTHWISE_CONV_2D if depthwise else tfl.CONV_2D
    options = Options(
        padding=tfl.SAME,
        stride_width=1,
        stride_height=1,
        depth_multiplier=1,
        activation=tfl.RELU,
    )
    pooled = stage.pool > 1
    shape_before = Shape(stage.input.height, stage.input.width, stage.output.channels)
    name = f"layer_{index}" + ("_before_pool" if pooled else "")
    output = builder.activation(name, shape_before, scale, zero_point)
    builder.operators.append(FileOperator(code, inputs, (output,), options))
    if not pooled:
        return output
    side = stage.pool
    window = Options(
        padding=tfl.VALID,
        stride_width=side,
        stride_height=side,
        window_width=side,
        window_height=side,
    )
    kept = builder.activation(f"layer_{index}", stage.output, scale, zero_point)
    builder.operators.append(FileOperator(tfl.MAX_POOL_2D, (output,), (kept,), window))
    return kept


def tflite_of(quantized: QuantizedNetwork) -> TfliteFile:
    """The network as operators: a convolution a layer, and its pool."""
    builder = Builder()
    first = quantized.layers[0]
    source = builder.activation(
        "input", quantized.network.input, scales_of(first, 0).input, first.input_zero_point
    )
    at = source
    for index, (stage, layer) in enumerate(quantized.staged()):
        at = add_layer(builder, stage, layer, index, at)
    return TfliteFile(tuple(builder.tensors), tuple(builder.operators), (source,), (at,))


def tflite_bytes(quantized: QuantizedNetwork, sha256: str) -> bytes:
    """The file, which names the artifact that it comes from."""
    description = f"{quantized.network.name}, sha256 {sha256}, by boardless_models.tflite_export"
    return tfl.write_tflite(tflite_of(quantized), description)


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def main(artifact: Path, output: Path) -> None:
    """Write ARTIFACT as the full-int8 OUTPUT (.tflite)."""
    try:
        content = tflite_bytes(load_artifact(artifact), artifact_sha256(artifact))
        output.write_bytes(content)
    except BoardlessError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"error: {output}: {error.strerror}", err=True)
        sys.exit(2)
    click.echo(f"{output}: {len(content)} bytes")


if __name__ == "__main__":
    main()
