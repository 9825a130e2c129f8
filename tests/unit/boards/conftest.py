from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.boards.probed_board import ProbedBoard


@pytest.fixture
def board(tmp_path: Path) -> Iterator[ProbedBoard]:
    probed = ProbedBoard(tmp_path)
    yield probed
    probed.engine.close()
