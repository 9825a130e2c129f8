from __future__ import annotations

from pathlib import Path

import pytest

from boardless_models.graph.artifact import load_artifact
from boardless_models.graph.golden import Golden, load_golden
from boardless_models.graph.graph import Graph
from tests.nn.host import REPOSITORY, HostNn, build


@pytest.fixture(scope="session")
def nn(tmp_path_factory: pytest.TempPathFactory) -> HostNn:
    return build(tmp_path_factory.mktemp("nn"))


@pytest.fixture(scope="session")
def golden() -> Golden:
    return load_golden(REPOSITORY / "models" / "golden" / "fashion_mnist_8k.npz")


@pytest.fixture(scope="session")
def trained() -> Graph:
    return load_artifact(REPOSITORY / "models" / "artifacts" / "fashion_mnist_8k.npz").graph


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    folder = tmp_path / "generated"
    folder.mkdir()
    return folder
