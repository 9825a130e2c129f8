"""What a network says of its input, as the firmware prints it: a class, an error, or values.

The numbers of `firmware/apps/classifier/answer.c`, to the last digit.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from boardless_models.graph.graph import Graph
from boardless_models.graph.reference import FRAME_ZERO, Int8, run_graph
from boardless_models.int8.score import decide

MOST_VALUES = 8  # of a result line; of more the checksum is given
STEP_BITS = 14  # what a step of the larger grid takes of an integer
GREATEST_SHIFT, FRACTION_BITS = 30, 6
MICRO, NANO = 10**6, 10**9


@dataclass(frozen=True)
class ErrorSteps:
    """A step of the input and one of the output, in units of 2^-shift."""

    input: int
    output: int
    shift: int


def error_steps(graph: Graph) -> ErrorSteps:
    """Both scales as integers, the larger of 14 bits."""
    scales = graph.values[graph.input].scale, graph.values[graph.output].scale
    shift = min(STEP_BITS - math.frexp(max(scales))[1], GREATEST_SHIFT)
    first, second = (round(math.ldexp(scale, shift)) for scale in scales)
    if max(first, second) >= 1 << STEP_BITS:  # rounded up to the next power of two
        first, second, shift = first // 2, second // 2, shift - 1
    return ErrorSteps(first, second, shift)


def output_nano(graph: Graph) -> int:
    """A step of the output in billionths."""
    return round(graph.values[graph.output].scale * NANO)


def error_micro(graph: Graph, frame: NDArray[np.uint8], output: Int8) -> int:
    """The mean squared difference of output and input, in millionths."""
    source, target = graph.values[graph.input], graph.values[graph.output]
    steps = error_steps(graph)
    given = frame.reshape(-1).astype(np.int64) - FRAME_ZERO - source.zero_point
    found = output.reshape(-1).astype(np.int64) - target.zero_point
    apart = found * steps.output - given * steps.input
    mean = int((apart * apart).sum()) // given.size >> FRACTION_BITS
    return mean * MICRO >> (2 * steps.shift - FRACTION_BITS)


def values_micro(graph: Graph, output: Int8) -> list[int]:
    """Every output as a real number, in millionths."""
    target = graph.values[graph.output]
    steps = (output.reshape(-1).astype(np.int64) - target.zero_point).tolist()
    nano = output_nano(graph)
    return [int(math.copysign((abs(step) * nano + 500) // 1000, step)) for step in steps]


def real_text(micro: int) -> str:
    """Millionths as a number with six decimals."""
    return f"{'-' if micro < 0 else ''}{abs(micro) // MICRO}.{abs(micro) % MICRO:06d}"


def answer_fields(graph: Graph, frame: NDArray[np.uint8], output: Int8) -> str:
    """The fields of a result line for one frame and what the network put out."""
    if graph.task == "error":
        return f"error={real_text(error_micro(graph, frame, output))}"
    if graph.task == "values" and output.size <= MOST_VALUES:
        return f"values={','.join(map(real_text, values_micro(graph, output)))}"
    if graph.task == "values":
        return f"outputs={output.size} crc32={zlib.crc32(output.tobytes()):08x}"
    decision = decide(output.reshape(-1), graph.score_step)
    return f"class={decision.class_index} score={decision.score}"


def answers(graph: Graph, frames: NDArray[np.uint8]) -> list[str]:
    """The fields for each of many frames."""
    outputs = run_graph(graph, frames)[-1]
    return [
        answer_fields(graph, frame, output) for frame, output in zip(frames, outputs, strict=True)
    ]
