from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boardless_models.data.archive import read_arrays
from boardless_models.graph.artifact import (
    artifact_sha256,
    checksum_path,
    load_artifact,
    provenance_path,
    save_artifact,
)
from boardless_models.graph.fusing import fused
from boardless_models.graph.graph import Graph
from boardless_models.tflite.reader import graph_of
from boardless_sim.errors import BoardlessError, ModelError
from tests.models.tflite.tflite_cases import CASES, residual


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The artifact with its structure changed, and a checksum that holds."""
    save_artifact(graph_of(residual(1), "user", "double"), {}, path)
    arrays = read_arrays(path)
    body = json.loads(str(arrays["graph"]))
    change(body)
    np.savez(path, allow_pickle=False, **{**arrays, "graph": np.array(json.dumps(body))})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n", encoding="ascii")
    return path


def test_artifact_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Every kind of operator with every field."""
    for name, make in CASES.items():
        graph = fused(graph_of(make(2), name, "double"))
        graph = replace(graph, classes=tuple(f"c{at}" for at in range(outputs_of(graph))))
        digest = save_artifact(graph, {"seed": 5}, tmp_path / "a.npz")
        found = load_artifact(tmp_path / "a.npz")
        assert (found.sha256, repr(found.graph)) == (digest, repr(graph)), name
        facts = json.loads(provenance_path(tmp_path / "a.npz").read_text())
        assert facts == {"sha256": digest, "rounding": "double", "seed": 5}


def outputs_of(graph: Graph) -> int:
    return graph.values[graph.output].shape.size


def test_saving_twice_gives_the_same_bytes(trained: Graph, tmp_path: Path) -> None:
    first = save_artifact(trained, {}, tmp_path / "a.npz")
    assert save_artifact(trained, {}, tmp_path / "b.npz") == first


def test_an_artifact_is_opened_once(artifact_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    real_open = os.open

    def counted(path: Path, flags: int) -> int:
        opened.append(path)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", counted)
    load_artifact(artifact_path)
    assert opened == [artifact_path, checksum_path(artifact_path)]


def test_changed_artifact_is_refused(trained: Graph, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_artifact(trained, {}, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"):
        load_artifact(path)


def test_artifact_without_a_checksum_is_refused(trained: Graph, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_artifact(trained, {}, path)
    checksum_path(path).unlink()
    with pytest.raises(ModelError, match=r"a\.sha256: No such file or directory, expected the "):
        artifact_sha256(path)


def test_empty_checksum_is_refused(trained: Graph, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    save_artifact(trained, {}, path)
    checksum_path(path).write_text("")
    with pytest.raises(ModelError, match="expected nothing"):
        artifact_sha256(path)


def test_an_artifact_that_cannot_be_written_is_one_line(trained: Graph, tmp_path: Path) -> None:
    with pytest.raises(BoardlessError, match=r"a\.npz: no folder .*gone, expected one to write "):
        save_artifact(trained, {}, tmp_path / "gone" / "a.npz")


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "version": (lambda body: body.update(version=9), "version 9"),
    "rounding": (lambda body: body.update(rounding="triple"), "rounding 'triple'"),
    "ends": (lambda body: body.update(ends=[0, 999]), "output 999 of"),
    "negative end": (lambda body: body.update(ends=[0, -1]), "output -1 of"),
    "score step": (lambda body: body.update(score_step=70_000), "score step 70000"),
    "classes": (lambda body: body.update(classes=["a"]), "outputs, expected 1 classes"),
    "class": (lambda body: body.update(classes=['"', *"abcdefghi"]), "class '\"', expected a word"),
    "no operators": (lambda body: body.update(operators=[]), "0 operators"),
    "value": (lambda body: body["values"].__setitem__(0, [1]), "not an artifact"),
    "shape": (lambda body: body["values"][0].update(shape=[1, 2, 3]), "not an artifact"),
    "storage": (lambda body: body["values"][1].update(storage=0), "does not fit it"),
    "kind": (lambda body: body["operators"][0].update(operator="jump"), "not an artifact"),
    "window": (
        lambda body: body["operators"][0]["window"].update(rows=0),
        "op 0 CONV_2D: weights (6, 3, 3, 1), expected (6, 0, 3, 1)",
    ),
    "stride": (lambda body: body["operators"][0]["window"].update(stride_rows=0), "stride 0"),
    "order": (lambda body: body["operators"].reverse(), "not"),
    "factors": (lambda body: body["operators"][2].update(factors=[[1, 0]]), "1 factors, 2 weights"),
    "truth": (lambda body: body["operators"][0].update(least=True), "not an artifact"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_structure_that_no_kernel_can_run_is_refused(tmp_path: Path, name: str) -> None:
    change, message = BAD[name]
    with pytest.raises(ModelError) as caught:
        load_artifact(changed(tmp_path / "user.npz", change))
    assert message in str(caught.value)
