"""A graph as an artifact: an .npz without pickle, with .sha256 and provenance beside it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boardless_models.data.archive import read_arrays, write_arrays
from boardless_models.data.network import Shape
from boardless_models.graph.graph import (
    Add,
    AddConstant,
    Concatenate,
    Convolve,
    Graph,
    Lookup,
    Mean,
    Operator,
    Pool,
    Prelu,
    Value,
    Window,
)
from boardless_models.graph.graph_check import check_graph
from boardless_models.int8.artifact import artifact_sha256, checksum_path, provenance_path, typed
from boardless_models.int8.scaling import ROUNDINGS
from boardless_sim.errors import ModelError

GRAPH_VERSION = 2
KINDS: dict[str, type[Operator]] = {
    "convolve": Convolve,
    "pool": Pool,
    "add_constant": AddConstant,
    "add": Add,
    "prelu": Prelu,
    "lookup": Lookup,
    "mean": Mean,
    "concatenate": Concatenate,
}
ARRAYS: dict[str, type[np.generic]] = {
    "weight": np.int8,
    "bias": np.int32,
    "multiplier": np.int32,
    "exponent": np.int8,
}
ARRAYS |= {"scales": np.float32, "slope": np.int8, "table": np.int8, "addends": np.int32}


def is_graph(path: Path) -> bool:
    """Whether an artifact holds a graph; the other kind is the chain of `artifact.py`."""
    return "graph" in read_arrays(path)


def save_graph(graph: Graph, provenance: dict[str, Any], path: Path) -> str:
    """Write the three files and return the digest of the first."""
    body = {
        "version": GRAPH_VERSION,
        "name": graph.name,
        "rounding": graph.rounding,
        "score_step": graph.score_step,
        "ends": [graph.input, graph.output],
        "values": [asdict(value) for value in graph.values],
        "operators": [plain(operator) for operator in graph.operators],
    }
    arrays: dict[str, NDArray[np.generic]] = {"graph": np.array(json.dumps(body, sort_keys=True))}
    for index, operator in enumerate(graph.operators):
        names = {field.name for field in fields(operator)} & ARRAYS.keys()
        arrays |= {f"{name}_{index}": getattr(operator, name) for name in sorted(names)}
    write_arrays(path, arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n", encoding="ascii")
    facts = {"sha256": digest, "rounding": graph.rounding, **provenance}
    provenance_path(path).write_text(json.dumps(facts, indent=2) + "\n", encoding="ascii")
    return digest


def plain(operator: Operator) -> dict[str, Any]:
    """An operator's fields but for its arrays."""
    kind = next(name for name, kind in KINDS.items() if isinstance(operator, kind))
    return {
        "operator": kind,
        **{name: value for name, value in asdict(operator).items() if name not in ARRAYS},
    }


def load_graph(path: Path) -> Graph:
    """Read a graph whose checksum holds and that the kernels can run."""
    artifact_sha256(path)
    arrays = read_arrays(path)
    try:
        body = json.loads(str(arrays["graph"]))
        if body["version"] != GRAPH_VERSION or body["rounding"] not in ROUNDINGS:
            raise ModelError(f"{path}: version {body['version']}, rounding {body['rounding']!r}")
        graph = Graph(
            name=str(body["name"]),
            values=tuple(value_from(entry) for entry in body["values"]),
            operators=tuple(
                operator_from(entry, index, arrays) for index, entry in enumerate(body["operators"])
            ),
            input=whole(body["ends"][0]),
            output=whole(body["ends"][1]),
            rounding=body["rounding"],
            score_step=whole(body["score_step"]),
        )
        check_graph(graph)
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as cause:
        raise ModelError(f"{path}: not a graph ({cause!r})") from cause
    return graph


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


def operator_from(
    entry: dict[str, Any], index: int, arrays: dict[str, NDArray[np.generic]]
) -> Operator:
    """One operator from its JSON object and its arrays."""
    kind = KINDS[entry["operator"]]
    found: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in ARRAYS:
            array = arrays[f"{field.name}_{index}"]
            dtype = np.dtype(ARRAYS[field.name])
            found[field.name] = typed(arrays, f"{field.name}_{index}", dtype, array.shape)
        elif field.name == "window":
            found["window"] = Window(**{key: whole(size) for key, size in entry["window"].items()})
        elif field.name in entry or field.default is MISSING:
            found[field.name] = checked(field.name, entry[field.name])
    if kind is Pool and found["kind"] not in ("max", "average"):
        raise ValueError(f"pool {found['kind']!r}")
    return kind(**found)


def checked(name: str, value: Any) -> Any:
    """A field of an operator: a text, a truth value, an integer, or pairs of integers."""
    if name in ("name", "kind"):
        return str(value)
    if name == "depthwise":
        return bool(value)
    if isinstance(value, list):
        return tuple(checked(name, item) for item in value)
    return whole(value)
