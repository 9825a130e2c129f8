from __future__ import annotations

import pytest

from boardless_sim.peripherals import timer
from boardless_sim.peripherals.timer import Timer
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="TIM", source="RM0090 chapters 18 and 20")

IRQ = 28


class Rig:
    """TIM2 on a timer clock of half the core clock."""

    def __init__(self, bits: int = 32) -> None:
        self.bus = FakeBus()
        self.timer = Timer("TIM2", IRQ, bits=bits)
        self.bus.place(0x4000_0000, self.timer)

    def write(self, offset: int, value: int) -> None:
        self.timer.write(offset, 4, value)

    def read(self, offset: int) -> int:
        return self.timer.read(offset, 4)

    def start(self, psc: int, arr: int, control: int = 0, dier: int = 0) -> None:
        self.write(timer.PSC, psc)
        self.write(timer.ARR, arr)
        self.write(timer.EGR, timer.EGR_UG)
        self.write(timer.SR, 0)
        self.write(timer.DIER, dier)
        self.write(timer.CR1, timer.CR1_CEN | control)

    def ticks(self, count: int) -> None:
        self.bus.run(count * 2 * (self.timer.values[timer.PSC] + 1))

    def irq(self) -> bool:
        return self.bus.irqs.get(IRQ, False)


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_counts_the_prescaled_timer_clock(rig: Rig) -> None:
    rig.start(psc=83, arr=0xFFFF_FFFF)
    rig.bus.run(168 * 1000 - 1)
    assert rig.read(timer.CNT) == 999
    rig.bus.run(1)
    assert rig.read(timer.CNT) == 1000


def test_stopped_counter_keeps_its_value(rig: Rig) -> None:
    rig.start(psc=0, arr=1000)
    rig.ticks(10)
    rig.write(timer.CR1, 0)
    rig.ticks(10)
    assert rig.read(timer.CNT) == 10
    rig.write(timer.CR1, timer.CR1_CEN)
    rig.ticks(5)
    assert rig.read(timer.CNT) == 15


def test_update_flag_and_interrupt_at_the_overflow(rig: Rig) -> None:
    rig.start(psc=3, arr=99, dier=timer.UIF)
    rig.ticks(100)
    assert rig.irq()
    assert rig.read(timer.CNT) == 0
    rig.write(timer.SR, ~timer.UIF & 0xFFFF)
    assert not rig.irq()
    rig.ticks(99)
    assert not rig.irq()
    rig.ticks(1)
    assert rig.irq()


def test_sr_is_written_by_an_event_and_not_by_reading(rig: Rig) -> None:
    rig.start(psc=0, arr=99)
    rig.ticks(100)
    assert rig.timer.values[timer.SR] & timer.UIF


@pytest.mark.parametrize("ticks", [1, 99, 100, 101, 1_234_567, 10_000_000])
def test_counter_over_many_rounds(rig: Rig, ticks: int) -> None:
    rig.start(psc=0, arr=99)
    rig.ticks(ticks)
    assert rig.read(timer.CNT) == ticks % 100


def test_prescaler_waits_for_the_update(rig: Rig) -> None:
    rig.start(psc=0, arr=9)
    rig.write(timer.PSC, 1)
    rig.bus.run(10 * 2 - 2)
    assert rig.read(timer.CNT) == 9
    rig.bus.run(2 + 4)
    assert rig.read(timer.CNT) == 1


def test_arr_preload(rig: Rig) -> None:
    rig.start(psc=0, arr=9, control=timer.CR1_ARPE)
    rig.write(timer.ARR, 4)
    rig.ticks(9)
    assert rig.read(timer.CNT) == 9
    rig.ticks(6)
    assert rig.read(timer.CNT) == 0
    rig.write(timer.CR1, timer.CR1_CEN)
    rig.write(timer.ARR, 2)
    rig.ticks(4)
    assert rig.read(timer.CNT) == 1


def test_one_pulse_stops(rig: Rig) -> None:
    rig.start(psc=0, arr=9, control=timer.CR1_OPM)
    rig.ticks(25)
    assert not rig.read(timer.CR1) & timer.CR1_CEN
    assert rig.read(timer.CNT) == 0


def test_update_by_software(rig: Rig) -> None:
    rig.write(timer.EGR, timer.EGR_UG)
    assert rig.read(timer.SR) == timer.UIF
    rig.write(timer.SR, 0)
    rig.write(timer.CR1, timer.CR1_URS)
    rig.write(timer.EGR, timer.EGR_UG)
    assert rig.read(timer.SR) == 0
    rig.write(timer.CR1, timer.CR1_UDIS)
    rig.write(timer.EGR, timer.EGR_UG)
    assert rig.read(timer.SR) == 0


def test_compare_match(rig: Rig) -> None:
    rig.write(timer.CCR1 + 4, 30)
    rig.start(psc=0, arr=99, dier=timer.CC1IF << 1)
    rig.ticks(29)
    assert not rig.irq()
    rig.ticks(1)
    assert rig.irq()
    assert rig.read(timer.SR) & (timer.CC1IF << 1)
    rig.write(timer.SR, 0)
    rig.ticks(99)
    assert not rig.irq()
    rig.ticks(1)
    assert rig.irq()


def test_dma_request_at_every_update(rig: Rig) -> None:
    rig.start(psc=0, arr=9, dier=timer.UDE)
    rig.ticks(35)
    assert rig.bus.requests == [("TIM2_UP", 1)] * 3


def test_dma_request_at_a_match(rig: Rig) -> None:
    rig.write(timer.CCR3, 5)
    rig.start(psc=0, arr=9, dier=timer.CC1DE << 2)
    rig.ticks(26)
    assert rig.bus.requests == [("TIM2_CH3", 1)] * 3


def test_sixteen_bits() -> None:
    rig = Rig(bits=16)
    assert rig.read(timer.ARR) == 0xFFFF
    rig.write(timer.CR1, timer.CR1_CEN)
    rig.ticks(0x1_0005)
    assert rig.read(timer.CNT) == 5


def test_down_counting_and_capture_are_logged(rig: Rig) -> None:
    rig.write(timer.CR1, timer.CR1_DIR)
    rig.write(timer.CCMR1, 1)
    assert rig.bus.log == ["TIM2_CR1 write of 0x10", "TIM2_CCMR1 write of 0x1"]


def test_counter_can_be_set(rig: Rig) -> None:
    rig.start(psc=0, arr=99)
    rig.write(timer.CNT, 95)
    rig.ticks(5)
    assert rig.read(timer.SR) & timer.UIF
    assert rig.read(timer.CNT) == 0


def test_a_free_running_timer_costs_no_events(rig: Rig) -> None:
    rig.start(psc=0, arr=9)
    rig.ticks(10)
    calls = 0
    schedule = rig.bus.schedule

    def counted(delay_cycles: int, callback: object) -> object:
        nonlocal calls
        calls += 1
        return schedule(delay_cycles, callback)  # type: ignore[arg-type]

    rig.bus.schedule = counted  # type: ignore[method-assign, assignment]
    rig.ticks(10_000)
    assert calls == 0
