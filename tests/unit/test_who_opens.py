"""One place opens files: a reader or a writer elsewhere has its reason here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
ROOMS = ("sim/boardless_sim", "host_tools/boardless", "models/boardless_models")
OPENS = frozenset({"open", "read_bytes", "read_text", "write_bytes", "write_text"})
# The file of the package itself, of a child's own folder, of the system: no user's input or output.
_PACKAGE, _CHILD = "a file of the package itself", "a file in the engine's own folder"
REASONS = {
    "sim/boardless_sim/files.py": "the rule itself",
    "sim/boardless_sim/chips/catalog.py": _PACKAGE,
    "sim/boardless_sim/engines/child.py": _CHILD,
    "sim/boardless_sim/engines/renode/engine.py": _CHILD,
    "sim/boardless_sim/engines/renode/install.py": "what .NET's host says of itself",
    "sim/boardless_sim/engines/renode/monitor.py": _CHILD,
    "host_tools/boardless/fit/part.py": _PACKAGE,
    "host_tools/boardless/project/fidelity.py": _PACKAGE,
    "host_tools/boardless/gateway/packets.py": "a secret, made new with its owner's rights",
    "host_tools/boardless/suites/check_file.py": "a row is added to a file of the run's own folder",
    "host_tools/boardless/suites/fingerprints.py": "as check_file.py",
    "host_tools/boardless/suites/guardian.py": "/proc",
    "host_tools/boardless/sweep/store.py": "a line is added to results that are not written anew",
    "host_tools/boardless/sweep/work.py": _PACKAGE,
    "host_tools/boardless/terminal.py": "/dev/null, where stdout is closed",
}


def opened(text: str) -> set[str]:
    """The ways of opening a file that a module's calls name, those of `files` left out."""
    tree = ast.parse(text)
    ours = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "boardless_sim.files"
        for name in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in OPENS:
                if called.attr != "open" or is_of_a_path(node):
                    found.add(called.attr)
            elif isinstance(called, ast.Name) and called.id in OPENS - ours:
                found.add(called.id)
    return found


def is_of_a_path(call: ast.Call) -> bool:
    """`path.open("rb")`, and not what opens a picture, a port or a folder."""
    first = call.args[0] if call.args else None
    return (isinstance(first, ast.Constant) and isinstance(first.value, str)) or (
        first is None and bool(call.keywords)
    )


MODULES = sorted(path for room in ROOMS for path in (REPO / room).rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPO)))
def test_a_module_opens_by_the_rule_or_has_a_reason(path: Path) -> None:
    name = str(path.relative_to(REPO))
    found = opened(path.read_text("utf-8"))
    assert bool(found) == (name in REASONS), (
        f"{name}: {sorted(found)}, expected boardless_sim.files"
    )


def test_what_opens_is_found() -> None:
    text = "from boardless_sim.files import read_text\nread_text(p)\np.read_bytes()\np.open('rb')\n"
    assert opened(text) == {"read_bytes", "open"}
