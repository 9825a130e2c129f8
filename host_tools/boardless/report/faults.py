"""Tables of faults: each as the firmware saw it; and curves of accuracy over severity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.table import Table

from boardless.running.fault_trial import FaultTrial
from boardless.running.optics_sweep import AccuracyCurve

_COLUMNS = (
    "fault", "detectable", "how, or why not", "seen as", "class for a bad frame", "recovered after",
)  # fmt: skip


def fault_table(trials: Iterable[FaultTrial]) -> str:
    """One row a fault, in Markdown."""
    head = f"| {' | '.join(_COLUMNS)} |\n|{' --- |' * len(_COLUMNS)}\n"
    return head + "".join(f"{_row(trial)}\n" for trial in trials)


def _row(trial: FaultTrial) -> str:
    cells = [
        trial.name,
        "yes" if trial.detectable else "no",
        trial.reason,
        "; ".join(f"`{line}`" for line in trial.said) or "nothing",
        str(trial.classes_of_bad or "none"),
        _recovery(trial),
    ]
    return f"| {' | '.join(cells)} |"


def _recovery(trial: FaultTrial) -> str:
    if trial.refused:
        return "refused at start"
    if trial.recovered_after is None:
        return "never"
    return f"{trial.recovered_after} frame{'s' if trial.recovered_after != 1 else ''}"


def curve_lines(severities: Sequence[float], curves: Mapping[str, Sequence[float]]) -> str:
    """Accuracy in percent over severity, one row a disturbance, in Markdown."""
    head = " | ".join(f"{severity:g}" for severity in severities)
    lines = [f"| optics | {head} |", "| --- |" + " ---: |" * len(severities)]
    for name, accuracies in curves.items():
        lines.append(f"| {name} | " + " | ".join(f"{100 * one:.0f}" for one in accuracies) + " |")
    return "\n".join(lines) + "\n"


def curve_document(
    curves: Sequence[AccuracyCurve], severities: Sequence[float], frames: int, seed: int
) -> dict[str, object]:
    """The curves as JSON."""
    return {
        "frames": frames,
        "seed": seed,
        "severities": list(severities),
        "accuracy": {curve.disturbance: list(curve.accuracies) for curve in curves},
    }


def curves_table(
    curves: Sequence[AccuracyCurve], severities: Sequence[float], frames: int
) -> Table:
    """The same for a terminal, in percent."""
    table = Table("optics", *(f"{severity:g}" for severity in severities), box=None)
    table.title = f"accuracy in percent of {frames} frames, by severity"
    for curve in curves:
        table.add_row(curve.disturbance, *(f"{100 * one:.1f}" for one in curve.accuracies))
    return table
