"""The artifact as a full-int8 .tflite of the same network, without TensorFlow."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from boardless_models.data.network import Shape, Stage
from boardless_models.graph.chain import before_pool
from boardless_models.int8.activation import Slopes, Tabled
from boardless_models.int8.artifact import (
    QuantizedLayer,
    QuantizedNetwork,
    Scales,
    artifact_sha256,
    load_artifact,
)
from boardless_models.tflite import file as tfl
from boardless_models.tflite.file import FileOperator, FileTensor, Options, TfliteFile
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
        flat = activation(f"layer_{index}", (1, stage.output.channels), scale, zero_point)
        output = builder.add(flat)
        builder.operators.append(FileOperator(tfl.FULLY_CONNECTED, inputs, (output,)))
        return output
    depthwise = stage.kind == "depthwise"
    code = tfl.DEPTHWISE_CONV_2D if depthwise else tfl.CONV_2D
    own = layer.activation
    options = Options(
        padding=tfl.SAME,
        stride_width=1,
        stride_height=1,
        depth_multiplier=1,
        # Int8 saturates where a ReLU6 ends.
        activation=tfl.NO_ACTIVATION if own else tfl.RELU,
    )
    grid = (own.scale, own.zero_point) if own else (scale, zero_point)
    steps = steps_of(stage, own)
    shape = before_pool(stage)
    names = [*(f"layer_{index}_before_{step}" for step in steps), f"layer_{index}"]
    at = builder.activation(names[0], shape, *grid)
    builder.operators.append(FileOperator(code, inputs, (at,), options))
    for step, name in zip(steps, names[1:], strict=True):
        grid = grid if step == "pool" else (scale, zero_point)
        shape = stage.output if step == "pool" else shape
        target = builder.activation(name, shape, *grid)
        if step == "pool":
            builder.operators.append(pool(stage.pool, at, target))
        elif own:
            builder.operators.append(add_activation(builder, own, index, at, target))
        at = target
    return at


def steps_of(stage: Stage, own: Slopes | Tabled | None) -> list[str]:
    """What follows the convolution; a PReLU only rises, so that its pool comes first."""
    pools = ["pool"] if stage.pool > 1 else []
    if own is None:
        return pools
    return [*pools, "prelu"] if isinstance(own, Slopes) else ["hard_swish", *pools]


def pool(side: int, source: int, target: int) -> FileOperator:
    """The max-pool of a layer."""
    window = Options(
        padding=tfl.VALID,
        stride_width=side,
        stride_height=side,
        window_width=side,
        window_height=side,
    )
    return FileOperator(tfl.MAX_POOL_2D, (source,), (target,), window)


def add_activation(
    builder: Builder, own: Slopes | Tabled, index: int, source: int, target: int
) -> FileOperator:
    """PRELU with its one slope, or HARD_SWISH."""
    if isinstance(own, Tabled):
        return FileOperator(tfl.HARD_SWISH, (source,), (target,))
    slope = replace(
        activation(f"slope_{index}", (1, 1, 1), own.slope_scale, 0),
        data=np.array(own.slope, np.int8).tobytes(),
    )
    return FileOperator(tfl.PRELU, (source, builder.add(slope)), (target,))


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
    description = f"{quantized.network.name}, sha256 {sha256}, by boardless_models.tflite.exporter"
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
