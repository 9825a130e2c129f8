from __future__ import annotations

import pytest

from boardless_sim.peripherals import timer
from boardless_sim.peripherals.timer import (
    AdvancedTimer,
    BasicTimer,
    OneChannelTimer,
    Timer,
    TwoChannelTimer,
    WideTimer,
)  # fmt: skip
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="TIM", source="RM0090 chapters 18 and 20")

IRQ = 28


class Rig:
    """TIM2 on a timer clock of half the core clock."""

    def __init__(self, kind: type[Timer] = WideTimer) -> None:
        self.bus = FakeBus()
        self.timer = kind("TIM2", IRQ)
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
    rig = Rig(Timer)
    assert rig.read(timer.ARR) == 0xFFFF
    rig.write(timer.CR1, timer.CR1_CEN)
    rig.ticks(0x1_0005)
    assert rig.read(timer.CNT) == 5


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


def test_down_counting_underflows_to_the_limit(rig: Rig) -> None:
    """Section 18.3.2: from ARR down to 0, then an underflow event."""
    rig.start(psc=0, arr=9, control=timer.CR1_DIR)
    rig.write(timer.CNT, 9)
    values = []
    for _ in range(11):
        values.append(rig.read(timer.CNT))
        rig.ticks(1)
    assert values == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 9]
    assert rig.read(timer.SR) & timer.UIF


def test_centre_aligned_counts_both_ways(rig: Rig) -> None:
    """From 0 to ARR - 1, overflow, from ARR down to 1, underflow (section 18.3.2)."""
    rig.start(psc=0, arr=4, control=1 << 5)
    values, down = [], []
    for _ in range(9):
        values.append(rig.read(timer.CNT))
        down.append(bool(rig.read(timer.CR1) & timer.CR1_DIR))
        rig.ticks(1)
    assert values == [0, 1, 2, 3, 4, 3, 2, 1, 0]
    assert down == [False] * 4 + [True] * 4 + [False]


@pytest.mark.parametrize(("centre", "ticks"), [(1, 6), (2, 2), (3, 2)])
def test_centre_aligned_flags_by_direction(rig: Rig, centre: int, ticks: int) -> None:
    """CMS 1: flags when counting down; 2: up; 3: both (section 18.4.1)."""
    rig.write(timer.CCR1, 2)
    rig.start(psc=0, arr=4, control=centre << 5)
    rig.ticks(ticks - 1)
    assert not rig.timer.values[timer.SR] & timer.CC1IF
    rig.ticks(1)
    assert rig.timer.values[timer.SR] & timer.CC1IF


def test_compare_beyond_the_limit_flags_at_the_overflow(rig: Rig) -> None:
    """Section 18.4.5, CC1IF: "goes high on the counter overflow"."""
    rig.write(timer.CCR1, 50)
    rig.start(psc=0, arr=9, dier=timer.CC1IF)
    rig.ticks(9)
    assert not rig.irq()
    rig.ticks(1)
    assert rig.irq()


def pwm(rig: Rig, mode: int, ccer: int = 1) -> str:
    """The levels of channel 1 over a period of ten ticks, compare at three."""
    rig.write(timer.CCMR1, mode << 4)
    rig.write(timer.CCER, ccer)
    rig.write(timer.CCR1, 3)
    rig.start(psc=0, arr=9)
    levels = ""
    for _ in range(10):
        level = rig.timer.output_level(1)
        levels += "z" if level is None else str(int(level))
        rig.ticks(1)
    return levels


@pytest.mark.parametrize(
    ("mode", "ccer", "levels"),
    [
        (6, 1, "1110000000"),  # PWM 1
        (7, 1, "0001111111"),  # PWM 2
        (6, 3, "0001111111"),  # PWM 1, active low
        (6, 0, "zzzzzzzzzz"),  # CC1E is 0
        (4, 1, "0000000000"),  # forced
        (5, 1, "1111111111"),
        (3, 1, "0001111111"),  # toggles at the match
        (1, 1, "0001111111"),  # active at the match
    ],
)
def test_levels_of_a_channel(rig: Rig, mode: int, ccer: int, levels: str) -> None:
    """Sections 18.3.7 to 18.3.9."""
    assert pwm(rig, mode, ccer) == levels


def test_no_capture_without_an_edge(rig: Rig) -> None:
    rig.write(timer.CCMR1, 1)
    rig.write(timer.CCER, 1)
    rig.start(psc=0, arr=999)
    rig.ticks(5000)
    assert not rig.read(timer.SR) & timer.CC1IF


def test_a_rising_edge_is_captured_and_reading_it_clears_the_flag(rig: Rig) -> None:
    """Section 18.3.5; a second one before that is an overcapture."""
    rig.write(timer.CCMR1, 1)
    rig.write(timer.CCER, 1)
    rig.start(psc=0, arr=999, dier=timer.CC1IF)
    rig.ticks(123)
    rig.timer.input_edge(1, rising=False)
    assert not rig.irq()
    rig.timer.input_edge(1, rising=True)
    assert rig.irq()
    rig.timer.input_edge(1, rising=True)
    assert rig.read(timer.SR) & timer.CC1OF
    assert rig.read(timer.CCR1) == 123
    assert not rig.read(timer.SR) & timer.CC1IF


def test_pwm_input_captures_both_edges_of_one_pin(rig: Rig) -> None:
    """IC1 and IC2 on TI1, of opposite polarity (section 18.3.6)."""
    rig.write(timer.CCMR1, 1 | 2 << 8)
    rig.write(timer.CCER, 1 | 3 << 4)
    rig.start(psc=0, arr=999)
    rig.ticks(10)
    rig.timer.input_edge(1, rising=True)
    rig.ticks(30)
    rig.timer.input_edge(1, rising=False)
    assert (rig.read(timer.CCR1), rig.read(timer.CCR1 + 4)) == (10, 40)


def test_capture_prescaler(rig: Rig) -> None:
    """ICPS: once in four edges."""
    rig.write(timer.CCMR1, 1 | 2 << 2)
    rig.write(timer.CCER, 1)
    rig.start(psc=0, arr=999)
    for _ in range(3):
        rig.timer.input_edge(1, rising=True)
    assert not rig.read(timer.SR) & timer.CC1IF
    rig.timer.input_edge(1, rising=True)
    assert rig.read(timer.SR) & timer.CC1IF


def test_an_encoder_counts_only_edges_that_come(rig: Rig) -> None:
    """SMS 3: both inputs, direction by the order of their edges (table 95)."""
    rig.write(timer.CCMR1, 1 | 1 << 8)
    rig.write(timer.SMCR, 3)
    rig.start(psc=0, arr=99)
    rig.ticks(10_000)
    assert rig.read(timer.CNT) == 0
    forward = [(1, True), (2, True), (1, False), (2, False)]
    for channel, rising in forward * 2:
        rig.timer.input_edge(channel, rising)
    assert rig.read(timer.CNT) == 8
    for channel, rising in reversed([(c, not r) for c, r in forward]):
        rig.timer.input_edge(channel, rising)
    assert rig.read(timer.CNT) == 4
    assert rig.read(timer.CR1) & timer.CR1_DIR


def test_external_clock_counts_edges(rig: Rig) -> None:
    """SMS 7, TS 5: rising edges of TI1 (section 18.3.3)."""
    rig.write(timer.SMCR, 7 | 5 << 4)
    rig.start(psc=0, arr=99)
    rig.ticks(1000)
    for _ in range(3):
        rig.timer.input_edge(1, rising=True)
        rig.timer.input_edge(1, rising=False)
    assert rig.read(timer.CNT) == 3


def advanced() -> Rig:
    return Rig(AdvancedTimer)


def test_an_update_once_in_the_repetitions() -> None:
    """RCR (section 17.3.3)."""
    rig = advanced()
    rig.write(timer.RCR, 2)
    rig.start(psc=0, arr=9, dier=timer.UIF)
    rig.ticks(29 // 1)
    assert not rig.irq()
    rig.ticks(31)
    assert rig.irq()


def test_moe_lets_the_outputs_through() -> None:
    """Section 17.4.18."""
    rig = advanced()
    assert pwm(rig, 6) == "zzzzzzzzzz"
    rig.write(timer.BDTR, timer.BDTR_MOE)
    rig.ticks(0)
    assert rig.timer.output_level(1) is True


@pytest.mark.parametrize(
    ("kind", "offset", "implemented"),
    [
        (BasicTimer, timer.CR1, 0x8F), (BasicTimer, timer.DIER, 0x101),
        (OneChannelTimer, timer.CCER, 0xB), (TwoChannelTimer, timer.DIER, 0x47),
        (Timer, timer.ARR, 0xFFFF), (WideTimer, timer.ARR, 0xFFFF_FFFF),
        (AdvancedTimer, timer.BDTR, 0xFFFF), (AdvancedTimer, timer.RCR, 0xFF),
    ],
)  # fmt: skip
def test_only_the_bits_that_a_timer_has(kind: type[Timer], offset: int, implemented: int) -> None:
    rig = Rig(kind)
    rig.write(offset, 0xFFFF_FFFF)
    assert rig.timer.values[offset] == implemented


def test_a_short_timer_has_no_registers_of_a_long_one() -> None:
    rig = Rig(OneChannelTimer)
    rig.write(timer.SMCR, 3)
    assert rig.bus.log == ["TIM2+0x8 write of 0x3"]


def test_a_preloaded_compare_waits_for_the_update(rig: Rig) -> None:
    """OC1PE (section 18.3.9)."""
    assert pwm(rig, 6) == "1110000000"
    rig.write(timer.CCMR1, 6 << 4 | 1 << 3)
    rig.write(timer.CCR1, 7)
    assert rig.timer.pulse_ns(1) == (35, 119)
    rig.ticks(10)
    assert rig.timer.pulse_ns(1) == (83, 119)


@pytest.mark.parametrize("periods", [1_000_000, 1_000_001])
def test_an_output_that_toggles_is_not_counted_period_by_period(
    rig: Rig, periods: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sensor is clocked so; each way over a million periods ends where two periods do."""
    rig.write(timer.CCMR1, 3 << 4)
    rig.write(timer.CCER, 1)
    rig.write(timer.CCR1, 1)
    rig.start(psc=0, arr=1)
    rig.ticks(2 * periods)
    steps: list[int] = []
    go = rig.timer._go

    def counted(ticks: int) -> None:
        steps.append(ticks)
        go(ticks)

    monkeypatch.setattr(rig.timer, "_go", counted)
    assert rig.timer.output_level(1) is bool(periods % 2)
    assert len(steps) < 20
