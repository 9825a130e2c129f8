"""`boardless init`: from an ELF to files that run; what was guessed says what it rests on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from boardless.cli import main
from boardless.project.doctor import examine_project
from boardless.project.project import load_project
from boardless_sim.boards.board import CameraWiring
from tests.firmware.conftest import BUILD


@pytest.fixture(name="project")
def project_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(BUILD / "boardless.elf", tmp_path / "app.elf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_files_run_as_they_are_written(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "app.elf"]) == 0
    said = capsys.readouterr().out
    assert "read      camera.bus      i2c1         PB8 is I2C1_SCL" in said
    assert "read      camera.xclk     MCO1         PA8 is MCO1, at 16 MHz" in said
    assert "supposed  board.crystal   8M           HSE is on, and RCC_PLLCFGR.PLLM is 8" in said
    found = load_project()
    assert found.board.camera == CameraWiring("ov7670", "i2c1", "MCO1")
    assert found.board.console_bauds == {"USART2": 115200}
    assert main(["run", "app.elf"]) == 0  # only the ELF
    assert main(["test", "robot"]) == 0
    for name in ("launch", "tasks"):
        json.loads((project / f".vscode/{name}.json").read_text("utf-8"))
    assert all(check.ok for check in examine_project(project))


def test_a_file_that_is_there_is_not_written_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "boardless.toml").write_text("# mine\n", encoding="utf-8")
    assert main(["init", "app.elf"]) == 2
    assert "boardless.toml: already there, expected a new project" in capsys.readouterr().err
    assert (project / "boardless.toml").read_text("utf-8") == "# mine\n"


def test_doctor_says_what_is_wrong_with_the_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "boardless.toml").write_text("[board]\nchip = 'z80'\n", encoding="utf-8")
    assert main(["doctor"]) == 1
    assert "expected a part as stm32f407vg" in " ".join(capsys.readouterr().out.split())


def test_beside_the_elf_it_is_found_from_elsewhere(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "boardless.toml").write_text("[board]\ncrystal = '25M'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert load_project(elf=project / "app.elf").board.crystal_hz == 25_000_000
    assert load_project().board.crystal_hz == 8_000_000
