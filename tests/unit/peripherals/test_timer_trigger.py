"""What starts, stops and follows a timer beside its own clock (RM0090 chapters 17 and 18)."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals import timer
from boardless_sim.peripherals.timer import AdvancedTimer, Timer, WideTimer
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="TIM", source="RM0090 chapters 17 and 18")

TICK = 2  # core cycles of the undivided timer clock
ON_UPDATE = 2 << 4
ITR1, TI1FP1 = 1 << 4, 5 << 4
INPUT_1 = 1  # CCMR1, CC1S: IC1 is mapped on TI1


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Timer:
    device = Timer("TIM3", 29)
    bus.place(0x4000_0400, device)
    return device


@pytest.fixture(name="master")
def master_fixture(bus: FakeBus, device: Timer) -> Timer:
    """TIM2, whose update is TRGO once in 100 ticks; TIM3 has it at ITR1."""
    master = WideTimer("TIM2", 28)
    bus.place(0x4000_0000, master)
    device.masters = (None, master, None, None)
    master.write(timer.ARR, 4, 99)
    master.write(timer.CR2, 4, ON_UPDATE)
    master.write(timer.CR1, 4, timer.CR1_CEN)
    return master


def test_a_timer_clocks_another(bus: FakeBus, device: Timer, master: Timer) -> None:
    """18.3.15: "Using one timer as prescaler for another timer"."""
    device.write(timer.SMCR, 4, timer.EXTERNAL_CLOCK | ITR1)
    device.write(timer.CR1, 4, timer.CR1_CEN)
    master.write(timer.EGR, 4, timer.EGR_UG)
    assert device.read(timer.CNT, 4) == 1
    bus.run(100 * TICK - 1)
    assert device.read(timer.CNT, 4) == 1
    bus.run(1 + 400 * TICK)
    assert device.read(timer.CNT, 4) == 6


def test_a_timer_starts_another(bus: FakeBus, device: Timer, master: Timer) -> None:
    """18.3.14, trigger mode: the counter starts at a rising edge of the trigger."""
    master.write(timer.EGR, 4, timer.EGR_UG)
    device.write(timer.SMCR, 4, timer.TRIGGER_MODE | ITR1)
    bus.run(100 * TICK - 1)
    assert not device.read(timer.CR1, 4) & timer.CR1_CEN
    bus.run(1)
    assert device.read(timer.SR, 4) & timer.TIF
    bus.run(10 * TICK)
    assert device.read(timer.CNT, 4) == 10


def test_the_trigger_is_an_interrupt(bus: FakeBus, device: Timer) -> None:
    device.write(timer.DIER, 4, timer.TIF)
    device.write(timer.EGR, 4, timer.EGR_TG)
    assert bus.irqs[29]


def test_a_timer_that_is_not_listened_to_starts_none(
    bus: FakeBus, device: Timer, master: Timer
) -> None:
    device.write(timer.SMCR, 4, timer.TRIGGER_MODE | ITR1)
    device.write(timer.SMCR, 4, 0)
    bus.run(1000 * TICK)
    assert not device.read(timer.CR1, 4) & timer.CR1_CEN
    assert master.read(timer.SR, 4) & timer.UIF


def test_pwm_input(bus: FakeBus, device: Timer) -> None:
    """18.3.7: IC1 on the rising edge resets, IC2 on the falling one: period and duty cycle."""
    device.write(timer.CCMR1, 4, 1 | 2 << 8)
    device.write(timer.CCER, 4, 1 | 3 << 4)
    device.write(timer.SMCR, 4, timer.RESET_MODE | TI1FP1)
    device.write(timer.CR1, 4, timer.CR1_CEN)
    for _ in range(2):
        device.input_edge(1, rising=True)
        bus.run(30 * TICK)
        device.input_edge(1, rising=False)
        bus.run(70 * TICK)
    device.input_edge(1, rising=True)
    assert (device.read(timer.CCR1, 4), device.read(timer.CCR2, 4)) == (100, 30)


def test_gated_by_an_input(bus: FakeBus, device: Timer) -> None:
    """18.3.14, gated mode: it counts for as long as the input is high."""
    device.write(timer.CCMR1, 4, INPUT_1)
    device.write(timer.SMCR, 4, timer.GATED_MODE | TI1FP1)
    device.write(timer.CR1, 4, timer.CR1_CEN)
    bus.run(50 * TICK)
    device.input_edge(1, rising=True)
    bus.run(30 * TICK)
    device.input_edge(1, rising=False)
    bus.run(50 * TICK)
    assert device.read(timer.CNT, 4) == 30


@pytest.mark.parametrize(("smcr", "edges", "count"), [
    (timer.SMCR_ECE, 5, 5), (timer.SMCR_ECE | 1 << 12, 5, 2),
    (timer.EXTERNAL_CLOCK | timer.TRIGGER_ETR << 4, 5, 5), (0, 5, 0),
])  # fmt: skip
def test_the_external_trigger_counts(device: Timer, smcr: int, edges: int, count: int) -> None:
    """18.3.3, external clock mode 2; ETPS divides."""
    device.write(timer.SMCR, 4, smcr)
    device.write(timer.ARR, 4, 100)
    if smcr:
        device.write(timer.CR1, 4, timer.CR1_CEN)
    for _ in range(edges):
        device.external_edge(rising=True)
        device.external_edge(rising=False)
    assert device.read(timer.CNT, 4) == count


def test_a_burst_writes_registers_in_a_row(bus: FakeBus, device: Timer) -> None:
    """18.4.17: DBA is the first register, DBL the length; a request is one burst."""
    device.write(timer.DCR, 4, timer.CCR1 // 4 | 2 << 8)
    for value in (1, 2, 3, 4):
        device.write(timer.DMAR, 4, value)
    assert [device.read(timer.CCR1 + 4 * n, 4) for n in range(4)] == [4, 2, 3, 0]
    device.write(timer.DIER, 4, timer.UDE)
    device.write(timer.EGR, 4, timer.EGR_UG)
    assert bus.requests == [("TIM3_UP", 3)]


@pytest.fixture(name="advanced")
def advanced_fixture(bus: FakeBus) -> AdvancedTimer:
    device = AdvancedTimer("TIM1", 24, 25, 26, 27)
    bus.place(0x4001_0000, device)
    device.write(timer.CCMR1, 4, 5 << 4)  # forced active
    device.write(timer.CCER, 4, 1 | 1 << 2)
    return device


def test_the_complement_opposes(advanced: AdvancedTimer) -> None:
    """17.3.11: OCxN is the opposite of OCxREF."""
    assert advanced.complement_level(1) is None
    advanced.write(timer.BDTR, 4, timer.BDTR_MOE)
    assert (advanced.output_level(1), advanced.complement_level(1)) == (True, False)
    advanced.write(timer.CCER, 4, 1 | 1 << 2 | 1 << 3)
    assert (advanced.output_level(1), advanced.complement_level(1)) == (True, True)


def test_a_break_switches_the_outputs_off(bus: FakeBus, advanced: AdvancedTimer) -> None:
    """17.3.12: "The MOE bit is cleared asynchronously"; AOE sets it at the next update."""
    advanced.write(timer.DIER, 4, timer.BIF)
    both = timer.BDTR_BKE | timer.BDTR_BKP | timer.BDTR_MOE
    advanced.write(timer.BDTR, 4, both)
    advanced.break_input(high=False)
    assert advanced.output_level(1) is True
    advanced.break_input(high=True)
    assert advanced.output_level(1) is None
    assert bus.irqs[24]
    advanced.write(timer.BDTR, 4, both & ~timer.BDTR_MOE | timer.BDTR_AOE)
    advanced.write(timer.ARR, 4, 9)
    advanced.write(timer.CR1, 4, timer.CR1_CEN)
    bus.run(0x1_0000 * TICK)
    assert advanced.output_level(1) is True


@pytest.mark.parametrize(("event", "flag"), [
    (timer.EGR_BG, timer.BIF), (timer.EGR_COMG, timer.COMIF), (timer.EGR_TG, timer.TIF),
])  # fmt: skip
def test_events_by_software(advanced: AdvancedTimer, event: int, flag: int) -> None:
    """17.4.6: "This bit is set by software in order to generate an event"."""
    advanced.write(timer.EGR, 4, event)
    assert advanced.read(timer.SR, 4) == flag
