"""SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from importlib.metadata import version

from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import Config
from boardless.report.verdict.places import place_of

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_RULES = {
    "region": "A memory region is over its budget.",
    "size": "A part of the firmware is over its budget.",
    "stack": "The stack is over its budget.",
    "growth": "A change adds more bytes than it may.",
    "waiver": "A waiver is expired or for nothing.",
    "none": "No budget is set.",
}


def sarif(*verdicts: tuple[Verdict, Config]) -> dict[str, object]:
    """The whole log: a run an ELF, with a result a failed row, none where all is well."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [_run(verdict, config) for verdict, config in verdicts],
    }


def _run(verdict: Verdict, config: Config) -> dict[str, object]:
    results = [_result(row, verdict, config) for row in verdict.failed]
    if not results and not verdict.passed:
        results = [_entry("none", _print(verdict, "none"), verdict.line, (config.path.name, 1))]
    rules = [
        {"id": f"budget/{kind}", "shortDescription": {"text": text}}
        for kind, text in _RULES.items()
    ]
    driver = {
        "name": "boardless budget",
        "version": version("boardless"),
        "rules": rules,
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"boardless-budget/{verdict.identity}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _print(verdict: Verdict, key: str) -> str:
    """By what code scanning tells a result again: the ELF and the figure, not where it stands."""
    return f"{verdict.identity}:{key}"


def _result(row: VerdictRow, verdict: Verdict, config: Config) -> dict[str, object]:
    place = place_of(row, verdict, config)
    text = f"{verdict.identity}: {row.account()}"
    return _entry(row.kind, _print(verdict, row.key), text, place)


def _entry(kind: str, key: str, text: str, place: tuple[str, int]) -> dict[str, object]:
    file, line = place
    location = {
        "physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}
    }
    return {
        "ruleId": f"budget/{kind}",
        "level": "error",
        "message": {"text": text},
        "locations": [location],
        "partialFingerprints": {"budget/v1": key},
    }
