"""Board checks that a project waives, in `boardless.toml`: each for a reason, up to a day.

[[checks.waive]]
check = "unmodelled"
reason = "the RNG is not used for anything that a test looks at"
expires = 2027-01-31
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from boardless.project.toml_table import TomlTable
from boardless_sim.finding import Check


@dataclass(frozen=True)
class CheckWaiver:
    """One check that does not count up to and with a day."""

    check: str
    reason: str
    expires: datetime.date


def read_check_waivers(checks: TomlTable) -> Iterator[CheckWaiver]:
    """Every `[[checks.waive]]`. Raises `ConfigError` for a check that there is none of."""
    for entry in checks.tables("waive"):
        yield CheckWaiver(
            entry.choice("check", [check.value for check in Check]),
            entry.required_text("reason"),
            entry.date("expires"),
        )
        entry.close()
    checks.close()
