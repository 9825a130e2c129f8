from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boardless_models.data.archive import read_arrays
from boardless_models.graph.graph_artifact import is_graph, load_graph, save_graph
from boardless_models.int8.artifact import checksum_path
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import ModelError
from tests.models.tflite.tflite_cases import residual


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The artifact with its structure changed, and a checksum that holds."""
    save_graph(graph_of(residual(1), "user", "double"), {}, path)
    arrays = read_arrays(path)
    body = json.loads(str(arrays["graph"]))
    change(body)
    np.savez(path, allow_pickle=False, **{**arrays, "graph": np.array(json.dumps(body))})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n", encoding="ascii")
    return path


def test_a_graph_is_told_from_a_chain(artifact_path: Path, tmp_path: Path) -> None:
    save_graph(graph_of(residual(1), "user", "double"), {}, tmp_path / "user.npz")
    assert is_graph(tmp_path / "user.npz")
    assert not is_graph(artifact_path)


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "version": (lambda body: body.update(version=9), "version 9"),
    "rounding": (lambda body: body.update(rounding="triple"), "rounding 'triple'"),
    "ends": (lambda body: body.update(ends=[0, 999]), "output 999 of"),
    "negative end": (lambda body: body.update(ends=[0, -1]), "output -1 of"),
    "score step": (lambda body: body.update(score_step=70_000), "score step 70000"),
    "no operators": (lambda body: body.update(operators=[]), "0 operators"),
    "value": (lambda body: body["values"].__setitem__(0, [1]), "not a graph"),
    "shape": (lambda body: body["values"][0].update(shape=[1, 2, 3]), "not a graph"),
    "storage": (lambda body: body["values"][1].update(storage=0), "does not fit it"),
    "kind": (lambda body: body["operators"][0].update(operator="jump"), "not a graph"),
    "window": (
        lambda body: body["operators"][0]["window"].update(rows=0),
        "op 0 CONV_2D: weights (6, 3, 3, 1), expected (6, 0, 3, 1)",
    ),
    "stride": (lambda body: body["operators"][0]["window"].update(stride_rows=0), "stride 0"),
    "order": (lambda body: body["operators"].reverse(), "not"),
    "factors": (lambda body: body["operators"][2].update(factors=[[1, 0]]), "1 factors, 2 weights"),
    "truth": (lambda body: body["operators"][0].update(least=True), "not a graph"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_structure_that_no_kernel_can_run_is_refused(tmp_path: Path, name: str) -> None:
    change, message = BAD[name]
    with pytest.raises(ModelError) as caught:
        load_graph(changed(tmp_path / "user.npz", change))
    assert message in str(caught.value)
