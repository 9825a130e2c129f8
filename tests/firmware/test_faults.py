"""The reference firmware against every fault of the catalogue."""

from __future__ import annotations

import pytest

from boardless.running.fault_trial import (
    BOARD_SCENARIOS,
    SENSOR_SCENARIOS,
    FaultTrial,
    try_board_fault,
    try_sensor_fault,
)
from boardless.running.session import BoardSetup
from boardless_sim.elf.image import FirmwareImage, load_image
from boardless_sim.faults.catalog import BOARD_FAULTS, SENSOR_FAULTS
from tests.firmware.conftest import BUILD

ELF = BUILD / "boardless.elf"
SETUP = BoardSetup(ELF)
RECOVERY_FRAMES = 2
# What happens to the console cannot be told by the firmware, and what ends it is a reset.
SILENT = {"uart noise", "uart loss", "supply cut", "chip reset", "spurious interrupt"}


@pytest.fixture(scope="module")
def image() -> FirmwareImage:
    return load_image(ELF)


def hold(trial: FaultTrial) -> None:
    assert not trial.crashed
    if trial.refused:
        assert any(line.startswith("e- camera") for line in trial.said)
        return
    assert trial.recovered_after is not None, "no result after the fault's end"
    if trial.detectable and trial.name not in SILENT:
        assert trial.said, "detectable, and no e- line"
        assert trial.classes_of_bad == 0, "a class for a bad frame"
        assert trial.recovered_after <= RECOVERY_FRAMES


@pytest.mark.parametrize("name", SENSOR_FAULTS)
def test_a_fault_of_the_sensor(name: str, image: FirmwareImage) -> None:
    hold(try_sensor_fault(name, SETUP, image))


@pytest.mark.parametrize("name", BOARD_FAULTS)
def test_a_fault_of_the_board(name: str, image: FirmwareImage) -> None:
    hold(try_board_fault(name, SETUP, image))


def test_every_fault_has_its_scenario() -> None:
    assert list(SENSOR_SCENARIOS) == list(SENSOR_FAULTS)
    assert list(BOARD_SCENARIOS) == list(BOARD_FAULTS)
