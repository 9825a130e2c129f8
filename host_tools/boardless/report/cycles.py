"""The table of estimated against measured cycles."""

from __future__ import annotations

from rich.table import Table

from boardless.cycles import BAND, CycleReport


def cycle_table(report: CycleReport) -> Table:
    """One row a program; the ratio of those outside the band is marked."""
    table = Table(box=None, pad_edge=False)
    for title in ("program", "estimated", "measured", "ratio", "leave one out", ""):
        table.add_column(title, justify="left" if title in ("program", "") else "right")
    for comparison in report.comparisons:
        table.add_row(
            comparison.program,
            f"{comparison.estimated:,}",
            f"{comparison.measured:,}",
            f"{comparison.ratio:.3f}",
            f"{report.leave_one_out(comparison):.3f}",
            "outside" if abs(comparison.ratio - 1) > BAND else "",
        )
    return table


def cycle_summary(report: CycleReport) -> str:
    """One line: how many are within the band, and the means."""
    return (
        f"{report.within()} of {len(report.comparisons)} within {BAND:.0%}, geometric mean "
        f"{report.geometric_mean:.3f}, root mean square error {report.rms_error:.1%}"
    )
