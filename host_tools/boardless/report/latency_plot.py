"""Every frame's latency as a picture: its stages on top of each other, and the frame period."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from boardless.running.frame_stream import FrameResult
from boardless.running.latency import END_TO_END, PRINT, TOTAL, frame_rate, latencies, time_us
from boardless_sim.errors import BoardlessError
from boardless_sim.files import write_file
from boardless_sim.timing_basis import TimingBasis

_CAPTURE = "capture"  # the wait for a frame, while the one before is worked on: no part of latency


def require_matplotlib() -> None:
    """Find out before a long run, not after it."""
    if find_spec("matplotlib") is None:
        raise BoardlessError("--plot needs matplotlib: pip install 'boardless[model]'")


def draw(results: Sequence[FrameResult], basis: TimingBasis, path: Path) -> None:
    """Milliseconds over frames, as PNG. Raises `BoardlessError` where no frame has its times."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = latencies(results)
    whole = END_TO_END if END_TO_END in found else TOTAL
    stages = [stage for stage in found if stage not in (_CAPTURE, TOTAL, END_TO_END)]
    timed = [result for result in results if all(time_us(result, s) is not None for s in stages)]
    if whole not in found or not stages or not timed:
        raise BoardlessError(f"{path}: no times to plot, expected total_us and stages in r- lines")
    figure = Figure(figsize=(6.4, 4.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    bands = [[(time_us(result, stage) or 0) / 1000 for result in timed] for stage in stages]
    names = ["print, to the last bit" if stage == PRINT else stage for stage in stages]
    axes.stackplot([result.frame for result in timed], bands, labels=names, alpha=0.8)
    p95_ms = found[whole].p95_us / 1000
    axes.axhline(p95_ms, color="black", linestyle="--", label=f"{whole}, 95 %: {p95_ms:.3f} ms")
    rate = frame_rate(results)
    if rate is not None:
        axes.axhline(1000 / rate, color="grey", linestyle=":", label=f"{rate:.2f} frames a second")
    axes.set_ylim(bottom=0)
    axes.margins(x=0)
    axes.set_title(f"basis: {basis}", fontsize="small")
    axes.set_xlabel("frame")
    axes.set_ylabel("ms after its capture")
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    write_file(path, drawn.getvalue())
