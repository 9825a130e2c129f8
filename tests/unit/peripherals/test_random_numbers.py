"""RM0090 chapter 24, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.crypto import rng
from boardless_sim.peripherals.crypto.rng import Rng
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="RNG", source="RM0090 chapter 24")

IRQ = 80
CYCLES = 40 * 168 // 48  # of the core, in 40 of PLL48CLK


def make(bus: FakeBus) -> Rng:
    device = Rng("RNG", IRQ)
    bus.place(0x5006_0800, device)
    return device


def take(bus: FakeBus, device: Rng) -> int:
    bus.run(CYCLES)
    assert device.read(rng.SR, 4) == rng.SR_DRDY
    return device.read(rng.DR, 4)


def test_a_number_takes_40_clocks() -> None:
    """24.3.1: "40 periods of the PLL48CLK clock signal between two consecutive random numbers"."""
    bus = FakeBus()
    device = make(bus)
    device.write(rng.CR, 4, rng.CR_RNGEN | rng.CR_IE)
    bus.run(CYCLES - 1)
    assert device.read(rng.SR, 4) == 0
    assert device.read(rng.DR, 4) == 0
    bus.run(CYCLES)
    assert bus.irqs[IRQ]
    assert device.read(rng.DR, 4)
    assert not bus.irqs[IRQ]


def test_numbers_differ_and_are_the_same_on_every_run() -> None:
    runs = []
    for _ in range(2):
        bus = FakeBus()
        device = make(bus)
        device.write(rng.CR, 4, rng.CR_RNGEN)
        runs.append([take(bus, device) for _ in range(20)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 20


def test_a_slow_clock_is_an_error_and_no_number() -> None:
    """24.3.2: CEIS is set when PLL48CLK is below HCLK/16."""
    bus = FakeBus()
    device = make(bus)
    device.clock_hz = lambda: 10_000_000
    device.write(rng.CR, 4, rng.CR_RNGEN)
    bus.run(100_000)
    assert device.read(rng.SR, 4) == rng.SR_CECS | rng.SR_CEIS
    device.write(rng.SR, 4, 0)
    assert device.read(rng.SR, 4) == rng.SR_CECS


def test_without_its_clock_no_number_comes() -> None:
    bus = FakeBus()
    device = make(bus)
    device.write(rng.CR, 4, rng.CR_RNGEN)
    device.clock(False)
    bus.run(1000)
    device.clock(True)
    assert device.read(rng.SR, 4) == 0
    assert take(bus, device)
