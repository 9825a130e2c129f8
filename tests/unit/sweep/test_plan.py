"""A plan that cannot be meant is refused in one line, by file and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.sweep.plan import read_plan
from boardless_sim.errors import ConfigError

GOOD = """
[sweep]
elf = ["a.elf", "b.elf"]
seed = [1, 2]
[[frames]]
path = "pictures"
labels = "labels.txt"
[budget]
min-accuracy = 0.9
[stop]
confidence = 0.01
"""


def plan_file(folder: Path, text: str) -> Path:
    path = folder / "plan.toml"
    path.write_text(text)
    return path


def test_a_plan_is_read(tmp_path: Path) -> None:
    plan = read_plan(plan_file(tmp_path, GOOD))
    assert plan.elfs == ("a.elf", "b.elf")
    assert plan.seeds == (1, 2)
    assert plan.frames[0].path == str(tmp_path / "pictures")
    assert plan.frames[0].labels == tmp_path / "labels.txt"
    assert plan.budget.min_accuracy == 0.9
    assert plan.stop.confidence == 0.01
    assert plan.revisions == ()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("[sweep]", "[sweep]\nelfs = 1", "unknown key 'elfs', expected 'elf'"),
        ('elf = ["a.elf", "b.elf"]', "", "elf: not there, expected the firmwares to run"),
        ('elf = ["a.elf", "b.elf"]', 'elf = ["a.elf", "a.elf"]', "elf: the same twice"),
        ("seed = [1, 2]", "seed = [1, -2]", "seed: expected a number from 0 to 4294967295"),
        ("seed = [1, 2]", "seed = []", "seed: expected a number from 0"),
        ("seed = [1, 2]", 'revision = "HEAD"', "expected revision and build together"),
        ("seed = [1, 2]", "revision = '--x'\nbuild = 'make'", "expected one that git knows"),
        ("seed = [1, 2]", "revision = 'HEAD'\nbuild = 'make \"'", "build: No closing quotation"),
        ("seed = [1, 2]", 'optics = "blur"', "expected optics and severity together"),
        ("seed = [1, 2]", 'optics = "fog"\nseverity = 1', "optics: found 'fog', expected one of"),
        ("seed = [1, 2]", 'optics = "blur"\nseverity = [0, nan]', "severity: expected a number"),
        ("min-accuracy = 0.9", "min-accuracy = nan", "min-accuracy: found nan, expected 0 to 1"),
        ("min-accuracy = 0.9", "min-accuracy = 90", "min-accuracy: found 90, expected 0 to 1"),
        ("confidence = 0.01", "confidence = 0", "confidence: found 0, expected 0.0001 to 0.5"),
        ("confidence = 0.01", "never = true", "unknown key 'never'"),
        ('[[frames]]\npath = "pictures"\nlabels = "labels.txt"', "", "no [[frames]]"),
    ],
)
def test_a_wrong_plan_is_one_line(tmp_path: Path, old: str, new: str, found: str) -> None:
    path = plan_file(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        read_plan(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert found in str(caught.value)
