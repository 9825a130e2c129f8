"""A run as a table for people, at most 100 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.report.console import WIDTH
from boardless.running.board_checks import NOT_CHECKED, BoardCheck
from boardless.running.classify import RunReport
from boardless.running.frame_stream import FrameResult
from boardless.running.latency import TOTAL, Latency, frame_rate, frames_lost, latencies

FIRST_ROWS = 20
WRONG_ROWS = 30
STAGES = ("capture", "preprocess", "infer", TOTAL)
NAME_WIDTH = 20


def run_table(report: RunReport, checks: Sequence[BoardCheck] = ()) -> RenderableType:
    """Rows for the first frames and for every wrong one up to a bound, then the summary."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("frame", "name", "truth", "class", "score"):
        table.add_column(heading, justify="left" if heading == "name" else "right", no_wrap=True)
    for stage in STAGES:
        table.add_column(f"{stage}\nms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    shown = shown_rows(report.results)
    for result in shown:
        table.add_row(*_cells(result), style="red" if result.is_wrong else None)
    parts: list[RenderableType] = [table]
    if len(shown) < len(report.results):
        parts.append(Text(_left_out(report.results, shown)))
    if times := latencies(report.results):
        parts += [Text(""), latency_table(times, len(report.results))]
    lines = (*summary_lines(report), *check_lines(report, checks))
    return Group(*parts, Text(""), *(Text(line) for line in lines))


def hung_run(report: RunReport, checks: Sequence[BoardCheck] = ()) -> RenderableType:
    """A run without any result: why it ended, and where it stands."""
    lines = [f"stopped    {report.detail}"]
    lines += _where_it_stands(report)
    return Group(*(Text(line) for line in (*lines, *check_lines(report, checks))))


def latency_table(times: Mapping[str, Latency], frames: int) -> Table:
    """A row a stage."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("latency, ms", no_wrap=True)
    for heading in ("mean", "50 %", "95 %", "longest"):
        table.add_column(heading, justify="right", no_wrap=True)
    for stage, found in times.items():
        figures = (found.mean_us, found.p50_us, found.p95_us, found.max_us)
        note = "" if found.frames == frames else f"{found.frames} frames say it"
        table.add_row(stage, *map(_milliseconds, figures), note)
    return table


def shown_rows(results: Sequence[FrameResult]) -> list[FrameResult]:
    """The first rows, then the wrong ones that follow, both bounded."""
    later = [result for result in results[FIRST_ROWS:] if result.is_wrong]
    return [*results[:FIRST_ROWS], *later[:WRONG_ROWS]]


def summary_lines(report: RunReport) -> Iterator[str]:
    """Accuracy, frame rate, what times rest on, why the run ended."""
    yield f"accuracy   {_accuracy(report)}"
    yield f"frame rate {_frame_rate(report.results)}"
    yield f"time       basis: {report.timing_basis}"
    for line in report.firmware_errors[:5]:
        yield f"firmware   {line[: WIDTH - 11]}"
    if len(report.firmware_errors) > 5:
        yield f"firmware   … and {len(report.firmware_errors) - 5} more error lines"
    yield f"stopped    {report.detail or report.stop_reason.value}"
    yield from _where_it_stands(report)


def _where_it_stands(report: RunReport) -> list[str]:
    if report.post_mortem is None:
        return []
    # Here, because a run that has its results pays for no unwinder.
    from boardless.running.post_mortem import in_lines

    return list(in_lines(report.post_mortem))


def check_lines(report: RunReport, checks: Sequence[BoardCheck]) -> Iterator[str]:
    """A line a board check; what a whole engine does not look for is said, one check is not."""
    if not report.checked:
        yield f"checks     {NOT_CHECKED}: engine {report.engine} looks for none"
    for check in checks:
        grade = "waived" if check.waived else check.grade.value
        yield f"{grade:<10} {check}"


def _cells(result: FrameResult) -> list[str]:
    times = [_milliseconds(result.times_us.get(stage)) for stage in STAGES]
    truth = "-" if result.label is None else str(result.label)
    mark = "wrong" if result.is_wrong else ""
    return [
        str(result.frame),
        _shortened(result.name),
        truth,
        *_answer(result),
        *times,
        mark,
    ]


def _answer(result: FrameResult) -> tuple[str, str]:
    """Class and score; of a network without classes its one value, or how many there are."""
    if result.class_index is not None:
        return str(result.class_index), str(result.score)
    one = f"{result.values[0]:.6f}" if len(result.values) == 1 else f"{len(result.values)} values"
    return "-", one


def _shortened(name: str) -> str:
    """Start and end of a long name: the end tells the frames of one source apart."""
    if len(name) <= NAME_WIDTH:
        return name
    half = NAME_WIDTH // 2
    return f"{name[: half - 1]}…{name[-half:]}"


def _milliseconds(time_us: float | None) -> str:
    return "-" if time_us is None else f"{time_us / 1000:.3f}"


def _left_out(results: Sequence[FrameResult], shown: Sequence[FrameResult]) -> str:
    left = len(results) - len(shown)
    wrong = sum(r.is_wrong for r in results) - sum(r.is_wrong for r in shown)
    return f"… {left} more frames not shown" + (f", {wrong} of them wrong" if wrong else "")


def _accuracy(report: RunReport) -> str:
    if report.accuracy is None:
        return f"unknown: {len(report.results)} frames without labels"
    return f"{100 * report.accuracy:.2f} % ({report.correct} of {len(report.results)} frames)"


def _frame_rate(results: Sequence[FrameResult]) -> str:
    rate, lost = frame_rate(results), frames_lost(results)
    if rate is None:
        return "unknown: fewer than two frames, or several boards"
    said = "not known to this engine" if lost is None else f"{lost:,}"
    return f"{rate:.3f} a second, the camera's frames lost: {said}"
