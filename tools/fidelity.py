"""Writes docs/fidelity.md, and the ledger that `boardless doctor --board` reads, from the tests.

Usage: tools/fidelity.py [--check]    --check writes nothing and fails where one is out of date

A row is a test with `@pytest.mark.fidelity`, or in a module with such a `pytestmark`. The section
that a test quotes in its docstring is better evidence than the mark's chapter and takes its place.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boardless.project.fidelity import LEDGER, SCHEMA, Standing, block_of
from boardless_sim.boards.reference import REFERENCE

TESTS, PAGE = Path("tests"), Path("docs/fidelity.md")
DATA = Path("host_tools/boardless/project") / LEDGER
SHORT_CUTS = Path("tools/short_cuts.toml")
NOTE = "<!-- Written by tools/fidelity.py from the tests. Do not edit. -->"
CLOCKED = {"dead while unclocked", "has no clock gate", "stands still without its clock"}
NO_CLOCK = {
    "core",
    "SSD1306",
    "ILI9341",
    "W25Q",
    "24C",
}  # the core is what clocks are for; parts have none
SECTION = re.compile(r"\((DDI \d+\w?|RM0090|PM0214)?,? ?(?:section )?((?:[A-Z]\d*\.)?\d+[\d.]*\d)")


@dataclass(frozen=True)
class Row:
    """One behaviour of a device, and what it rests on."""

    device: str
    behaviour: str
    source: str
    test: str

    @property
    def evidence(self) -> str:
        """The kind of the source."""
        if self.source.startswith("silicon"):
            return "silicon"
        return "second engine" if self.source.startswith("second engine") else "manual"


def rows() -> list[Row]:
    """Every row, in the order of devices and tests."""
    found = [row for path in sorted(TESTS.rglob("test_*.py")) for row in rows_of(path)]
    return sorted(found, key=lambda row: (row.device.lower(), row.test))


def rows_of(path: Path) -> Iterator[Row]:
    """The rows of one test file. Raises `SystemExit` where a mark says too little."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    module_mark = fields_of(tables.get("pytestmark"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        own = next((found for mark in node.decorator_list if (found := fields_of(mark))), {})
        mark = {**module_mark, **own}
        if not mark:
            continue
        place = f"{path}::{node.name}"
        stated = text_of(mark.get("source"))
        source = quoted(node, stated) or stated or quoted(tree, "")
        if not source or "device" not in mark:
            raise SystemExit(f"{place}: a mark without device or source")
        behaviour = text_of(mark.get("behaviour")) or node.name[5:].replace("_", " ")
        for device in devices_of(mark["device"], tables):
            yield Row(device, behaviour, source, place)


def fields_of(mark: ast.expr | None) -> dict[str, ast.expr]:
    """The arguments of a `pytest.mark.fidelity(...)`; none for anything else."""
    if not isinstance(mark, ast.Call) or ast.unparse(mark.func) != "pytest.mark.fidelity":
        return {}
    return {word.arg: word.value for word in mark.keywords if word.arg is not None}


def quoted(node: ast.FunctionDef | ast.Module, stated: str) -> str:
    """The section that the docstring names, with the manual of the mark where it names none."""
    found = SECTION.search(ast.get_docstring(node) or "")
    if found is None or stated.startswith(("silicon", "second")):
        return ""
    manual = found[1] or re.split(r" chapter|, | (?=\d+\.)", stated or "RM0090")[0]
    return f"{manual} {found[2]}"


def text_of(node: ast.expr | None) -> str:
    """A text argument; empty where there is none."""
    return str(node.value) if isinstance(node, ast.Constant) else ""


def devices_of(node: ast.expr, tables: dict[str, ast.expr]) -> list[str]:
    """One name, or the first column of a table of the module."""
    if isinstance(node, ast.Name):
        table = tables[node.id]
        assert isinstance(table, ast.List)
        names = [row.elts[0] for row in table.elts if isinstance(row, ast.Tuple)]
        return sorted({block_of(text_of(name)) for name in names})
    return [text_of(node)]


def standing_of(found: list[Row]) -> Standing:
    """A device without a test that it is dead while unclocked is not called modelled."""
    device = found[0].device
    if device in NO_CLOCK or any(row.behaviour in CLOCKED for row in found):
        return Standing.MODELLED
    return Standing.UNPROVEN


def short_cuts() -> dict[str, list[dict[str, str]]]:
    """By device: what is simpler, and what that could hide."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in tomllib.loads(SHORT_CUTS.read_text(encoding="utf-8"))["short_cut"]:
        found.setdefault(row["device"], []).append({"what": row["what"], "hides": row["hides"]})
    return found


def by_device(found: list[Row]) -> dict[str, list[Row]]:
    """Rows of each device. Raises `SystemExit` for a short cut of a device without any."""
    devices: dict[str, list[Row]] = {}
    for row in found:
        devices.setdefault(row.device, []).append(row)
    if lost := short_cuts().keys() - devices.keys():
        raise SystemExit(f"{SHORT_CUTS}: {', '.join(sorted(lost))}: no test speaks of it")
    return devices


def ledger(devices: dict[str, list[Row]]) -> str:
    """What `boardless doctor --board` needs of it."""
    cuts = short_cuts()
    document = {
        name: {
            "standing": standing_of(found).value,
            "behaviours": dict(sorted(Counter(row.evidence for row in found).items())),
            "short_cuts": cuts.get(name, []),
        }
        for name, found in devices.items()
    }
    return json.dumps({"schema": SCHEMA, "devices": document}, indent=1, ensure_ascii=False) + "\n"


def page(devices: dict[str, list[Row]]) -> str:
    """The page: an overview, then each device's behaviours and short cuts."""
    unmodelled = ", ".join(known.name for known in REFERENCE.chip.unmodelled)
    cuts = short_cuts()
    lines = [
        NOTE, "", "# How well each device is known", "",
        "A row is a behaviour that a test holds, with what it rests on: a manual's section, a",
        "published reading of a real chip, or a second engine. A device is called modelled only",
        "where a test shows that it is dead while unclocked, or that it has no clock gate.", "",
        "| device | standing | manual | silicon | second engine | short cuts |",
        "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, found in devices.items():
        kinds = Counter(row.evidence for row in found)
        counts = [kinds[kind] or "-" for kind in ("manual", "silicon", "second engine")]
        cells = [name, standing_of(found).value, *counts, len(cuts.get(name, [])) or "-"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", f"Named, not modelled (they read 0, and a run says so): {unmodelled}.", ""]
    for name, found in devices.items():
        lines += [f"## {name}", ""]
        lines += [f"- Short cut: {cut['what']}. It could hide {cut['hides']}." for cut in
                  cuts.get(name, [])]  # fmt: skip
        lines += ["", "| behaviour | evidence | test |", "| --- | --- | --- |"]
        lines += [f"| {row.behaviour} | {row.source} | `{row.test}` |" for row in found]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write both, or with --check compare them."""
    devices = by_device(rows())
    wanted = {PAGE: page(devices), DATA: ledger(devices)}
    if "--check" not in sys.argv[1:]:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    stale = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path}: out of date, run tools/fidelity.py", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
