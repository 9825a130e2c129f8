"""A sweep as one HTML file that needs nothing else: the table, and every row's accuracy drawn."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from boardless.report.sweep import Before, change, percent, varying_axes
from boardless.sweep.execute import SweepReport
from boardless.sweep.summary import SweepRow
from boardless_sim.visible import one_line

_WIDTH, _STEP, _LEFT, _RIGHT, _TOP = 1000, 26, 330, 90, 30
_MOST_DRAWN, _MOST_CURVES = 400, 24
_CURVE_LEFT, _CURVE_WIDTH, _CURVE_HEIGHT = 60, 540, 300
_COLOURS = ("#0969da", "#c0262d", "#1a7f37", "#8250df", "#bc4c00", "#57606a", "#bf3989", "#1b7c83")
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px;
  padding: 0 1rem; color: #1d2329; background: #fff }
h1 { font-size: 1.3rem; padding: .7rem 1rem; border-radius: 6px; color: #fff }
.pass { background: #1a7f37 } .fail { background: #c0262d }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; margin: 1rem 0 }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee4 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr.bad td { background: #ffebe9 }
svg { width: 100%; height: auto; display: block }
svg text { font: 13px system-ui, sans-serif; fill: #1d2329 }
@media print { body { margin: 0 } }
"""


def sweep_html(report: SweepReport, before: Before | None) -> str:
    """The whole page; no script, nothing is loaded, every name is escaped."""
    failing = len(report.failing)
    title = f"Sweep: {len(report.rows):,} rows, {failing:,} fail"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f'<h1 class="{"fail" if failing else "pass"}">{title}</h1>',
            f"<p>{report.run:,} tasks run, {report.known:,} known before, "
            f"{report.left_out:,} left out by the stop rule.</p>",
            *_curves(report),
            *_drawn(report, before),
            *_table(report, before),
            "</body></html>\n",
        ]
    )


def _table(report: SweepReport, before: Before | None) -> Iterator[str]:
    axes = varying_axes(report)
    heads = "".join(f"<th>{escape(axis)}</th>" for axis in axes)
    numbers = ("frames", "accuracy", "95 %", "mean ms", "95 % ms")
    yield f'<div class="wide"><table><tr>{heads}'
    yield "".join(f'<th class="n">{name}</th>' for name in numbers) + "<th></th></tr>"
    for row in report.rows:
        failures = row.failures(report.budget)
        names = dict(row.row)
        cells = "".join(f"<td>{escape(names[axis])}</td>" for axis in axes)
        figures = "".join(f'<td class="n">{figure}</td>' for figure in _figures(row))
        note = escape(one_line("; ".join(failures) or change(row, before)))
        state = ' class="bad"' if failures else ""
        yield f"<tr{state}>{cells}{figures}<td>{note}</td></tr>"
    yield "</table></div>"


def _figures(row: SweepRow) -> tuple[str, ...]:
    found = row.interval
    between = "-" if found is None else f"{100 * found[0]:.1f}–{100 * found[1]:.1f}"
    times = ("-" if us is None else f"{us / 1000:.3f}" for us in (row.mean_us, row.p95_us))
    return f"{row.frames:,}", percent(row.accuracy), between, *times


def _drawn(report: SweepReport, before: Before | None) -> Iterator[str]:
    """A dot and its 95 % interval for each row; hollow: where it was in the older sweep."""
    rows = [row for row in report.rows if row.interval is not None][:_MOST_DRAWN]
    if not rows:
        return
    low = min(row.interval[0] for row in rows if row.interval is not None)
    low = min(int(low * 20) / 20, 0.95)
    axes = varying_axes(report)
    height = _TOP + _STEP * len(rows) + 10
    yield f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="accuracy of every row">'
    for tick in range(5):
        share = low + (1 - low) * tick / 4
        x = _x(share, low)
        yield f'<line x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{height}" stroke="#d8dee4"/>'
        yield f'<text x="{x}" y="{_TOP - 12}" text-anchor="middle">{100 * share:.4g} %</text>'
    for number, row in enumerate(rows):
        yield from _one(row, before, low, _TOP + _STEP * number + _STEP // 2, axes, report)
    yield "</svg>"


def _one(
    row: SweepRow, before: Before | None, low: float, y: int, axes: list[str], report: SweepReport
) -> Iterator[str]:
    assert row.interval is not None
    assert row.accuracy is not None
    colour = "#c0262d" if row.failures(report.budget) else "#1a7f37"
    name = " · ".join(dict(row.row)[axis] for axis in axes)
    short = name if len(name) <= 44 else f"…{name[-43:]}"
    left, right = (_x(share, low) for share in row.interval)
    yield f'<text x="{_LEFT - 14}" y="{y + 5}" text-anchor="end">{escape(short)}</text>'
    yield f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>'
    yield f'<circle cx="{_x(row.accuracy, low)}" cy="{y}" r="5" fill="{colour}"/>'
    old = None if before is None else before.get(row.row)
    if old is not None and old.accuracy is not None:
        x = _x(max(old.accuracy, low), low)
        yield f'<circle cx="{x}" cy="{y}" r="6" fill="none" stroke="#57606a" stroke-width="1.5"/>'
    yield f'<text x="{_WIDTH - _RIGHT + 14}" y="{y + 5}">{percent(row.accuracy)}</text>'


def _curves(report: SweepReport) -> Iterator[str]:
    """Accuracy over severity, a line for each of everything else."""
    lines = {name: points for name, points in _over_severity(report).items() if len(points) > 1}
    if not lines:
        return
    shown = list(lines.items())[:_MOST_CURVES]
    tall = max(_CURVE_HEIGHT + 60, 30 + 22 * len(shown))
    yield f'<svg viewBox="0 0 {_WIDTH} {tall}" role="img" aria-label="accuracy over severity">'
    yield from _scale()
    for number, (name, points) in enumerate(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = ' stroke-dasharray="6 4"' if number >= len(_COLOURS) else ""
        stroke = f'stroke="{colour}" stroke-width="2.5"{dashes}'
        places = (_place(severity, accuracy) for severity, accuracy in sorted(points))
        yield f'<polyline points="{" ".join(places)}" fill="none" {stroke}/>'
        y = 26 + 22 * number
        yield f'<line x1="610" x2="640" y1="{y}" y2="{y}" {stroke}/>'
        yield f'<text x="650" y="{y + 5}">{escape(name[-44:])}</text>'
    yield "</svg>"


def _over_severity(report: SweepReport) -> dict[str, list[tuple[float, float]]]:
    lines: dict[str, list[tuple[float, float]]] = {}
    axes = [axis for axis in varying_axes(report) if axis != "severity"]
    for row in report.rows:
        names = dict(row.row)
        if names.get("severity") and row.accuracy is not None:
            name = " · ".join(names[axis] for axis in axes)
            lines.setdefault(name, []).append((float(names["severity"]), row.accuracy))
    return lines


def _scale() -> Iterator[str]:
    for tick in range(6):
        x, y = _place(tick / 5, tick / 5).split(",")
        right = _CURVE_LEFT + _CURVE_WIDTH
        yield f'<line x1="{_CURVE_LEFT}" x2="{right}" y1="{y}" y2="{y}" stroke="#d8dee4"/>'
        yield f'<text x="{_CURVE_LEFT - 8}" y="{y}" dy="5" text-anchor="end">{20 * tick} %</text>'
        yield f'<text x="{x}" y="{_CURVE_HEIGHT + 42}" text-anchor="middle">{tick / 5:g}</text>'
    yield f'<text x="{_CURVE_LEFT}" y="{_CURVE_HEIGHT + 58}">severity</text>'


def _place(severity: float, accuracy: float) -> str:
    x, y = _CURVE_LEFT + _CURVE_WIDTH * severity, 20 + _CURVE_HEIGHT * (1 - accuracy)
    return f"{x:.1f},{y:.1f}"


def _x(share: float, low: float) -> float:
    span = _WIDTH - _LEFT - _RIGHT
    return round(_LEFT + span * (share - low) / (1 - low), 1)
