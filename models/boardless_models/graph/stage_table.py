"""The stages of every artifact of a folder: bytes, multiplications, RAM, cycles, accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boardless_models.data.archive import read_arrays
from boardless_models.data.network import stages
from boardless_models.graph.artifact import load_artifact, provenance_path
from boardless_models.graph.cost import model_bytes
from boardless_models.graph.cycles import estimated_cycles
from boardless_models.graph.graph import Convolve, Graph, macs_of
from boardless_models.graph.kernels import scratch_bytes
from boardless_models.int8.checkpoint import load_checkpoint
from boardless_sim.errors import ModelError
from boardless_sim.files import read_text
from boardless_sim.json_text import parse_json

FLOAT_BYTES = 4
NEAR_PERCENT = 5  # to the whole of a chain's layers in emulation
# What each step of training makes of the artifact quantised from it.
STAGES = {"train": "PTQ", "prune": "pruned, PTQ", "qat": "QAT"}
FLOATS = {"train": "float", "prune": "pruned float", "qat": "QAT float"}


@dataclass(frozen=True)
class StageRow:
    """One stage. What is not known, or means nothing at that stage, is None."""

    artifact: str
    stage: str
    model_bytes: int
    macs: int
    ram_bytes: int | None
    cycles: int | None
    validation: float | None
    test: float | None


def rows_of(folder: Path) -> tuple[StageRow, ...]:
    """Every artifact with its provenance, by name. Raises `ModelError` where there is none."""
    paths = sorted(folder.glob("*.npz"))
    artifacts = [path for path in paths if provenance_path(path).is_file()]
    rows = [row for path in artifacts for row in artifact_rows(path)]
    if not rows:
        raise ModelError(f"{folder}: no artifact with its provenance (.npz and .json)")
    known = {(row.artifact, row.stage) for row in rows}
    others = (path for path in paths if path not in artifacts and is_checkpoint(path))
    floats = [checkpoint_row(path) for path in others]
    rows += [row for row in floats if (row.artifact, row.stage) not in known]
    return tuple(sorted(rows, key=place))


def place(row: StageRow) -> tuple[str, int]:
    """By name, then in the order of the line."""
    order = ("float", "pruned float", "PTQ", "pruned, PTQ", "QAT float", "QAT")
    return row.artifact, order.index(row.stage) if row.stage in order else len(order)


def is_checkpoint(path: Path) -> bool:
    """Whether an .npz is a float network and not, as a teacher's logits, of another kind."""
    return {"record", "network", "calibration"} <= read_arrays(path).keys()


def checkpoint_row(path: Path) -> StageRow:
    """NAME.STEP.npz: a float stage that only validation has judged."""
    checkpoint = load_checkpoint(path)
    parameters = sum(layer.weight.size + layer.bias.size for layer in checkpoint.layers)
    macs = sum(stage.macs for stage in stages(checkpoint.network))
    stage = FLOATS.get(checkpoint.record.step, "float")
    name = path.name.split(".")[0]
    judged = checkpoint.record.validation_accuracy
    return StageRow(name, stage, FLOAT_BYTES * parameters, macs, None, None, judged, None)


def artifact_rows(path: Path) -> Iterator[StageRow]:
    """The float stage, if its accuracy is known, and the int8 one."""
    facts, graph = provenance(path), load_artifact(path).graph
    training = facts.get("training")
    step = training.get("step", "") if isinstance(training, dict) else ""
    macs = sum(macs_of(graph, operator) for operator in graph.operators)
    if "float_test_accuracy" in facts:
        name = FLOATS.get(str(step), "float")
        yield StageRow(
            path.stem, name, float_bytes(graph), macs, None, None, *share(facts, "float")
        )
    yield StageRow(
        path.stem,
        STAGES.get(str(step), "imported" if "imported" in facts else "int8"),
        model_bytes(graph),
        macs,
        scratch_bytes(graph, "m4"),
        estimated_cycles(graph),
        *share(facts, "int8"),
    )


def float_bytes(graph: Graph) -> int:
    """Weights and biases as float32."""
    return FLOAT_BYTES * sum(
        operator.weight.size + operator.bias.size
        for operator in graph.operators
        if isinstance(operator, Convolve)
    )


def share(facts: dict[str, Any], kind: str) -> tuple[float | None, float | None]:
    """Accuracy on the validation and on the test frames, where it was measured."""
    found = [facts.get(f"{kind}_{split}_accuracy") for split in ("validation", "test")]
    shares = [float(value) if isinstance(value, int | float) else None for value in found]
    return shares[0], shares[1]


def provenance(path: Path) -> dict[str, Any]:
    """The provenance beside an artifact."""
    beside = provenance_path(path)
    expected = "an artifact's provenance"
    facts = parse_json(read_text(beside, expected, ModelError), beside, expected, ModelError)
    if not isinstance(facts, dict):
        raise ModelError(f"{beside}: found {type(facts).__name__}, expected an object")
    return facts
