"""The table of estimated against measured cycles."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from boardless.timing.published import BAND, CycleReport, rms_error, within_band
from boardless_sim.timing_basis import ERROR_PERCENT


def cycle_table(report: CycleReport) -> Table:
    """One row a program; the ratio of those outside the band is marked."""
    table = Table(box=None, pad_edge=False)
    for title in ("program", "estimated", "measured", "ratio", "error", "worst of others", ""):
        table.add_column(title, justify="left" if title in ("program", "") else "right")
    for comparison in report.comparisons:
        table.add_row(
            comparison.program,
            f"{comparison.estimated:,}",
            f"{comparison.measured:,}",
            f"{comparison.ratio:.3f}",
            f"{100 * comparison.error:+.1f} %",
            f"{100 * report.worst_of_others(comparison):.1f} %",
            "outside" if abs(comparison.ratio - 1) > BAND else "",
        )
    return table


def cycle_summary(report: CycleReport) -> Iterator[str]:
    """How many are within the band, the means, how many the others would have held; what failed."""
    count, deviation = len(report.comparisons), report.geometric_deviation
    yield (
        f"{report.within()} of {count} within {ERROR_PERCENT} %, geometric mean "
        f"{report.geometric_mean:.3f}, root mean square error {100 * report.rms_error:.1f} %"
    )
    if deviation is not None:
        yield (
            f"geometric standard deviation {deviation:.3f}, {report.held_by_others} of {count} "
            "no further off than the worst of the others"
        )
    left_out = report.leave_one_out()
    if left_out:
        yield (
            f"by constants chosen without it: {within_band(left_out)} of {count} within "
            f"{ERROR_PERCENT} %, root mean square error {100 * rms_error(left_out):.1f} %"
        )
    for comparison in report.comparisons:
        for wrong in comparison.wrong or ():
            yield f"FAILED     {comparison.program}: {wrong}"
