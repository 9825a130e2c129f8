"""The band that is printed beside estimated times is what the committed comparison shows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from boardless.timing.published import BoardComparison, CycleReport, rms_error, within_band
from boardless_sim.core.timing import Refill
from boardless_sim.timing_basis import ERROR_PERCENT

ROOT = Path(__file__).parents[3]
EMBENCH = ROOT / "docs/data/embench-iot-2.0.json"
DATA = sorted(EMBENCH.parent.glob("*.json"))
PAGE = (ROOT / "docs/explanation/time.md").read_text("utf-8")


def loaded(path: Path) -> tuple[dict[str, Any], CycleReport]:
    document = json.loads(path.read_text("utf-8"))
    rows = [
        BoardComparison(
            row["program"],
            row["estimated"],
            row["measured"],
            row["instructions"],
            row["sha256"],
            () if row["checked"] else ("wrong",),
            None if row["paid"] is None else Refill(**row["paid"]),
        )
        for row in document["results"]
    ]
    return document, CycleReport(tuple(rows), document["hz"])


@pytest.mark.parametrize("path", DATA, ids=lambda path: path.stem)
def test_the_data_follow_from_their_cycles(path: Path) -> None:
    document, report = loaded(path)
    assert report.document() == document
    assert all(row["checked"] for row in document["results"])


def test_the_band_holds_95_percent_of_the_programs() -> None:
    _, report = loaded(EMBENCH)
    held = sum(abs(c.error) <= ERROR_PERCENT / 100 for c in report.comparisons)
    assert (len(report.comparisons), held) == (19, 19)
    assert report.within(0.15) >= 17
    assert abs(math.log(report.geometric_mean)) < math.log(1.05)
    assert report.held_by_others == 18


def test_coremark_is_within_the_band() -> None:
    coremarks = [loaded(path)[1] for path in DATA if path != EMBENCH]
    assert [report.within() for report in coremarks] == [1, 1]


def test_the_page_shows_the_data() -> None:
    _, report = loaded(EMBENCH)
    for c in report.comparisons:
        cells = (
            f"{c.measured / 16_000:,.0f} | {c.measured:,} | {c.estimated:,} | {c.ratio:.3f} | "
            f"{100 * c.error:+.1f}"
        )
        assert f"\n| {c.program} | {cells} |" in PAGE
    assert f"±{ERROR_PERCENT} % of the estimate, for 95 % of programs" in PAGE
    assert (
        f"{report.within()} of 19 within {ERROR_PERCENT} %, geometric mean "
        f"{report.geometric_mean:.3f}, geometric standard deviation "
        f"{report.geometric_deviation:.3f}, root mean square error {100 * report.rms_error:.1f} %"
    ) in PAGE
    left_out = report.leave_one_out()
    worst = max(1 / program.ratio - 1 for program in left_out)
    assert (
        f"{within_band(left_out)} of 19 within {ERROR_PERCENT} %, root mean square error "
        f"{100 * rms_error(left_out):.1f} %; worst statemate, {100 * worst:.1f} % more"
    ) in PAGE


def test_the_page_shows_coremark() -> None:
    for name, chip in (("stm32f446", "STM32F446"), ("stm32l476", "STM32L476")):
        _, report = loaded(EMBENCH.with_name(f"coremark-{name}.json"))
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {chip}"))
        assert f"{100 * report.comparisons[0].error:+.1f} %" in row
        assert f"{1.5e9 / report.comparisons[0].estimated:.3f}" in row


def test_every_program_more_than_5_percent_off_is_explained() -> None:
    _, report = loaded(EMBENCH)
    rows = {line.split(" | ")[0][2:]: line for line in PAGE.splitlines() if line.startswith("| ")}
    for c in report.comparisons:
        reason = rows[c.program].rstrip(" |").split(" | ")[6:]
        assert bool(reason) == (abs(c.error) >= 0.05 or abs(c.ratio - 1) >= 0.05), c.program
