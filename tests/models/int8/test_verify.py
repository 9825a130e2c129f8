from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boardless_models.data.dataset import Split
from boardless_models.int8 import verify
from boardless_models.int8.artifact import QuantizedNetwork, provenance_path
from boardless_models.int8.verify import accuracy, compare_paths, main
from boardless_sim.errors import ModelError

FLOOR = 0.90


def test_accuracy_stands_above_the_floor(
    quantized: QuantizedNetwork, test_split: Split, artifact_path: Path
) -> None:
    found = accuracy(quantized, test_split)
    assert found >= FLOOR
    facts = json.loads(provenance_path(artifact_path).read_text())
    assert found == pytest.approx(facts["int8_test_accuracy"], abs=5e-5)


def test_fast_path_equals_the_reference(quantized: QuantizedNetwork, test_split: Split) -> None:
    random = np.random.default_rng(5)
    compare_paths(
        quantized,
        np.concatenate(
            [
                test_split.images[:4],
                random.integers(0, 256, (4, 28, 28), np.uint8),
                np.zeros((1, 28, 28), np.uint8),
                np.full((1, 28, 28), 255, np.uint8),
                random.choice(np.array([0, 255], np.uint8), (2, 28, 28)),
            ]
        ),
    )


def test_a_difference_is_named(
    quantized: QuantizedNetwork, test_split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = verify.batch_outputs(quantized, test_split.images[:1])
    outputs[2] = outputs[2] ^ np.int8(1)
    monkeypatch.setattr(verify, "batch_outputs", lambda *_: outputs)
    with pytest.raises(ModelError, match="frame 0, layer 2: fast path and reference differ"):
        compare_paths(quantized, test_split.images[:1])


@pytest.mark.parametrize(("floor", "exit_code"), [("90", 0), ("99.9", 1)])
def test_floor_decides_the_exit_code(artifact_path: Path, floor: str, exit_code: int) -> None:
    result = CliRunner().invoke(main, [str(artifact_path), "--floor", floor, "--compare", "0"])
    assert result.exit_code == exit_code
    assert "of 10000 test frames" in result.output


def test_missing_artifact_exits_two(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "a.npz")])
    assert result.exit_code == 2
    assert "artifact or checksum cannot be read" in result.output
