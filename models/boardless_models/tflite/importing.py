"""A user's int8 .tflite as a graph within its budgets."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from boardless_models.graph.c_source import slow_lines
from boardless_models.graph.check import check_task
from boardless_models.graph.cost import check_budget, graph_costs
from boardless_models.graph.folding import folded
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph, Task
from boardless_models.graph.kernels import fitted, scratch_bytes
from boardless_models.int8.scaling import Rounding
from boardless_models.tflite.pixels import with_pixels
from boardless_models.tflite.reader import graph_of
from boardless_models.tflite.tensors import file_in, read_file
from boardless_sim.errors import ModelError

OUTPUTS: dict[Task, str] = {
    "classes": "the class of the largest",
    "error": "the mean squared difference from the input",
    "values": "real numbers",
}


def import_file(
    path: Path,
    rounding: Rounding,
    budget: int,
    ram_budget: int,
    input_range: str | None = None,
    task: Task | None = None,
) -> tuple[Graph, dict[str, Any]]:
    """Read, check and budget a .tflite; its graph and where it comes from.

    `task`: what the output says, where the file alone does not tell.
    """
    content = read_file(path)
    file = file_in(content, path)
    try:
        network = folded(fused(graph_of(file, path.stem[:64], rounding)))
        graph = fitted(with_pixels(network, input_range), ram_budget)
        if task is not None:
            graph = replace(graph, task=task)
            check_task(graph)
    except ModelError as cause:
        raise ModelError(f"{path}: {cause}") from cause
    costs = graph_costs(graph)
    check_budget(str(path), costs, budget)
    source = {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}
    return graph, {"imported": source, "macs": sum(cost.macs for cost in costs)}


def summary(graph: Graph) -> list[str]:
    """What became of it: a line, and one for each operator that no fast kernel takes."""
    costs = graph_costs(graph)
    model, macs = sum(cost.model_bytes for cost in costs), sum(cost.macs for cost in costs)
    sizes = f"{model} bytes of model, {scratch_bytes(graph, 'm4')} bytes of RAM"
    return [
        f"{len(graph.operators)} operators: {sizes}, {macs} multiplications",
        f"output: {OUTPUTS[graph.task]} (--task for another)",
        *slow_lines(graph),
    ]
