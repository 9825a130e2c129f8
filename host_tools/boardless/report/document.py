"""A run as a JSON document, schema 1."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from boardless.running.board_checks import BoardCheck, not_checked
from boardless.running.classify import RunReport
from boardless.running.frame_stream import FrameResult
from boardless.running.latency import frame_rate, frames_lost, latencies, latency
from boardless.running.post_mortem import as_document
from boardless_sim.files import write_text
from boardless_sim.timing_basis import TimingBasis

SCHEMA = 1


def run_document(report: RunReport, checks: Sequence[BoardCheck] = ()) -> dict[str, object]:
    """The whole run. `correct` and `accuracy` are null where a truth is not known.

    `post_mortem` is null where the run has its results.
    """
    stands = report.post_mortem
    return {
        "schema": SCHEMA,
        "engine": report.engine,
        "frames": len(report.results),
        "correct": report.correct,
        "accuracy": report.accuracy,
        "stop_reason": report.stop_reason.value,
        "fingerprint": fingerprint(report),
        "timing": _timing(report.timing_basis, report.results),
        "detail": report.detail,
        "post_mortem": None if stands is None else as_document(stands),
        "board_checks": [check_document(check) for check in checks],
        "not_checked": list(not_checked(report.checked)),
        "results": [_result(result) for result in report.results],
    }


def check_document(check: BoardCheck) -> dict[str, object]:
    """One row."""
    return {
        "check": check.check,
        "grade": check.grade.value,
        "device": check.device,
        "text": check.text,
        "function": check.function,
        "pc": check.pc,
        "time_us": check.time_us,
        "waived": check.waived or None,
    }


def fingerprint(report: RunReport) -> str:
    """SHA-256 over every normalised result line, each with a newline: equal for any jobs."""
    lines = "".join(f"{result.normalised_line}\n" for result in report.results)
    return hashlib.sha256(lines.encode()).hexdigest()


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write the whole document or nothing: a reader never sees half of one."""
    write_text(path, json.dumps(document, indent=2) + "\n")


def _timing(basis: TimingBasis, results: Sequence[FrameResult]) -> dict[str, object]:
    total = latency(results)
    return {
        "basis": basis.name,
        "error_percent": basis.error_percent,
        "mean_us": None if total is None else total.mean_us,
        "p95_us": None if total is None else total.p95_us,
        "stages": {stage: vars(found) for stage, found in latencies(results).items()},
        "frames_per_second": frame_rate(results),
        "frames_lost": frames_lost(results),
    }


def _result(result: FrameResult) -> dict[str, object]:
    return {
        "frame": result.frame,
        "label": result.label,
        "class": result.class_index,
        "score": result.score,
        "times_us": dict(result.times_us),
        **({} if result.class_index is not None else {"values": list(result.values)}),
    }
