from __future__ import annotations

from pathlib import Path

import pytest

from boardless.gate import model_row as model
from boardless.gate.model_row import with_model
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.config import parse_config
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.errors import ConfigError
from tests.unit.elf.elf_bytes import build_elf

KEPT = Verdict("app.elf", (VerdictRow("size", "model", 10, 20),))
TOML = b'[budget.model]\nmax = "8K"\nartifact = "models/m.npz"\n'


@pytest.fixture
def image(tmp_path: Path) -> FirmwareImage:
    elf = tmp_path / "app.elf"
    elf.write_bytes(build_elf())
    return load_image(elf)


def test_the_artifact_is_found_beside_the_file() -> None:
    assert parse_config(Path("project/boardless.toml"), TOML).artifact == Path(
        "project/models/m.npz"
    )
    assert parse_config(Path("boardless.toml"), b'[budget.model]\nmax = "8K"\n').artifact is None


def test_an_artifact_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match="artifact"):
        parse_config(Path("boardless.toml"), b'[budget.model]\nmax = "8K"\nartifact = 7\n')


def test_the_right_model_keeps_the_verdict(
    monkeypatch: pytest.MonkeyPatch, image: FirmwareImage
) -> None:
    monkeypatch.setattr(model, "mismatch", lambda _elf, _artifact: "")
    found = with_model(KEPT, image, Path("m.npz"))
    assert found.passed
    assert [row.name for row in found.rows] == ["model", "model-hash"]


def test_another_model_fails_the_gate_with_both_digests(
    monkeypatch: pytest.MonkeyPatch, image: FirmwareImage
) -> None:
    complaint = f"model {'a' * 64}, expected {'b' * 64} (m.npz)"
    monkeypatch.setattr(model, "mismatch", lambda _elf, _artifact: complaint)
    found = with_model(KEPT, image, Path("m.npz"))
    assert not found.passed
    assert found.line == f"FAIL app.elf: model-hash: {complaint}"
