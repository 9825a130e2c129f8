from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "firmware"
CPU = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-ffunction-sections"]


def link(folder: Path, *options: str, source: str = "small.c") -> Path:
    """The small firmware, or another one, linked; options are added to the compiler's."""
    compiler = shutil.which("arm-none-eabi-gcc")
    assert compiler is not None, "arm-none-eabi-gcc is not there: make setup installs it"
    elf = (folder / source).with_suffix(".elf")
    script = ["-T", str(SOURCES / "small.ld"), "-Wl,--build-id=none,--no-warn-rwx-segments"]
    command = [compiler, *CPU, *script, *options, str(SOURCES / source), "-o", str(elf)]
    subprocess.run(command, check=True)
    return elf


@pytest.fixture(scope="session")
def small_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link(tmp_path_factory.mktemp("small"))


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return tmp_path / "boardless.toml"
