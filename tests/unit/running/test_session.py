from __future__ import annotations

from pathlib import Path

import pytest

from boardless.running.session import BoardSetup
from boardless_sim.errors import EngineError, ImageError


def test_an_unknown_engine_is_an_error(tmp_path: Path) -> None:
    message = r"^engine 'quartz', expected one of: native, renode, qemu$"
    with pytest.raises(EngineError, match=message):
        BoardSetup(tmp_path / "app.elf", engine="quartz").power_on()


def test_a_missing_firmware_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"app\.elf: No such file or directory, expected an ELF$"):
        BoardSetup(tmp_path / "app.elf").power_on()
