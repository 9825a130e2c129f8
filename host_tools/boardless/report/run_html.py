"""A run as one HTML file that needs nothing else: no script, nothing is loaded, it prints."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

from boardless.gate.verdict import Verdict
from boardless.report.document import fingerprint
from boardless.report.run_figures import Histogram, confusion, histogram, wilson
from boardless.report.verdict.terminal import label, number, remark, share
from boardless.running.board_checks import BoardCheck, not_checked
from boardless.running.classify import RunReport
from boardless.running.evidence import png
from boardless.running.frame_stream import FrameResult
from boardless.running.latency import END_TO_END, TOTAL, frame_rate, latencies, time_us
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import SMALL, compose
from boardless_sim.visible import visible

MOST_PICTURES = 1000  # wrong frames that are shown; the rest is counted
_HISTOGRAM_HEIGHT = 160
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem;
  color: #1d2329; background: #fff }
h1 { font-size: 1.3rem; padding: .7rem 1rem; border-radius: 6px; color: #fff;
  overflow-wrap: anywhere; print-color-adjust: exact }
h2 { font-size: 1.1rem; margin-top: 2rem; break-after: avoid }
.pass { background: #1a7f37 } .fail { background: #c0262d }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #d8dee4 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td { overflow-wrap: anywhere }
tr { break-inside: avoid }
tr.bad td, .failure { background: #ffebe9; font-weight: 600; print-color-adjust: exact }
.failure { padding: .4rem .8rem; border-radius: 4px }
table.confusion td { text-align: right; print-color-adjust: exact }
.wrong { display: flex; flex-wrap: wrap; gap: .8rem }
figure { margin: 0; width: 8rem; font-size: .8rem; overflow-wrap: anywhere; break-inside: avoid }
figure img { width: 8rem; height: auto; image-rendering: pixelated; display: block }
svg { width: 100%; height: auto; display: block } svg text { font: 12px system-ui, sans-serif }
code { overflow-wrap: anywhere }
@media print { body { margin: 0; max-width: none } }
"""


@dataclass(frozen=True)
class RunPage:
    """Everything that the page says. `pictures`: of the wrong frames, by the frame's number."""

    report: RunReport
    checks: Sequence[BoardCheck]
    failures: Sequence[str]
    classes: Sequence[str] = ()
    pictures: dict[int, Frame] = field(default_factory=dict)
    budgets: Verdict | str | None = None  # or why there are none
    ran: Sequence[tuple[str, str]] = ()  # what ran: versions, hashes, the command


def run_html(page: RunPage) -> str:
    """The whole page; every name is escaped."""
    title = escape(_title(page))
    state = "fail" if page.failures else "pass"
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body>",
        f'<h1 class="{state}">{title}</h1>',
        *(f'<p class="failure">{_text(failure)}</p>' for failure in page.failures),
        *_summary(page),
        *_classes(page),
        *_wrong(page),
        *_latency(page.report.results),
        *_budgets(page.budgets),
        *_checks(page),
        *_ran(page),
        "</body></html>",
    ]
    return "\n".join(lines) + "\n"


def _title(page: RunPage) -> str:
    report = page.report
    verdict = "FAILED" if page.failures else "passed"
    if report.correct is None:
        return f"{verdict}: {len(report.results)} frames"
    return f"{verdict}: {report.correct} of {len(report.results)} frames right"


def _summary(page: RunPage) -> Iterator[str]:
    report = page.report
    rows = [("engine", report.engine), ("stopped by", report.stop_reason.value)]
    if report.detail:
        rows.append(("detail", report.detail))
    if report.correct is not None:
        sure = wilson(report.correct, len(report.results))
        found = f"{_percent(sure.share)} (95 %: {_percent(sure.low)} to {_percent(sure.high)})"
        rows.append(("accuracy", found))
    rate = frame_rate(report.results)
    if rate is not None:
        rows.append(("frame rate", f"{rate:.3f} a second of virtual time"))
    rows += [("error of the firmware", line) for line in report.firmware_errors]
    yield _pairs(rows)


def _classes(page: RunPage) -> Iterator[str]:
    found = confusion(page.report.results)
    if not found.classes:
        return
    yield "<h2>Classes</h2>"
    rows = []
    for row in found.rows():
        counts = f"{row.frames:,}", f"{row.found:,}"
        rows.append([_name(page, row.number), *counts, _rate(row.recall), _rate(row.precision)])
    yield _table(["class", "frames", "right", "recall", "precision"], rows)
    yield "<h2>Confusion: truth in rows, result in columns</h2>"
    yield '<table class="confusion"><thead><tr><th></th>'
    yield "".join(f'<th class="n">{_text(_name(page, other))}</th>' for other in found.classes)
    yield "</tr></thead><tbody>"
    for row in found.rows():
        cells = []
        for other in found.classes:
            count = found.counts[row.number, other]
            part = count / row.frames if row.frames else 0
            hue = "26, 127, 55" if other == row.number else "192, 38, 45"
            cells.append(f'<td style="background:rgba({hue},{0.7 * part:.3f})">{count or ""}</td>')
        yield f"<tr><th>{_text(_name(page, row.number))}</th>{''.join(cells)}</tr>"
    yield "</tbody></table>"


def _wrong(page: RunPage) -> Iterator[str]:
    wrong = [result for result in page.report.results if result.is_wrong]
    if not wrong:
        return
    yield f"<h2>{len(wrong):,} wrong frames</h2>"
    if len(wrong) > MOST_PICTURES:
        yield f"<p>The first {MOST_PICTURES:,} are shown.</p>"
    yield '<div class="wrong">'
    for result in wrong[:MOST_PICTURES]:
        yield _figure(page, result)
    yield "</div>"


def _figure(page: RunPage, result: FrameResult) -> str:
    frame = page.pictures.get(result.frame)
    picture = ""
    if frame is not None:
        small = frame if frame.luma.shape == (SMALL, SMALL) else Frame("", compose(frame))
        data = base64.b64encode(png(small)).decode("ascii")
        picture = f'<img alt="" loading="lazy" src="data:image/png;base64,{data}">'
    said = f"{_name(page, result.class_index)}, truth {_name(page, result.label)}"
    score = "" if result.score is None else f", score {result.score:g}"
    caption = f"<b>{_text(said)}</b><br>{_text(result.name)}, frame {result.frame}{score}"
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _latency(results: Sequence[FrameResult]) -> Iterator[str]:
    stages = latencies(results)
    if not stages:
        return
    yield "<h2>Latency in milliseconds of virtual time</h2>"
    rows = []
    for stage, of in stages.items():
        times_us = of.mean_us, of.p50_us, of.p95_us, of.p99_us, of.max_us
        rows.append([stage, f"{of.frames:,}", *map(_ms, times_us)])
    yield _table(["stage", "frames", "mean", "p50", "p95", "p99", "max"], rows)
    stage = END_TO_END if END_TO_END in stages else TOTAL
    times = [us for result in results if (us := time_us(result, stage)) is not None]
    if times:
        yield from _bars(histogram(times), stage)


def _bars(found: Histogram, stage: str) -> Iterator[str]:
    if len(found.counts) == 1:
        yield f"<p>{_text(stage)}: {_ms(found.first_us)} ms, always.</p>"
        return
    width, height, most = 900, _HISTOGRAM_HEIGHT, max(found.counts)
    bar = width / len(found.counts)
    yield f'<svg viewBox="0 0 {width} {height + 20}" role="img" aria-label="{escape(stage)}">'
    for place, count in enumerate(found.counts):
        tall = height * count / most
        low = found.first_us + place * found.width_us
        tip = f"{_ms(low)} to {_ms(low + found.width_us)} ms: {count:,}"
        where = f'x="{place * bar:.1f}" y="{height - tall:.1f}" width="{bar - 1:.1f}"'
        yield f'<rect {where} height="{tall:.1f}" fill="#4e79a7"><title>{tip}</title></rect>'
    last = found.first_us + len(found.counts) * found.width_us
    yield f'<text x="0" y="{height + 15}">{_text(stage)}: {_ms(found.first_us)} ms</text>'
    yield f'<text x="{width}" y="{height + 15}" text-anchor="end">{_ms(last)} ms</text></svg>'


def _budgets(verdict: Verdict | str | None) -> Iterator[str]:
    if verdict is None:
        return
    yield "<h2>Budgets</h2>"
    if isinstance(verdict, str):
        yield f"<p>{_text(verdict)}</p>"
        return
    rows = [
        [label(row), number(row.bytes), number(row.max_bytes), share(row), remark(row, verdict)]
        for row in verdict.rows
    ]
    yield _table(
        ["budget", "bytes", "max", "used", ""],
        rows,
        [not row.ok and row.bytes is not None for row in verdict.rows],
    )


def _checks(page: RunPage) -> Iterator[str]:
    yield "<h2>Board checks</h2>"
    if not page.checks:
        yield "<p>Nothing was seen that the chip would not have carried.</p>"
    rows = [
        [check.check, f"waived: {check.waived}" if check.waived else check.grade.value, str(check)]
        for check in page.checks
    ]
    if rows:
        yield _table(["check", "grade", "what"], rows, [check.fails for check in page.checks])
    unseen = ", ".join(not_checked(page.report.checked))
    if unseen:
        yield f"<p>Not checked: {_text(unseen)}.</p>"


def _ran(page: RunPage) -> Iterator[str]:
    yield "<h2>What ran</h2>"
    basis = str(page.report.timing_basis)
    own = [("time basis", basis), ("fingerprint", fingerprint(page.report))]
    yield _pairs([*page.ran, *own])


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in rows)
    return f"<table><tbody>{''.join(cells)}</tbody></table>"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], bad: Sequence[bool] = ()) -> str:
    """Every column but the first and those of words holds numbers."""
    head = "".join(
        f"<th{_kind(column, place)}>{_text(column)}</th>" for place, column in enumerate(columns)
    )
    body = []
    for line, row in enumerate(rows):
        style = ' class="bad"' if line < len(bad) and bad[line] else ""
        cells = (
            f"<td{_kind(column, place)}>{_text(cell)}</td>"
            for place, (column, cell) in enumerate(zip(columns, row, strict=True))
        )
        body.append(f"<tr{style}>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _kind(column: str, place: int) -> str:
    return "" if place == 0 or column in ("", "what", "grade") else ' class="n"'


def _name(page: RunPage, number: int | None) -> str:
    if number is None:
        return "?"
    return page.classes[number] if number < len(page.classes) else str(number)


def _rate(part: float | None) -> str:
    return "" if part is None else _percent(part)


def _percent(part: float) -> str:
    return f"{100 * part:.2f} %"


def _ms(us: float) -> str:
    return f"{us / 1000:.3f}"


def _text(text: str) -> str:
    return escape(visible(text))
