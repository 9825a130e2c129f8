from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from boardless.report.document import fingerprint, run_document, write_json
from boardless.running.classify import RunReport, classify
from boardless_sim.engines.engine import StopReason
from boardless_sim.errors import BoardlessError
from boardless_sim.files import require_writable
from boardless_sim.finding import Check
from boardless_sim.timing_basis import TimingBasis
from tests.unit.running.fake_engine import FRAME_US, FakeEngine, frames


def test_the_document_has_exactly_the_fields_of_schema_1() -> None:
    report = classify(FakeEngine(), frames(3, wrong=frozenset({1})))
    document = json.loads(json.dumps(run_document(report)))
    assert document.pop("fingerprint") == fingerprint(report)
    times = {"capture": 20000, "preprocess": 1000}
    timing = document["timing"]
    assert list(timing.pop("stages")) == ["capture", "preprocess", "infer", "total"]
    assert timing.pop("frames_per_second") == pytest.approx(1e6 / FRAME_US)
    assert document == {
        "schema": 1,
        "engine": "fake",
        "frames": 3,
        "correct": 2,
        "accuracy": 2 / 3,
        "stop_reason": "result",
        "detail": "",
        "post_mortem": None,
        "board_checks": [],
        "not_checked": [check.value for check in Check],
        "timing": {
            "basis": "fake cycles",
            "error_percent": 15,
            "mean_us": 30001.0,
            "p95_us": 30002,
            "frames_lost": None,
        },
        "results": [
            {
                "frame": number,
                "label": label,
                "class": number,
                "score": 90,
                "times_us": {**times, "infer": 9000 + number, "total": 30000 + number},
            }
            for number, label in enumerate([0, 2, 2])
        ],
    }


def test_without_labels_correct_and_accuracy_are_null() -> None:
    document = run_document(classify(FakeEngine(), frames(2, labels=False)))
    assert (document["correct"], document["accuracy"]) == (None, None)


def test_without_a_total_the_timing_is_null() -> None:
    report = classify(FakeEngine(says=lambda n, _f: f"r- frame={n} class=1 score=2"), frames(1))
    document = run_document(report)
    assert document["timing"] == {
        "basis": "fake cycles",
        "error_percent": 15,
        "mean_us": None,
        "p95_us": None,
        "stages": {},
        "frames_per_second": None,
        "frames_lost": None,
    }


def test_a_stage_has_its_mean_its_percentiles_and_its_longest_time() -> None:
    document = json.loads(json.dumps(run_document(classify(FakeEngine(), frames(4)))))
    assert document["timing"]["stages"]["infer"] == {
        "frames": 4,
        "mean_us": 9001.5,
        "p50_us": 9001,
        "p95_us": 9003,
        "p99_us": 9003,
        "max_us": 9003,
    }


def test_the_fingerprint_is_the_hash_of_every_result_line() -> None:
    report = classify(
        FakeEngine(says=lambda n, _f: f"r- frame={n} class=1 score=2 total_us={n}"), frames(2)
    )
    lines = b"r- frame=0 class=1 score=2\nr- frame=1 class=1 score=2\n"
    assert fingerprint(report) == hashlib.sha256(lines).hexdigest()
    other = classify(FakeEngine(says=lambda n, _f: f"r- frame={n} class=1 score=3"), frames(2))
    assert fingerprint(other) != fingerprint(report)


def test_an_early_stop_is_named() -> None:
    report = RunReport("fake", TimingBasis("cycles"), (), StopReason.FAULT, "fault: HardFault")
    assert run_document(report)["stop_reason"] == "fault"


def test_a_document_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    write_json(path, {"schema": 1})
    assert json.loads(path.read_text()) == {"schema": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_document_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")
    with pytest.raises(TypeError):
        write_json(path, {"schema": object()})
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(BoardlessError, match=r"run\.json: is a folder, expected a file to write$"):
        require_writable(tmp_path / "run.json")
    with pytest.raises(BoardlessError, match=r"run\.json: is a folder, expected a file"):
        write_json(tmp_path / "run.json", {})
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.json"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BoardlessError, match=r"no folder .*/gone, expected one to write into$"):
        require_writable(tmp_path / "gone" / "run.json")
