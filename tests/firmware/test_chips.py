"""The reference firmware on other chips: the same ELF, the same class; what is too fast is said."""

from __future__ import annotations

from contextlib import closing

import pytest

from boardless.running.classify import classify
from boardless.running.session import BoardSetup
from boardless_sim.boards.plan import BoardPlan
from boardless_sim.camera.source import open_frames
from boardless_sim.engines.engine import StopReason
from tests.firmware.conftest import BUILD


@pytest.mark.parametrize("chip", ["stm32f429zi", "stm32f446ve", "stm32f479ni"])
def test_a_frame_on_a_chip_of_each_generation_with_a_dcmi(chip: str) -> None:
    setup = BoardSetup(BUILD / "boardless.elf", board=BoardPlan(chip=chip))
    with closing(setup.power_on()) as engine:
        report = classify(engine, open_frames("pattern:bars", limit=1))
    assert report.stop_reason is StopReason.RESULT
    assert not report.observations


def test_a_clock_that_the_chip_does_not_reach_is_said() -> None:
    setup = BoardSetup(BUILD / "boardless-mailbox.elf", board=BoardPlan(chip="stm32f411re"))
    with closing(setup.power_on()) as engine:
        report = classify(engine, open_frames("pattern:bars", limit=1))
    texts = [found.finding.text for found in report.observations]
    assert texts == ["HCLK 168 MHz with FLASH_ACR.LATENCY 5, expected at most 100 MHz"]
