"""RM0090 chapter 13, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.finding import Check
from boardless_sim.peripherals import timer
from boardless_sim.peripherals.analog import adc_unit as unit
from boardless_sim.peripherals.analog.adc import CCR, CSR, Adc
from boardless_sim.peripherals.timer import Timer
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="ADC", source="RM0090 chapter 13")

IRQ = 18
CYCLES = (3 + 12) * 2 * 2  # sampling and 12 bits, ADCCLK = PCLK2/2, PCLK2 half of HCLK
LEVELS = {0: 0.0, 1: 0.25, 2: 0.5, 3: 1.0}


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Adc:
    device = Adc("ADC", IRQ)
    bus.place(0x4001_2000, device)
    device.voltage = lambda number, channel: LEVELS[channel]
    return device


def sequence(device: Adc, *channels: int, control: int = 0) -> None:
    device.write(unit.SQR1, 4, (len(channels) - 1) << 20)
    device.write(unit.SQR3, 4, sum(channel << 5 * n for n, channel in enumerate(channels)))
    device.write(unit.CR1, 4, unit.CR1_SCAN)
    device.write(unit.CR2, 4, unit.CR2_ADON | control)


def start(device: Adc) -> None:
    device.write(unit.CR2, 4, device.read(unit.CR2, 4) | unit.CR2_SWSTART)


@pytest.mark.parametrize(("channel", "result"), [(0, 0), (1, 1024), (2, 2048), (3, 4095)])
def test_a_conversion_takes_its_time(bus: FakeBus, device: Adc, channel: int, result: int) -> None:
    """13.5: "Tconv = Sampling time + 12 cycles"."""
    sequence(device, channel)
    start(device)
    bus.run(CYCLES - 1)
    assert device.read(unit.SR, 4) == unit.SR_STRT
    bus.run(1)
    assert device.read(unit.SR, 4) == unit.SR_STRT | unit.SR_EOC
    assert device.read(unit.DR, 4) == result
    assert not device.read(unit.SR, 4) & unit.SR_EOC


@pytest.mark.parametrize(("resolution", "result"), [(1, 512), (2, 128), (3, 32)])
def test_fewer_bits_are_faster(bus: FakeBus, device: Adc, resolution: int, result: int) -> None:
    """13.7: 10 bits in 10 ADCCLK cycles, 8 in 8, 6 in 6."""
    sequence(device, 2)
    device.write(unit.CR1, 4, resolution << 24)
    start(device)
    bus.run(CYCLES - 8 * resolution - 1)
    assert not device.read(unit.SR, 4) & unit.SR_EOC
    bus.run(1)
    assert device.read(unit.DR, 4) == result


@pytest.mark.parametrize(
    ("sampling", "prescaler", "cycles"), [(1, 0, 108), (7, 0, 1968), (0, 3, 240)]
)
def test_sampling_time_and_prescaler(
    bus: FakeBus, device: Adc, sampling: int, prescaler: int, cycles: int
) -> None:
    sequence(device, 2)
    device.write(unit.SMPR2, 4, sampling << 6)
    device.write(CCR, 4, prescaler << 16)
    start(device)
    bus.run(cycles - 1)
    assert not device.read(unit.SR, 4) & unit.SR_EOC
    bus.run(1)
    assert device.read(unit.SR, 4) & unit.SR_EOC


def test_off_it_does_not_start(bus: FakeBus, device: Adc) -> None:
    sequence(device, 2)
    device.write(unit.CR2, 4, unit.CR2_SWSTART)
    bus.run(10 * CYCLES)
    assert device.read(unit.SR, 4) == 0


def test_a_scan_by_dma(bus: FakeBus, device: Adc) -> None:
    """13.8.1: after each conversion of a regular channel a DMA request is generated."""
    taken: list[int] = []

    def serve(request: str, units: int) -> int:
        assert request == "ADC1"
        taken.append(device.read(unit.DR, 4))
        return 1

    bus.serve = serve
    sequence(device, 3, 1, 2, control=unit.CR2_DMA | unit.CR2_CONT | unit.CR2_DDS)
    start(device)
    bus.run(5 * CYCLES)
    assert taken == [4095, 1024, 2048, 4095, 1024]


def test_a_result_that_nobody_takes_is_an_overrun(bus: FakeBus, device: Adc) -> None:
    """13.8.1: OVR, and the conversions stop; what was lost is the new result."""
    sequence(device, 3, 1, 2, control=unit.CR2_EOCS)
    start(device)
    bus.run(3 * CYCLES)
    assert device.read(unit.SR, 4) & unit.SR_OVR
    assert device.read(unit.DR, 4) == 4095


def test_without_watching_the_last_result_stands(bus: FakeBus, device: Adc) -> None:
    """13.8.3: EOC at the end of the sequence only, and no overrun."""
    sequence(device, 3, 1)
    start(device)
    bus.run(CYCLES)
    assert not device.read(unit.SR, 4) & unit.SR_EOC
    bus.run(CYCLES)
    assert device.read(unit.SR, 4) & (unit.SR_EOC | unit.SR_OVR) == unit.SR_EOC
    assert device.read(unit.DR, 4) == 1024


def test_injected_channels_end_with_the_last(bus: FakeBus, device: Adc) -> None:
    """13.13.12: with JL = 1 the conversions are JSQ3 and JSQ4."""
    device.write(unit.CR1, 4, unit.CR1_SCAN | unit.CR1_JEOCIE)
    device.write(unit.JSQR, 4, 1 << 20 | 3 << 10 | 1 << 15)
    device.write(unit.JOFR1 + 4, 4, 24)
    device.write(unit.CR2, 4, unit.CR2_ADON | unit.CR2_JSWSTART)
    bus.run(2 * CYCLES)
    assert bus.irqs[IRQ]
    assert (device.read(unit.JDR1, 4), device.read(unit.JDR1 + 4, 4)) == (4095, 1000)


def test_a_part_of_the_sequence_for_each_trigger(bus: FakeBus, device: Adc) -> None:
    """13.3.10: discontinuous mode."""
    sequence(device, 3, 1, 2)
    device.write(unit.CR1, 4, unit.CR1_SCAN | unit.CR1_DISCEN | 1 << 13)
    start(device)
    bus.run(10 * CYCLES)
    assert not device.read(unit.SR, 4) & unit.SR_EOC
    start(device)
    bus.run(CYCLES)
    assert device.read(unit.SR, 4) & unit.SR_EOC


@pytest.mark.parametrize(
    ("low", "high", "found"), [(0, 2047, True), (0, 2048, False), (2049, 4095, True)]
)
def test_the_watchdog(bus: FakeBus, device: Adc, low: int, high: int, found: bool) -> None:
    """13.3.7: AWD when the voltage is below the lower or above the higher threshold."""
    sequence(device, 2)
    device.write(unit.CR1, 4, unit.CR1_AWDEN | unit.CR1_AWDIE)
    device.write(unit.LTR, 4, low)
    device.write(unit.HTR, 4, high)
    start(device)
    bus.run(CYCLES)
    assert bool(device.read(unit.SR, 4) & unit.SR_AWD) is found
    assert bus.irqs.get(IRQ, False) is found


def test_a_timer_starts_conversions(bus: FakeBus, device: Adc) -> None:
    """13.6: EXTSEL 8 is TIM3_TRGO."""
    timer_3 = Timer("TIM3", 29)
    bus.place(0x4000_0400, timer_3)
    device.triggers = {"TIM3": timer_3}
    taken: list[int] = []

    def serve(request: str, units: int) -> int:
        taken.append(bus.time)
        return min(device.read(unit.DR, 4), 1)

    bus.serve = serve
    sequence(device, 2, control=unit.CR2_DMA | unit.CR2_DDS | 1 << 28 | 8 << 24)
    timer_3.write(timer.CR2, 4, 2 << 4)
    timer_3.write(timer.ARR, 4, 499)
    timer_3.write(timer.CR1, 4, timer.CR1_CEN)
    timer_3.write(timer.EGR, 4, timer.EGR_UG)
    bus.run(3000)
    assert taken == [CYCLES, 1000 + CYCLES, 2000 + CYCLES]


def test_left_aligned(bus: FakeBus, device: Adc) -> None:
    sequence(device, 2, control=unit.CR2_ALIGN)
    start(device)
    bus.run(CYCLES)
    assert device.read(unit.DR, 4) == 2048 << 4


def test_the_common_status_has_all_three(bus: FakeBus, device: Adc) -> None:
    """13.13.15: ADC2's flags 8 bits higher."""
    device.write(0x100 + unit.CR2, 4, unit.CR2_ADON)
    device.write(0x100 + unit.CR2, 4, unit.CR2_ADON | unit.CR2_SWSTART)
    bus.run(CYCLES)
    assert device.read(CSR, 4) == (unit.SR_STRT | unit.SR_EOC) << 8


@pytest.mark.fidelity(device="ADC", behaviour="dead while unclocked", source="RM0090 2.3")
def test_a_unit_without_its_clock_is_dead(bus: FakeBus, device: Adc) -> None:
    device.unit_clocked = lambda name: name == "ADC2"
    device.write(unit.SMPR1, 4, 7)
    device.write(0x100 + unit.SMPR1, 4, 7)
    assert (device.read(unit.SMPR1, 4), device.read(0x100 + unit.SMPR1, 4)) == (0, 7)
    assert {finding[:2] for finding in bus.findings} == {(Check.CLOCK_GATE, "ADC1")}
