"""A network as a file: an .npz without pickle, with its .sha256 and its provenance beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from boardless_models.data.archive import Arrays, arrays_in, read_content, typed, write_arrays
from boardless_models.data.network import Shape
from boardless_models.graph.check import check_graph
from boardless_models.graph.format_1 import graph_of_format_1
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import (
    TASKS,
    Add,
    AddConstant,
    Concatenate,
    Convolve,
    Graph,
    Lookup,
    Mean,
    Multiply,
    Operator,
    Pool,
    Prelu,
    Select,
    Task,
    Value,
    Window,
)
from boardless_models.int8.scaling import ROUNDINGS
from boardless_sim.errors import ModelError
from boardless_sim.files import read_text, write_text
from boardless_sim.json_text import parse_json

FORMAT = 3
# Format 2 said less: no names of classes, no kernels, not what slopes and tables stand for.
READABLE = (2, FORMAT)
LARGEST_CHECKSUM = 4096
KINDS: dict[str, type[Operator]] = {
    "convolve": Convolve,
    "pool": Pool,
    "add_constant": AddConstant,
    "add": Add,
    "prelu": Prelu,
    "lookup": Lookup,
    "mean": Mean,
    "concatenate": Concatenate,
    "multiply": Multiply,
    "select": Select,
}
ARRAYS: dict[str, type[np.generic]] = {
    "weight": np.int8,
    "bias": np.int32,
    "multiplier": np.int32,
    "exponent": np.int8,
}
ARRAYS |= {"scales": np.float32, "slope": np.int8, "table": np.int8, "addends": np.int32}
ARRAYS |= {"rows": np.int32, "columns": np.int32, "channels": np.int32}
TEXTS, REALS = ("name", "kind", "function"), ("slope_scale",)


@dataclass(frozen=True)
class Artifact:
    """An artifact that was opened: where, its digest, and its graph as the firmware runs it."""

    path: Path
    sha256: str
    graph: Graph


def checksum_path(path: Path) -> Path:
    """The file that holds the digest of the artifact."""
    return path.with_suffix(".sha256")


def provenance_path(path: Path) -> Path:
    """The file that says where the artifact comes from."""
    return path.with_suffix(".json")


def save_artifact(graph: Graph, provenance: dict[str, Any], path: Path) -> str:
    """Write the three files and return the digest of the first."""
    body = {
        "version": FORMAT,
        "name": graph.name,
        "rounding": graph.rounding,
        "score_step": graph.score_step,
        "classes": list(graph.classes),
        "tiles": graph.tiles,
        "task": graph.task,
        "ends": [graph.input, graph.output],
        "values": [asdict(value) for value in graph.values],
        "operators": [plain(operator) for operator in graph.operators],
    }
    arrays: Arrays = {"graph": np.array(json.dumps(body, sort_keys=True))}
    for index, operator in enumerate(graph.operators):
        names = {field.name for field in fields(operator)} & ARRAYS.keys()
        arrays |= {f"{name}_{index}": getattr(operator, name) for name in sorted(names)}
    content = write_arrays(path, arrays)
    digest = hashlib.sha256(content).hexdigest()
    write_text(checksum_path(path), f"{digest}  {path.name}\n")
    facts = {"sha256": digest, "rounding": graph.rounding, **provenance}
    write_text(provenance_path(path), json.dumps(facts, indent=2) + "\n")
    return digest


def plain(operator: Operator) -> dict[str, Any]:
    """An operator's fields but for its arrays."""
    kind = next(name for name, kind in KINDS.items() if isinstance(operator, kind))
    return {
        "operator": kind,
        **{name: value for name, value in asdict(operator).items() if name not in ARRAYS},
    }


def load_artifact(path: Path) -> Artifact:
    """Open an artifact once: its checksum holds, and the kernels can run what it says."""
    content = read_content(path)
    digest = checked_digest(path, content)
    arrays = arrays_in(content, path)
    try:
        graph = graph_in(arrays) if "graph" in arrays else graph_of_format_1(arrays)
        check_graph(graph)
    except ModelError as cause:
        raise ModelError(f"{path}: {cause}") from cause
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as cause:
        raise ModelError(f"{path}: not an artifact ({cause!r})") from cause
    return Artifact(path, digest, fused(graph))


def artifact_sha256(path: Path) -> str:
    """The digest of the artifact, equal to the one in the file beside it."""
    return checked_digest(path, read_content(path))


def checked_digest(path: Path, content: bytes) -> str:
    """The digest of an artifact's content; the file beside it must say the same."""
    found = hashlib.sha256(content).hexdigest()
    beside = checksum_path(path)
    words = read_text(beside, "the artifact's sha256", ModelError, LARGEST_CHECKSUM).split()
    expected = words[0] if words else "nothing"
    if found != expected:
        raise ModelError(f"{path}: sha256 {found}, expected {expected}")
    return found


def graph_in(arrays: Arrays) -> Graph:
    """The graph of a file's arrays."""
    body = parse_json(str(arrays["graph"]), "graph", "that of a network", ModelError)
    if body["version"] not in READABLE or body["rounding"] not in ROUNDINGS:
        raise ModelError(f"version {body['version']}, rounding {body['rounding']!r}")
    return Graph(
        name=str(body["name"]),
        values=tuple(value_from(entry) for entry in body["values"]),
        operators=tuple(
            operator_from(entry, index, arrays) for index, entry in enumerate(body["operators"])
        ),
        input=whole(body["ends"][0]),
        output=whole(body["ends"][1]),
        rounding=body["rounding"],
        score_step=whole(body["score_step"]),
        classes=tuple(str(name) for name in body.get("classes", ())),
        tiles=bool(body.get("tiles", True)),
        task=task_named(body.get("task", "classes")),
    )


def task_named(name: object) -> Task:
    """One of the tasks."""
    for task in TASKS:
        if name == task:
            return task
    raise ValueError(f"task {name!r}, expected one of {', '.join(TASKS)}")


def whole(value: object) -> int:
    """An integer, and not a truth value."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 32:
        raise ValueError(f"{value!r}, expected an integer")
    return value


def value_from(entry: dict[str, Any]) -> Value:
    """One value from its JSON object."""
    shape = Shape(**{name: whole(extent) for name, extent in entry["shape"].items()})
    places = whole(entry["zero_point"]), whole(entry["storage"])
    return Value(str(entry["name"]), shape, float(entry["scale"]), *places)


def operator_from(entry: dict[str, Any], index: int, arrays: Arrays) -> Operator:
    """One operator from its JSON object and its arrays."""
    kind = KINDS[entry["operator"]]
    found: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in ARRAYS:
            name = f"{field.name}_{index}"
            found[field.name] = typed(arrays, name, ARRAYS[field.name], arrays[name].shape)
        elif field.name == "window":
            found["window"] = Window(**{key: whole(size) for key, size in entry["window"].items()})
        elif field.name in entry or field.default is MISSING:
            found[field.name] = checked(field.name, entry[field.name])
    if kind is Pool and found["kind"] not in ("max", "average"):
        raise ValueError(f"pool {found['kind']!r}")
    return kind(**found)


def checked(name: str, value: Any) -> Any:
    """A field of an operator: a text, a number, a truth value, or pairs of integers."""
    if name in TEXTS:
        return str(value)
    if name in REALS:
        return float(value)
    if name == "depthwise":
        return bool(value)
    if isinstance(value, list):
        return tuple(checked(name, item) for item in value)
    return whole(value)
