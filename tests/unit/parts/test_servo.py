"""Pulses of TIM3 and TIM4 at pins (RM0090, 18.3.9), and who follows them."""

from __future__ import annotations

import pytest

from boardless_sim.parts.servo import RgbLed, Servo
from boardless_sim.peripherals.timer import (
    ARR,
    CCER,
    CCMR1,
    CCMR2,
    CCR1,
    CR1,
    CR1_ARPE,
    CR1_CEN,
    EGR,
    EGR_UG,
    PSC,
    Timer,
)
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="TIM", source="RM0090 18.3.9")

PWM_PRELOADED = 0x6868  # OCxM 110, OCxPE, for both channels of a CCMR


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="timer")
def timer_fixture(bus: FakeBus) -> Timer:
    """1 MHz, 20 ms."""
    timer = Timer("TIM3", 29)
    bus.place(0x4000_0400, timer)
    for offset, value in (
        (PSC, 83),
        (ARR, 19_999),
        (CCMR1, PWM_PRELOADED),
        (CCMR2, PWM_PRELOADED),
        (CR1, CR1_ARPE | CR1_CEN),
        (EGR, EGR_UG),
    ):
        timer.write(offset, 4, value)
    return timer


def servo_on(timer: Timer, bus: FakeBus) -> Servo:
    return Servo(lambda: bus.now() / 168, timer, 1)


def test_a_servo_goes_where_the_pulse_says(timer: Timer, bus: FakeBus) -> None:
    servo = servo_on(timer, bus)
    assert servo.angle is None
    for width_us, angle in ((1000, 0), (1500, 90), (2000, 180)):
        timer.write(CCR1, 4, width_us)
        timer.write(CCER, 4, 1)
        timer.write(EGR, 4, EGR_UG)
        assert servo.angle == angle
    timer.write(CCER, 4, 0)
    assert servo.angle is None


def test_a_preloaded_width_waits_for_the_period_unless_it_is_forced(
    timer: Timer, bus: FakeBus
) -> None:
    """18.3.9: "the preload registers are transferred into the shadow registers only when an update
    event occurs"."""
    servo = servo_on(timer, bus)
    timer.write(CCER, 4, 1)
    timer.write(CCR1, 4, 1500)
    bus.run_us(19_000)
    assert servo.angle != 90
    bus.run_us(1_100)
    assert servo.angle == 90
    assert servo.moves[-1].time_us == pytest.approx(20_000, abs=2)


def test_without_preload_the_width_counts_at_once(timer: Timer, bus: FakeBus) -> None:
    servo = servo_on(timer, bus)
    timer.write(CCMR1, 4, 0x60)
    timer.write(CCER, 4, 1)
    timer.write(CCR1, 4, 1500)
    assert servo.angle == 90


def test_without_a_pin_nothing_follows(timer: Timer, bus: FakeBus) -> None:
    servo = servo_on(timer, bus)
    timer.wire(frozenset({"CH2"}))
    timer.write(CCR1, 4, 1500)
    timer.write(CCER, 4, 1)
    timer.write(EGR, 4, EGR_UG)
    assert servo.angle is None
    timer.wire(frozenset({"CH1"}))
    assert servo.angle == 90


def test_an_led_has_the_colour_of_its_pulses(timer: Timer, bus: FakeBus) -> None:
    led = RgbLed(lambda: bus.now() / 168, timer, (1, 2, 3))
    timer.write(ARR, 4, 254)
    for channel, value in enumerate((255, 128, 0)):
        timer.write(CCR1 + 4 * channel, 4, value)
    timer.write(CCER, 4, 0x111)
    timer.write(EGR, 4, EGR_UG)
    assert led.rgb == (255, 128, 0)
    timer.write(CCER, 4, 0)
    assert led.rgb == (0, 0, 0)
    assert len(led.colours) == 3  # dark, the colour, dark
