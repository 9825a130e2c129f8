from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.stack.build_corpus import build

Corpus = Callable[..., Path]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Builds a program of the corpus once a session."""
    built: dict[tuple[object, ...], Path] = {}

    def made(*arguments: str, **options: object) -> Path:
        key = (*arguments, *sorted(options.items()))
        if key not in built:
            folder = tmp_path_factory.mktemp("corpus")
            built[key] = build(folder, *arguments, **options)  # type: ignore[arg-type]
        return built[key]

    return made


@pytest.fixture(scope="session")
def shapes(corpus: Corpus) -> Path:
    return corpus("shapes.c", "-Os")
