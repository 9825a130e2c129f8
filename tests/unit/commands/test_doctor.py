from __future__ import annotations

import json
from pathlib import Path

import pytest

from boardless import cli
from boardless.project import doctor
from boardless.project.doctor import Requirement, can_run
from tests.unit.core.programs import SLEEP_FOREVER, assemble, poke
from tests.unit.elf.elf_bytes import build_elf

ETH_MACCR, RCC_APB1ENR, TIM2_ARR = 0x4002_8000, 0x4002_3840, 0x4000_002C

FOUND = Requirement("unicorn", "2.1.4", "run", "pip install unicorn==2.1.4")
MISSING = Requirement("C core", None, "run", "apt-get install build-essential")
NO_COMPILER = Requirement("arm-none-eabi-gcc", None, "build", "apt-get install gcc-arm-none-eabi")


def test_only_what_a_run_needs_decides() -> None:
    assert can_run([FOUND, NO_COMPILER])
    assert not can_run([FOUND, MISSING])


def test_every_check_tells_how_to_install() -> None:
    checks = doctor.examine()
    assert [check.name for check in checks] == [
        "python",
        "unicorn",
        "C core",
        "arm-none-eabi-gcc",
        "qemu-system-arm",
        "renode",
        "data set",
        "robot",
        "pabot",
    ]
    assert all("install" in check.install for check in checks)


def test_a_missing_tool_is_listed_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [FOUND, MISSING])
    assert cli.main(["doctor"]) == 1
    output = capsys.readouterr().out
    assert "install C core: apt-get install build-essential\n" in output
    assert output.endswith("`boardless run` cannot work on this machine\n")


def test_the_document_names_every_tool(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [FOUND, NO_COMPILER])
    monkeypatch.setattr(doctor, "examine_project", lambda _folder: [])
    assert cli.main(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["can_run"]) == (1, True)
    assert [(tool["name"], tool["ok"]) for tool in document["tools"]] == [
        ("unicorn", True),
        ("arm-none-eabi-gcc", False),
    ]


def test_a_tool_that_fails_counts_as_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "arm-none-eabi-gcc"
    tool.write_text("#!/bin/sh\necho gcc 12\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {check.name: check.found for check in doctor.examine()}
    assert found["arm-none-eabi-gcc"] is None
    tool.write_text("#!/bin/sh\necho gcc 12\n")
    found = {check.name: check.found for check in doctor.examine()}
    assert found["arm-none-eabi-gcc"] == "gcc 12"


def test_which_renode_is_found_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "renode"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Renode v1.16.1.1\n')
    program.chmod(0o755)
    monkeypatch.setenv("RENODE_PATH", str(tmp_path))
    found = {check.name: check.found for check in doctor.examine()}
    assert found["renode"] == f"Renode v1.16.1.1, {program}"


def test_a_firmware_that_touches_what_is_not_modelled_fails_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = tmp_path / "spi.elf"
    elf.write_bytes(build_elf(code=assemble(poke(ETH_MACCR, 1) + SLEEP_FOREVER)))
    assert cli.main(["doctor", "--board", str(elf), "--json"]) == 1
    devices = json.loads(capsys.readouterr().out)["devices"]
    assert [(row["device"], row["standing"]) for row in devices] == [
        ("core", "modelled"),
        ("ETH", "not modelled"),
    ]


def test_the_board_of_a_firmware_says_how_well_each_device_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elf = tmp_path / "tim.elf"
    code = poke(RCC_APB1ENR, 1) + poke(TIM2_ARR, 1) + SLEEP_FOREVER
    elf.write_bytes(build_elf(code=assemble(code)))
    assert cli.main(["doctor", "--board", str(elf)]) == 0
    output = capsys.readouterr().out
    assert [line.split()[:2] for line in output.splitlines()[1:4]] == [
        ["core", "modelled"],
        ["TIM2", "modelled"],
        ["RCC", "modelled"],
    ]
    assert "short cut  TIM: " in output
