from __future__ import annotations

import re
from pathlib import Path

from boardless_sim.faults.catalog import BOARD_FAULTS, SENSOR_FAULTS
from boardless_sim.faults.optics import OPTICS

PAGE = Path(__file__).parents[3] / "docs/reference/faults.md"


def test_the_page_has_a_row_for_every_fault_and_no_other() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| [^-]", PAGE.read_text("utf-8"), re.MULTILINE)
    named = [*SENSOR_FAULTS, *BOARD_FAULTS, *OPTICS]
    assert [row for row in rows if row not in ("fault", "optics")] == named
