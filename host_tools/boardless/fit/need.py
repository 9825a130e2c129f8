"""What a model needs of a chip, from a file or from bare figures."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.cost import graph_costs
from boardless_models.graph.cycles import estimated_cycles
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.graph.kernels import scratch_bytes
from boardless_models.graph.memory import arena
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import file_in, read_file
from boardless_sim.errors import BoardlessError, ModelError

# models/boardless_models/graph/cycles.py: whole networks come within 3 % of the virtual board,
# whose own table has 15 % (docs/reference): both errors may add up.
CYCLE_ERROR_PERCENT = 18
_MULTIPLES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_FIGURE = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)([kmgt]?)b?", re.IGNORECASE)
_LARGEST = 1e18


@dataclass(frozen=True)
class Need:
    """What one inference takes. None: nobody said, and it is not checked.

    `activation_bytes` are planned as the firmware plans them; `work_bytes` is the largest room that
    a kernel works in besides. `cycles` are of a Cortex-M4 with the m4 kernels.
    """

    name: str
    flash_bytes: int
    activation_bytes: int | None = None
    work_bytes: int = 0
    macs: int | None = None
    cycles: int | None = None

    @property
    def ram_bytes(self) -> int | None:
        """Activations and room to work in: one block."""
        return None if self.activation_bytes is None else self.activation_bytes + self.work_bytes

    @property
    def moved_bytes(self) -> int:
        """What one inference reads at least: every weight once."""
        return self.flash_bytes


def figure(text: str) -> float:
    """Read "14e9", "20G", "512k": powers of ten, as data sheets of models count."""
    match = _FIGURE.fullmatch(text.strip())
    value = float(match[1]) * _MULTIPLES[match[2].lower()] if match else math.nan
    if not 0 <= value <= _LARGEST:
        raise BoardlessError(f"{text!r}: no figure, expected one from 0 to 1e18 as 14e9, 20G, 512k")
    return value


def need_of_figures(
    parameters: float, bits: int, activations: float | None, macs: float | None
) -> Need:
    """A model of which only the figures are known. `activations` in bytes."""
    return Need(
        name=f"{parameters:.4g} parameters of {bits} bits",
        flash_bytes=math.ceil(parameters * bits / 8),
        activation_bytes=None if activations is None else math.ceil(activations),
        macs=None if macs is None else math.ceil(macs),
    )


def need_of_file(path: Path) -> Need:
    """A .tflite, an artifact (.npz) or an .onnx. Raises `ModelError`."""
    if path.suffix == ".onnx":
        from boardless.fit.onnx_file import need_of_onnx

        return need_of_onnx(path)
    if path.suffix not in (".tflite", ".npz"):
        raise ModelError(f"{path}: expected a .tflite, an artifact (.npz) or an .onnx")
    return need_of_graph(path.name, _graph(path))


def _graph(path: Path) -> Graph:
    if path.suffix == ".npz":
        return fused(load_artifact(path).graph)
    try:
        return fused(graph_of(file_in(read_file(path), path), path.stem[:64], "single"))
    except ModelError as cause:
        text = str(cause)
        raise ModelError(text if text.startswith(str(path)) else f"{path}: {text}") from cause


def need_of_graph(name: str, graph: Graph) -> Need:
    """What the firmware's table, arena and kernels take."""
    costs = graph_costs(graph)
    planned = arena(graph).size
    return Need(
        name=name,
        flash_bytes=sum(cost.model_bytes for cost in costs),
        activation_bytes=planned,
        work_bytes=scratch_bytes(graph, "m4") - planned,
        macs=sum(cost.macs for cost in costs),
        cycles=estimated_cycles(graph),
    )
