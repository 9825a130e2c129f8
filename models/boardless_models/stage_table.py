"""The stages of every artifact of a folder: bytes, multiplications, RAM, cycles, accuracy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boardless_models.artifact import QuantizedNetwork, load_artifact, provenance_path
from boardless_models.chain import graph_of_chain
from boardless_models.fusing import fused
from boardless_models.graph_artifact import is_graph, load_graph
from boardless_models.kernels import scratch_bytes
from boardless_models.model_cost import graph_costs
from boardless_models.network import Network, Stage, stages
from boardless_sim.errors import ModelError

FLOAT_BYTES = 4
# Fitted to the reference firmware in emulation (docs/howto/model.md says how near it comes).
NEAR_PERCENT = 15  # to the reference firmware in emulation
CYCLES_PER_MAC = {"conv2d": 1.1, "depthwise": 8.0, "dense": 3.7}
CYCLES_PER_OUTPUT = 55
# The m4 kernels take the nine taps of a grey window as twelve.
GREY_SHARE = 12 / 9
# What each step of training makes of the artifact quantised from it.
STAGES = {"train": "PTQ", "prune": "pruned, PTQ", "qat": "QAT"}
FLOATS = {"train": "float", "prune": "pruned float", "qat": "QAT float"}


@dataclass(frozen=True)
class Row:
    """One stage. What is not known, or means nothing at that stage, is None."""

    artifact: str
    stage: str
    model_bytes: int
    macs: int
    ram_bytes: int | None
    cycles: int | None
    validation: float | None
    test: float | None


def estimated_cycles(network: Network) -> int:
    """Cortex-M4 cycles of one inference with the fast kernels, an estimate before any run."""
    return round(sum(layer_cycles(stage) for stage in stages(network)))


def layer_cycles(stage: Stage) -> float:
    """Multiplications, and what each output takes."""
    macs = stage.macs * (GREY_SHARE if stage.input.channels == 1 else 1.0)
    return CYCLES_PER_MAC[stage.kind] * macs + CYCLES_PER_OUTPUT * stage.output.size


def rows_of(folder: Path) -> tuple[Row, ...]:
    """Every artifact with its provenance, by name. Raises `ModelError` where there is none."""
    paths = sorted(path for path in folder.glob("*.npz") if provenance_path(path).is_file())
    rows = tuple(row for path in paths for row in artifact_rows(path))
    if not rows:
        raise ModelError(f"{folder}: no artifact with its provenance (.npz and .json)")
    return rows


def artifact_rows(path: Path) -> Iterator[Row]:
    """The float stage, if its accuracy is known, and the int8 one."""
    facts = provenance(path)
    if is_graph(path):
        yield graph_row(path)
        return
    quantized = load_artifact(path)
    graph = graph_of_chain(quantized)
    training = facts.get("training")
    step = training.get("step", "") if isinstance(training, dict) else ""
    macs = sum(stage.macs for stage in stages(quantized.network))
    if "float_test_accuracy" in facts:
        name = FLOATS.get(str(step), "float")
        yield Row(path.stem, name, float_bytes(quantized), macs, None, None, *share(facts, "float"))
    yield Row(
        path.stem,
        STAGES.get(str(step), "imported" if "imported" in facts else "int8"),
        sum(cost.model_bytes for cost in graph_costs(graph)),
        macs,
        scratch_bytes(graph, "m4"),
        estimated_cycles(quantized.network),
        *share(facts, "int8"),
    )


def graph_row(path: Path) -> Row:
    """An imported graph: its cycles are not estimated."""
    graph = fused(load_graph(path))
    shares = graph_costs(graph)
    model, macs = sum(cost.model_bytes for cost in shares), sum(cost.macs for cost in shares)
    return Row(path.stem, "imported", model, macs, scratch_bytes(graph, "m4"), None, None, None)


def float_bytes(quantized: QuantizedNetwork) -> int:
    """Weights and biases as float32."""
    return FLOAT_BYTES * sum(layer.weight.size + layer.bias.size for layer in quantized.layers)


def share(facts: dict[str, Any], kind: str) -> tuple[float | None, float | None]:
    """Accuracy on the validation and on the test frames, where it was measured."""
    found = [facts.get(f"{kind}_{split}_accuracy") for split in ("validation", "test")]
    shares = [float(value) if isinstance(value, int | float) else None for value in found]
    return shares[0], shares[1]


def provenance(path: Path) -> dict[str, Any]:
    """The provenance beside an artifact."""
    beside = provenance_path(path)
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as cause:
        raise ModelError(f"{beside}: not a readable provenance ({cause})") from cause
    if not isinstance(facts, dict):
        raise ModelError(f"{beside}: found {type(facts).__name__}, expected an object")
    return facts
