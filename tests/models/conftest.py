from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from boardless_models.data.dataset import Split, load_test_split
from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.graph import Graph

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def artifact_path() -> Path:
    return REPOSITORY / "models" / "artifacts" / "fashion_mnist_8k.npz"


@pytest.fixture(scope="session")
def trained(artifact_path: Path) -> Graph:
    return load_artifact(artifact_path).graph


@pytest.fixture(scope="session")
def test_split() -> Split:
    return load_test_split()


def members(archive: Path) -> dict[str, bytes]:
    """What an .npz holds, by name: its own headers depend on the Python that wrote them."""
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
