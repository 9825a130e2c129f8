"""One word means one thing: no two public classes of the house share a name."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[3]
HOUSES = ("sim/boardless_sim", "host_tools/boardless", "models/boardless_models")


def test_a_public_class_has_its_name_alone() -> None:
    places = defaultdict[str, list[str]](list)
    for house in HOUSES:
        for path in (ROOT / house).rglob("*.py"):
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}
