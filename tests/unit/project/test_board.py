"""The board in `boardless.toml`: chip, crystal, camera, parts, image; what cannot be."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from boardless.cli import cli
from boardless.project.choice import ProjectChoice
from boardless.project.project import Project, load_project
from boardless.running.session import BoardSetup
from boardless_sim.boards.board import Attachment, CameraWiring
from boardless_sim.boards.plan import BoardPlan, make_board
from boardless_sim.elf.image import ImagePlan
from boardless_sim.errors import BoardError, ConfigError, EngineError

WHOLE = """
[board]
chip = "STM32F429ZI"
crystal = "25M"
[camera]
sensor = "ov7670"
bus = "i2c2"
xclk = "TIM1_CH1"
powerdown = "PG9"
reset = "PA7"
[[attach]]
device = "ssd1306"
at = "gpio:PB8,PB9"
[[attach]]
device = "lamp.py:Lamp"
at = "PD12"
[console]
port = "USART3"
baud = 921600
[image]
vector-table = 0x08010000
also = [{ file = "boot.bin", at = 0x08000000 }]
symbols = "app.elf"
"""


def project_of(folder: Path, text: str, chip: str | None = None) -> Project:
    path = folder / "boardless.toml"
    path.write_text(text, encoding="utf-8")
    return load_project(ProjectChoice(path, chip))


def test_the_whole_of_it(tmp_path: Path) -> None:
    project = project_of(tmp_path, WHOLE)
    assert project.board == BoardPlan(
        chip="stm32f429zi",
        crystal_hz=25_000_000,
        camera=CameraWiring("ov7670", "i2c2", "TIM1_CH1", "PG9", "PA7"),
        attached=(
            Attachment("ssd1306", "gpio:PB8,PB9"),
            Attachment(f"{tmp_path}/lamp.py:Lamp", "PD12"),
        ),
        console_bauds={"USART3": 921600},
    )
    assert project.image == ImagePlan(
        vector_table=0x0801_0000,
        also=((tmp_path / "boot.bin", 0x0800_0000),),
        symbols=tmp_path / "app.elf",
    )


def test_without_a_file_it_is_the_reference_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_project() == Project()
    board = make_board(load_project().board)
    assert (board.name, board.crystal_hz) == ("stm32f407vg", 8_000_000)
    assert board.camera == CameraWiring("ov7670", "i2c1", "MCO1")


def test_a_chip_without_dcmi_has_no_camera_unless_asked_for(tmp_path: Path) -> None:
    assert make_board(project_of(tmp_path, "[board]\nchip='stm32f411ce'").board).camera is None
    assert make_board(project_of(tmp_path, "[board]\ncrystal='none'").board).crystal_hz is None


def test_the_command_line_goes_before_the_file(tmp_path: Path) -> None:
    assert project_of(tmp_path, WHOLE, "stm32f407zg").board.chip == "stm32f407zg"
    with pytest.raises(BoardError, match="stm32f405rg has no DCMI"):
        make_board(project_of(tmp_path, WHOLE, "stm32f405rg").board)


def test_the_file_in_a_card_goes_from_the_files_folder(tmp_path: Path) -> None:
    project = project_of(tmp_path, "[[attach]]\ndevice = 'sd-card'\nat = 'sdio:card.img'")
    assert project.board.attached == (Attachment("sd-card", f"sdio:{tmp_path}/card.img"),)


def test_an_elf_of_several_has_the_board_of_its_target(tmp_path: Path) -> None:
    text = "[[target]]\nelf = 'app.elf'\nboard.chip = 'stm32f429zi'\n"
    path = tmp_path / "boardless.toml"
    path.write_text(text, encoding="utf-8")
    own = load_project(ProjectChoice(path), tmp_path / "app.elf")
    assert own.board.chip == "stm32f429zi"
    assert load_project(ProjectChoice(path), tmp_path / "b.elf").board.chip == "stm32f407vg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[board]\ncrystal = '8 MHz'", r"\[board\] crystal: found '8 MHz', expected 1000000 to 5"),
        ("[board]\nchip = 'stm32h743zi'", "chip: chip 'stm32h743zi', expected a part as"),
        ("[board]\nchip = 'stm32f411ce'\n[camera]", "stm32f411ce has no DCMI, expected for a cam"),
        ("[camera]\nsensr = 'ov7670'", r"\[camera\] unknown key 'sensr', expected 'sensor'\?"),
        (
            "[camera]\nsensor = 'ov9999'",
            r"\[camera\] sensor: found 'ov9999', expected one of .*ov7670",
        ),
        ("[camera]\nbus = 'i2c4'", "the camera's bus: stm32f407vg has no I2C4_SCL, expected a si"),
        ("[camera]\nbus = 'spi1'", "bus 'spi1', expected one as i2c1, or two pins as gpio:PB8,P"),
        ("[camera]\nbus = 'gpio:PB8'", "bus 'gpio:PB8', expected one as i2c1, or two pins as"),
        ("[camera]\nxclk = 'TIM1_CH5'", "xclk: stm32f407vg has no TIM1_CH5, expected a signal"),
        ("[camera]\npowerdown = 'G9'", "the camera's powerdown: pin 'G9', expected one as PG9"),
        ("[camera]\nreset = 'PA8'", "xclk: no pin is left for MCO1: PA8 has the camera's reset"),
        (
            "[camera]\nreset = 'PD7'\nbus = 'gpio:PD6,PD7'",
            "pin PD7 has the camera's reset and the camera's bus, expected one of them",
        ),
        (
            "[camera]\npowerdown = 'PA6'",
            "the camera: no pin is left for DCMI_PIXCK: PA6 has the camera's powerdown",
        ),
        ("[[attach]]\ndevice = 'ssd'\nat = 'i2c1'", r"\[attach 1\] device: found 'ssd', expected"),
        ("[[attach]]\ndevice = 'ssd1306'", r"\[attach 1\] at: not there, expected a text"),
        ("[console]\nport = 'USART9'\nbaud = 9600", "port: stm32f407vg has no USART9_TX"),
        ("[image]\nalso = [{ at = 1 }]", r"\[image.also 1\] file: not there, expected a text"),
        ("[image]\nvector-table = 'x'", "vector-table: found 'x', expected a number from 0"),
    ],
)
def test_what_cannot_be_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        project_of(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path}/boardless.toml: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("engine", "text", "message"),
    [
        ("renode", "[camera]\nxclk = '24M'", "engine renode: no camera but the reference board's"),
        ("renode", "[board]\ncrystal = '25M'", "engine renode: no crystal but the reference"),
        ("qemu", "[board]\nchip = 'stm32f429zi'", "engine qemu: no chip but the reference board"),
    ],
)
def test_what_another_engine_lacks_of_the_board_is_said_before_the_run(
    engine: str, text: str, message: str, tmp_path: Path, small_elf: Path
) -> None:
    project = project_of(tmp_path, text)
    with pytest.raises(EngineError, match=message):
        BoardSetup(small_elf, engine=engine, board=project.board).power_on()


@pytest.mark.parametrize(
    "name", ["run", "test", "profile", "compare", "coverage", "trace", "debug", "budget", "doctor"]
)
def test_every_command_that_runs_firmware_asks_for_its_board(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert {"--config", "--chip"} <= {option for p in command.params for option in p.opts}
