"""Coverage for other tools: lcov's tracefile, Cobertura's XML; and a table for a person."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from rich.table import Table

from boardless.debug.coverage import BranchCoverage, Coverage, FileCoverage


def lcov(coverage: Coverage) -> str:
    """A tracefile (geninfo(1), "FILES"). Counts are 0 and 1: blocks are noted, not counted."""
    return "".join(f"{line}\n" for name, found in coverage.items() for line in _record(name, found))


def _record(name: str, found: FileCoverage) -> Iterator[str]:
    yield f"SF:{name}"
    for function, (line, ran) in found.functions.items():
        yield f"FN:{line},{function}"
        yield f"FNDA:{int(ran)},{function}"
    yield f"FNF:{len(found.functions)}"
    yield f"FNH:{found.functions_hit}"
    for number, ((line, _), branch) in enumerate(sorted(found.branches.items())):
        for way, taken in enumerate((branch.taken, branch.fell_through)):
            yield f"BRDA:{line},{number},{way},{int(taken) if branch.ran else '-'}"
    yield f"BRF:{2 * len(found.branches)}"
    yield f"BRH:{found.ways_hit}"
    for line, ran in sorted(found.lines.items()):
        yield f"DA:{line},{int(ran)}"
    yield f"LF:{len(found.lines)}"
    yield f"LH:{found.lines_hit}"
    yield "end_of_record"


def cobertura(coverage: Coverage) -> str:
    """Cobertura's coverage-04.dtd: one package, one class a file."""
    total = _Total(coverage)
    classes = "".join(_class(name, found) for name, found in coverage.items())
    return (
        '<?xml version="1.0"?>\n'
        '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
        f'<coverage line-rate="{total.line_rate:.4f}" branch-rate="{total.branch_rate:.4f}" '
        f'lines-covered="{total.lines_hit}" lines-valid="{total.lines}" '
        f'branches-covered="{total.ways_hit}" branches-valid="{total.ways}" complexity="0" '
        'version="boardless" timestamp="0"><packages><package name="firmware" '
        f'line-rate="{total.line_rate:.4f}" branch-rate="{total.branch_rate:.4f}" complexity="0">'
        f"<classes>{classes}</classes></package></packages></coverage>\n"
    )


def _class(name: str, found: FileCoverage) -> str:
    by_line: dict[int, list[BranchCoverage]] = {}
    for (line, _), branch in found.branches.items():
        by_line.setdefault(line, []).append(branch)
    lines = "".join(
        f'<line number="{line}" hits="{int(ran)}"{_conditions(by_line.get(line, []))}/>'
        for line, ran in sorted(found.lines.items())
    )
    total = _Total({name: found})
    return (
        f"<class name={quoteattr(name)} filename={quoteattr(name)} "
        f'line-rate="{total.line_rate:.4f}" branch-rate="{total.branch_rate:.4f}" complexity="0">'
        f"<methods/><lines>{lines}</lines></class>"
    )


def _conditions(branches: list[BranchCoverage]) -> str:
    if not branches:
        return ' branch="false"'
    hit, ways = sum(branch.ways for branch in branches), 2 * len(branches)
    return f' branch="true" condition-coverage="{100 * hit // ways}% ({hit}/{ways})"'


class _Total:
    """Sums over files."""

    def __init__(self, coverage: Coverage) -> None:
        files = coverage.values()
        self.lines = sum(len(found.lines) for found in files)
        self.lines_hit = sum(found.lines_hit for found in files)
        self.functions = sum(len(found.functions) for found in files)
        self.functions_hit = sum(found.functions_hit for found in files)
        self.ways = sum(2 * len(found.branches) for found in files)
        self.ways_hit = sum(found.ways_hit for found in files)

    @property
    def line_rate(self) -> float:
        """1 where there is nothing to cover."""
        return self.lines_hit / self.lines if self.lines else 1.0

    @property
    def branch_rate(self) -> float:
        """1 where there is nothing to cover."""
        return self.ways_hit / self.ways if self.ways else 1.0


def coverage_table(coverage: Coverage) -> Table:
    """A row a file, and the sum."""
    table = Table("file", box=None, pad_edge=False, header_style="")
    for name in ("lines", "branches", "functions"):
        table.add_column(name, justify="right")
    for name, found in coverage.items():
        table.add_row(name, *_shares(_Total({name: found})))
    table.add_section()
    table.add_row("all", *_shares(_Total(coverage)))
    return table


def _shares(total: _Total) -> tuple[str, str, str]:
    return (
        _share(total.lines_hit, total.lines),
        _share(total.ways_hit, total.ways),
        _share(total.functions_hit, total.functions),
    )


def _share(hit: int, of: int) -> str:
    return f"{hit}/{of} {100 * hit / of:5.1f} %" if of else "-"
