"""One HTML file that needs nothing else: the verdict, the table, and a treemap of every region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from html import escape

from boardless.gate.verdict import Verdict
from boardless.report.verdict.squares import Square, squares
from boardless.report.verdict.terminal import label, number, remark, share
from boardless.size.attribution import AttributedBytes

_WIDTH, _HEIGHT = 1200, 520
_MOST = 400  # boxes a region; what is smaller goes together
_COLOURS = ("#4e79a7", "#59a14f", "#b07aa1", "#9c755f", "#d37295", "#499894", "#79706e", "#a0793d")
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; padding: 0 1rem;
  color: #1d2329; background: #fff }
h1 { font-size: 1.3rem; padding: .7rem 1rem; border-radius: 6px; color: #fff;
  overflow-wrap: anywhere }
.pass { background: #1a7f37 } .fail { background: #c0262d }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr.bad td { background: #ffebe9; font-weight: 600 }
svg { width: 100%; height: auto; display: block; border-radius: 4px }
svg text { fill: #fff; font: 11px system-ui, sans-serif; pointer-events: none }
svg rect { stroke: #fff; stroke-width: 1 } svg rect:hover { opacity: .8 }
.key span { display: inline-block; margin-right: 1rem } .key i { display: inline-block;
  width: .8em; height: .8em; margin-right: .35em; border-radius: 2px }
"""


def html(*verdicts: Verdict, line: str = "") -> str:
    """The whole page; no script, nothing is loaded, every name is escaped."""
    title = escape(line or verdicts[0].line)
    state = "pass" if all(verdict.passed for verdict in verdicts) else "fail"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f'<h1 class="{state}">{title}</h1>',
        *(part for verdict in verdicts for part in _body(verdict, len(verdicts) > 1)),
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _body(verdict: Verdict, is_one_of_many: bool) -> Iterator[str]:
    if is_one_of_many:
        yield f"<h1>{escape(verdict.line)}</h1>"
    yield from _table(verdict)
    yield from _notes(verdict)
    yield from _maps(verdict)


def _table(verdict: Verdict) -> Iterator[str]:
    yield "<table><thead><tr><th>budget</th>"
    yield '<th class="n">bytes</th><th class="n">max</th><th class="n">used</th><th></th></tr>'
    yield "</thead><tbody>"
    for row in verdict.rows:
        figures = (number(row.bytes), number(row.max_bytes), share(row))
        cells = "".join(f'<td class="n">{figure}</td>' for figure in figures)
        said = escape(remark(row, verdict))
        style = "" if row.ok else ' class="bad"'
        yield f"<tr{style}><td>{escape(label(row))}</td>{cells}<td>{said}</td></tr>"
    yield "</tbody></table>"


def _notes(verdict: Verdict) -> Iterator[str]:
    notes = list(verdict.notes)
    if verdict.diff is not None:
        notes.insert(0, f"base: {verdict.diff.label}")
    yield from (f"<p>{escape(note)}</p>" for note in notes)


def _maps(verdict: Verdict) -> Iterator[str]:
    if verdict.measurement is None:
        return
    by_region: dict[str, list[AttributedBytes]] = defaultdict(list)
    for part in verdict.measurement.parts:
        by_region[part.region].append(part)
    for region, parts in by_region.items():
        yield f"<h2>{escape(region)}: {sum(part.bytes for part in parts):,} bytes</h2>"
        yield from _map(region, parts)


def _map(region: str, parts: list[AttributedBytes]) -> Iterator[str]:
    boxes = _boxes(parts)
    sizes: dict[str, int] = defaultdict(int)
    for section, _, size in boxes:
        sizes[section] += size
    order = sorted(sizes, key=lambda name: (-sizes[name], name))
    colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(order)}
    keys = (
        f'<span><i style="background:{colours[name]}"></i>{escape(name)} {sizes[name]:,}</span>'
        for name in order[:20]
    )
    yield f'<p class="key">{"".join(keys)}</p>'
    yield f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(region)}">'
    outer = squares([sizes[name] for name in order], Square(0, 0, _WIDTH, _HEIGHT))
    for name, area in zip(order, outer, strict=True):
        inside = [(symbol, size) for section, symbol, size in boxes if section == name]
        places = squares([size for _, size in inside], area)
        for (symbol, size), box in zip(inside, places, strict=True):
            yield _box(f"{symbol}", name, size, box, colours[name])
    yield "</svg>"


def _boxes(parts: list[AttributedBytes]) -> list[tuple[str, str, int]]:
    """(section, name, bytes), the largest first; the many small ones of a section together."""
    largest = sorted(parts, key=lambda part: (-part.bytes, part.name))
    found = [(part.section, part.name, part.bytes) for part in largest[:_MOST]]
    rest: dict[str, int] = defaultdict(int)
    for part in largest[_MOST:]:
        rest[part.section] += part.bytes
    found += [(section, "(smaller symbols)", size) for section, size in rest.items()]
    return sorted(found, key=lambda box: (-box[2], box[1]))


def _box(name: str, section: str, size: int, box: Square, colour: str) -> str:
    where = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    tip = f"<title>{escape(name)}: {size:,} bytes in {escape(section)}</title>"
    text = ""
    letters = int((box.width - 6) / 6.2)
    if box.height > 15 and letters >= 4:
        short = name if len(name) <= letters else f"{name[: letters - 1]}…"
        text = f'<text x="{box.x + 4:.1f}" y="{box.y + 13:.1f}">{escape(short)}</text>'
    return f'<rect {where} fill="{colour}">{tip}</rect>{text}'
