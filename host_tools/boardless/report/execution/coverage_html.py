"""Coverage as pages: an index, and every source file with what ran of it."""

from __future__ import annotations

from html import escape
from pathlib import Path

from boardless.debug.coverage import Coverage, FileCoverage
from boardless_sim.errors import BoardlessError
from boardless_sim.files import read_file

_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222;background:#fff}
table{border-collapse:collapse}td,th{padding:.2em .8em;text-align:right}
td:first-child,th:first-child{text-align:left}
pre{margin:0;font:13px/1.35 ui-monospace,monospace}.n{color:#888;display:inline-block;width:4em}
.hit{background:#e3f6e3}.miss{background:#fbe0e0}.half{background:#fff3cf}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}.hit{background:#17351c}
.miss{background:#4a1d1d}.half{background:#4a3d12}}
"""


def pages(coverage: Coverage, sources: Path) -> dict[str, str]:
    """File names and contents; sources are looked for under a folder, and may be missing."""
    named = {name: f"{number}.html" for number, name in enumerate(coverage)}
    found = {
        page: _page(name, _listing(coverage[name], _source(sources, name)))
        for name, page in named.items()
    }
    rows = "".join(_row(name, page, coverage[name]) for name, page in named.items())
    head = "<tr><th>file</th><th>lines</th><th>branches</th><th>functions</th></tr>"
    return {"index.html": _page("Coverage", f"<table>{head}{rows}</table>"), **found}


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}</html>\n"
    )


def _row(name: str, page: str, found: FileCoverage) -> str:
    cells = (
        f"{found.lines_hit}/{len(found.lines)}",
        f"{found.ways_hit}/{2 * len(found.branches)}",
        f"{found.functions_hit}/{len(found.functions)}",
    )
    numbers = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><td><a href="{page}">{escape(name)}</a></td>{numbers}</tr>'


def _source(sources: Path, name: str) -> list[str]:
    path = Path(name) if Path(name).is_absolute() else sources / name
    try:
        return read_file(path, "a source").decode("utf-8", "replace").splitlines()
    except BoardlessError:  # the ELF names it, and whatever stands there: the figures are enough
        return []


def _listing(found: FileCoverage, source: list[str]) -> str:
    last = max([len(source), *found.lines])
    half = {line for (line, _), branch in found.branches.items() if branch.ran and branch.ways < 2}
    rows = []
    for number in range(1, last + 1):
        text = source[number - 1] if number <= len(source) else ""
        kind = "" if number not in found.lines else "hit" if found.lines[number] else "miss"
        kind = "half" if kind == "hit" and number in half else kind
        rows.append(f'<pre class="{kind}"><span class="n">{number}</span>{escape(text)}</pre>')
    missing = "" if source else "<p>The source is not here: --sources says where it is.</p>"
    return missing + "".join(rows)
