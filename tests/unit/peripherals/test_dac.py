"""RM0090 chapter 14, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals import timer
from boardless_sim.peripherals.analog import dac
from boardless_sim.peripherals.analog.dac import Dac
from boardless_sim.peripherals.timer import BasicTimer
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="DAC", source="RM0090 chapter 14")

IRQ = 54


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Dac:
    device = Dac("DAC", IRQ)
    bus.place(0x4000_7400, device)
    return device


@pytest.mark.parametrize(("register", "value", "held"), [
    (dac.DHR12R1, 0xABC, 0xABC), (dac.DHR12L1, 0xABC0, 0xABC), (dac.DHR8R1, 0xAB, 0xAB0),
])  # fmt: skip
def test_alignments(device: Dac, register: int, value: int, held: int) -> None:
    """14.3.4: DHR8R1 goes to DHR1[11:4], DHR12L1 from its bits 15 to 4."""
    device.write(dac.CR, 4, dac.CR_EN)
    device.write(register, 4, value)
    assert device.read(dac.DOR1, 4) == held


@pytest.mark.parametrize(("register", "value"), [
    (dac.DHR12RD, 0x0123_0ABC), (dac.DHR12LD, 0x1230_ABC0),
])  # fmt: skip
def test_both_at_once(device: Dac, register: int, value: int) -> None:
    device.write(register, 4, value)
    assert (device.read(dac.DOR1, 4), device.read(dac.DOR2, 4)) == (0xABC, 0x123)


def test_off_it_drives_nothing(device: Dac) -> None:
    device.write(dac.DHR12R1, 4, 0xFFF)
    assert device.level(1) is None
    device.write(dac.CR, 4, dac.CR_EN)
    assert device.level(1) == 1.0


def test_software_triggers_what_is_held(device: Dac) -> None:
    device.write(dac.CR, 4, dac.CR_EN | dac.CR_TEN | 7 << 3)
    device.write(dac.DHR12R1, 4, 100)
    assert device.read(dac.DOR1, 4) == 0
    device.write(dac.SWTRIGR, 4, 1)
    assert device.read(dac.DOR1, 4) == 100


def test_a_timer_and_the_dma_make_a_wave(bus: FakeBus, device: Dac) -> None:
    """14.3.7: each trigger raises a DMA request, for what the next puts out."""
    basic = BasicTimer("TIM6", IRQ)
    bus.place(0x4000_1000, basic)
    device.triggers = {"TIM6": basic}
    wave, out = [10, 20, 30], []
    device.on_output = lambda channel: out.append((bus.time, device.values[dac.DOR1]))

    def serve(request: str, units: int) -> int:
        if request == "DAC1" and wave:
            device.write(dac.DHR12R1, 4, wave.pop(0))
            return 1
        return 0

    bus.serve = serve
    device.write(dac.CR, 4, dac.CR_EN | dac.CR_TEN | dac.CR_DMAEN)
    basic.write(timer.CR2, 4, 2 << 4)
    basic.write(timer.ARR, 4, 99)
    basic.write(timer.EGR, 4, timer.EGR_UG)
    out.clear()
    basic.write(timer.CR1, 4, timer.CR1_CEN)
    bus.run(600)
    assert out == [(200, 10), (400, 20), (600, 30)]


def test_a_dma_that_does_not_come_is_an_underrun(bus: FakeBus, device: Dac) -> None:
    """14.3.7: DMAUDR when a second trigger arrives before the first is acknowledged."""
    device.write(dac.CR, 4, dac.CR_EN | dac.CR_TEN | 7 << 3 | dac.CR_DMAEN | dac.CR_DMAUDRIE)
    device.write(dac.SWTRIGR, 4, 1)
    assert not bus.irqs.get(IRQ)
    device.write(dac.SWTRIGR, 4, 1)
    assert bus.irqs[IRQ]
    device.write(dac.SR, 4, dac.SR_DMAUDR)
    assert not bus.irqs[IRQ]


def test_a_triangle(device: Dac) -> None:
    """14.3.9: the counter goes up to the amplitude, then down again."""
    device.write(dac.CR, 4, dac.CR_EN | dac.CR_TEN | 7 << 3 | 2 << 6 | 1 << 8)
    device.write(dac.DHR12R1, 4, 100)
    seen = []
    for _ in range(8):
        device.write(dac.SWTRIGR, 4, 1)
        seen.append(device.read(dac.DOR1, 4))
    assert seen == [101, 102, 103, 102, 101, 100, 101, 102]
