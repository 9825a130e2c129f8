"""What the ledger says of a device."""

from __future__ import annotations

import pytest

from boardless.project.fidelity import Standing, block_of, known_of, load_ledger


@pytest.mark.parametrize(
    ("device", "block"),
    [
        ("UART4", "USART"), ("USART2", "USART"), ("GPIOC", "GPIO"), ("I2C1", "I2C"),
        ("TIM14", "TIM"), ("FMC", "FSMC"), ("DCMI", "DCMI"), ("core", "core"),
    ],
)  # fmt: skip
def test_devices_of_a_kind_have_one_name(device: str, block: str) -> None:
    assert block_of(device) == block


def test_a_device_that_no_test_speaks_of_is_not_modelled() -> None:
    known = dict(known_of(["ETH", "OV7670", "DMA2"], load_ledger()))
    assert known["ETH"].standing is Standing.NAMED
    assert known["OV7670"].standing is known["DMA2"].standing is Standing.MODELLED
    assert known["DMA2"].device == "DMA"
