"""The verdicts of several ELFs as one."""

from __future__ import annotations

from dataclasses import dataclass

from boardless.gate.verdict import SCHEMA, Verdict


@dataclass(frozen=True)
class Verdicts:
    """One verdict an ELF; they pass together."""

    each: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """All of them, and at least one."""
        return bool(self.each) and all(verdict.passed for verdict in self.each)

    @property
    def line(self) -> str:
        """The verdict in one line."""
        failed = [verdict for verdict in self.each if not verdict.passed]
        if not failed:
            kept = sum(len(verdict.judged) for verdict in self.each)
            return f"PASS {len(self.each)} ELFs: {kept} budgets kept"
        first = failed[0]
        more = f", and {len(failed) - 1} more ELFs" if len(failed) > 1 else ""
        return f"FAIL {len(failed)} of {len(self.each)} ELFs: {first.identity}: {_why(first)}{more}"

    def as_json(self) -> dict[str, object]:
        """The document of `boardless budget --json`; also one lock for all of them."""
        return {
            "schema": SCHEMA,
            "verdict": "pass" if self.passed else "fail",
            "targets": {verdict.identity: verdict.as_json() for verdict in self.each},
        }


def _why(verdict: Verdict) -> str:
    return verdict.failed[0].complaint() if verdict.failed else "no budget is set"
