"""A plan over a right and a faulty firmware, in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from boardless.sweep.grid import Grid, firmwares, make_grid
from boardless.sweep.plan import read_plan
from tests.firmware.conftest import BUILD

FRAMES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
LABELS = "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"
PLAN = f"""
[sweep]
elf = ["good.elf", "bad.elf"]
seed = [1, 2]
chunk = 3
[[frames]]
name = "test"
path = "{FRAMES}"
labels = "{LABELS}"
limit = 6
[budget]
min-accuracy = 0.8
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(BUILD / "boardless.elf", tmp_path / "good.elf")
    shutil.copy(BUILD / "faulty_crop.elf", tmp_path / "bad.elf")
    (tmp_path / "plan.toml").write_text(PLAN)
    return tmp_path


@pytest.fixture
def grid(folder: Path) -> Grid:
    plan = read_plan(folder / "plan.toml")
    return make_grid(plan, firmwares(plan))
