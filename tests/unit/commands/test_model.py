from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from boardless import cli
from boardless.commands import model
from boardless.project import model_hash
from boardless.project.model_hash import hash_in, mismatch, require_model
from boardless_models.tflite.file import write_tflite
from boardless_sim.elf.image import FirmwareImage, Segment, Symbol
from boardless_sim.errors import ModelError
from tests.models.tflite.tflite_cases import residual

REPOSITORY = Path(__file__).parents[3]
ARTIFACT = REPOSITORY / "models" / "artifacts" / "fashion_mnist_8k.npz"
DIGEST = bytes(range(32))


def image(size: int = 32, address: int = 0x0800_0104) -> FirmwareImage:
    symbol = Symbol("model_hash", address, size, "object", is_global=True)
    segment = Segment(0x0800_0100, 0x0800_0100, bytes(4) + DIGEST, 36)
    return FirmwareImage(Path("app.elf"), (segment,), {"model_hash": symbol}, 0, 0, 0, "0" * 64, ())


def test_start_up_imports_no_step_of_the_model_line() -> None:
    code = "import sys, boardless.cli; print([m for m in sys.modules if 'boardless_models' in m])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_help_lists_every_step_without_importing_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(model, "import_module", refuse)
    assert cli.main(["model", "--help"]) == 0
    output = capsys.readouterr().out
    for name in ("train", "prune", "quantize", "export", "verify", "table", "import"):
        assert f"\n  {name} " in output


def test_a_step_without_pytorch_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(model, "import_module", missing)
    assert cli.main(["model", "train", "--epochs", "3", "out.npz"]) == 2
    expected = (
        "boardless: model train needs PyTorch, which is not installed: "
        "pip install 'boardless[train]'\n"
    )
    assert capsys.readouterr().err == expected


def test_a_step_that_cannot_be_imported_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr(model, "import_module", missing)
    assert cli.main(["model", "quantize"]) == 2
    assert capsys.readouterr().err == "boardless: model quantize: No module named 'numpy'\n"


def test_a_step_that_does_not_exist_is_refused() -> None:
    assert cli.main(["model", "bake"]) == 2


@pytest.mark.parametrize("name", ["quantize", "export", "import", "verify", "table"])
def test_every_step_that_needs_no_pytorch_has_a_command(name: str) -> None:
    module = f"{model.__name__}.{model.STEPS[name].module}"
    assert importlib.import_module(module).command is not None


def test_hash_is_read_from_the_symbol() -> None:
    assert hash_in(image()) == DIGEST.hex()


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (image(size=16), "model_hash: 16 bytes, expected 32"),
        (image(address=0x2000_0000), "model_hash at 0x20000000 is not in the image's data"),
        (image(address=0x0800_0106), "model_hash at 0x08000106 is not in the image's data"),
    ],
)
def test_an_image_without_a_whole_hash_is_refused(found: FirmwareImage, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        hash_in(found)


def test_another_model_is_refused_with_both_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_hash, "load_image", lambda *_: image())
    with pytest.raises(ModelError) as caught:
        require_model(Path("app.elf"), ARTIFACT)
    expected = ARTIFACT.with_suffix(".sha256").read_text().split()[0]
    assert str(caught.value) == f"app.elf: model {DIGEST.hex()}, expected {expected} ({ARTIFACT})"


def test_the_right_model_is_no_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_hash, "expected_hash", lambda _path: DIGEST.hex())
    assert mismatch(image(), ARTIFACT) == ""


def test_run_refuses_before_a_board_is_powered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("boardless_sim.elf.image.load_image", lambda *_: image())
    arguments = ["run", "app.elf", "--frames", "pattern:bars", "--model", str(ARTIFACT)]
    assert cli.main(arguments) == 2
    assert DIGEST.hex() in capsys.readouterr().err


def test_the_way_of_a_users_file(tmp_path: Path) -> None:
    tflite, artifact, folder = tmp_path / "u.tflite", tmp_path / "u.npz", tmp_path / "generated"
    tflite.write_bytes(write_tflite(residual(1), "user"))
    assert cli.main(["model", "import", str(tflite), str(artifact)]) == 0
    assert cli.main(["model", "export", str(artifact), str(folder)]) == 0
    assert "an artifact with the sha256" in (folder / "model.h").read_text()
    assert cli.main(["model", "export", str(artifact), str(tmp_path / "back.tflite")]) == 0


def test_a_trained_artifact_is_exported_both_ways(tmp_path: Path) -> None:
    assert cli.main(["model", "export", str(ARTIFACT), str(tmp_path / "m.tflite")]) == 0
    assert cli.main(["model", "export", str(ARTIFACT), str(tmp_path / "generated")]) == 0
    kept = REPOSITORY / "firmware" / "generated" / "model.c"
    assert (tmp_path / "generated" / "model.c").read_text() == kept.read_text()
