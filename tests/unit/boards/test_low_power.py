"""Stop and Standby (RM0090 sections 5.3.5 and 5.3.6)."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native import NativeEngine
from boardless_sim.peripherals import pwr, rcc
from tests.unit.core.programs import SLEEP_FOREVER, STOP_HERE, WFE, WFI, poke, power_on

pytestmark = pytest.mark.fidelity(device="PWR", source="RM0090 5.3")

RCC, PWR, SCR = 0x4002_3800, 0x4000_7000, 0xE000_ED10
TIM3, SYSTICK, EXTI, ISER = 0x4000_0400, 0xE000_E010, 0x4001_3C00, 0xE000_E100
SLEEPDEEP = 1 << 2
CLOCKS = [
    *poke(RCC + rcc.AHB1ENR, 1),
    *poke(RCC + rcc.APB1ENR, 1 << 28 | 1 << 1),
    *poke(RCC + rcc.APB2ENR, 1 << 14),
]
HSE = poke(RCC + rcc.CR, 0x83 | rcc.CR_HSEON)
TIMER = [
    *poke(TIM3 + 0x2C, 99), *poke(TIM3 + 0x0C, 1), *poke(ISER, 1 << 29 | 1 << 6),
    *poke(TIM3, 1),
]  # fmt: skip
LINE_0 = [*poke(EXTI, 1), *poke(EXTI + 0x08, 1)]
DEEP = poke(SCR, SLEEPDEEP)
TIM3_HANDLER, EXTI0_HANDLER = 16 + 29, 16 + 6


def asleep(tmp_path: Path, *setup: list[int], sleep: list[int] | None = None) -> NativeEngine:
    code = [halfword for piece in (CLOCKS, *setup) for halfword in piece]
    tail = [WFI, *STOP_HERE] if sleep is None else sleep
    engine = power_on(tmp_path, [*code, *tail])
    engine.run(3000)
    return engine


def press(engine: NativeEngine) -> None:
    engine.machine.devices.gpios["GPIOA"].set_input(0, high=True)


def test_a_timer_wakes_from_sleep_and_not_from_stop(tmp_path: Path) -> None:
    """ "All clocks in the 1.2 V domain are stopped": the timer does not even count."""
    with closing(asleep(tmp_path, TIMER)) as engine:
        assert not engine.is_asleep()
    with closing(asleep(tmp_path, TIMER, DEEP)) as engine:
        assert engine.is_asleep()
        assert engine.machine.devices.by_name["TIM3"][1].read(0x24, 4) < 20


def test_systick_stands_still_in_stop(tmp_path: Path) -> None:
    ticks = [*poke(SYSTICK + 4, 159), *poke(SYSTICK, 7)]
    with closing(asleep(tmp_path, ticks, DEEP)) as engine:
        assert engine.is_asleep()


def test_an_exti_line_wakes_on_hsi(tmp_path: Path) -> None:
    """ "The HSI RC oscillator is selected as system clock", and the HSE is off."""
    enable = poke(ISER, 1 << 6)
    with closing(asleep(tmp_path, HSE, LINE_0, enable, DEEP)) as engine:
        assert engine.is_asleep()
        started = engine.machine.devices.rcc.read(rcc.CR, 4)
        assert started & rcc.CR_HSERDY
        press(engine)
        before = engine.time_us()
        engine.run(50)
        assert not engine.is_asleep()
        assert engine.machine.devices.rcc.read(rcc.CR, 4) & rcc.CR_HSEON == 0
        assert engine.machine.clocks().hclk_hz == 16_000_000
        assert engine.time_us() - before == pytest.approx(50, abs=1)


def test_an_exti_event_wakes_wfe(tmp_path: Path) -> None:
    """EXTI_EMR (section 12.3.2): no interrupt, no handler."""
    event = [*poke(EXTI + 0x04, 1), *poke(EXTI + 0x08, 1)]
    with closing(asleep(tmp_path, event, DEEP, sleep=[WFE, *STOP_HERE])) as engine:
        assert engine.is_asleep()
        press(engine)
        engine.run(50)
        assert not engine.is_asleep()
        assert not engine.is_in_handler()


def test_the_clock_output_stops_with_the_rest(tmp_path: Path) -> None:
    mco = poke(0x4002_0000, 0xA802_0000)  # PA8 in alternate function 0
    with closing(asleep(tmp_path, mco, DEEP)) as engine:
        engine.run(200_000)
        assert engine.machine.devices.camera.frames_clocked == 0


STANDBY = [*poke(PWR, pwr.CR_PDDS | pwr.CR_VOS), *poke(PWR + 4, pwr.CSR_EWUP)]


def test_standby_ends_in_a_reset_without_the_ram(tmp_path: Path) -> None:
    with closing(asleep(tmp_path, STANDBY, LINE_0, DEEP)) as engine:
        engine.write_memory(0x2000_1000, (0x1234_5678).to_bytes(4, "little"))
        press(engine)
        engine.run(1)
        assert any("reset" in line and "STANDBY" in line for line in engine.log())
        assert engine.machine.devices.pwr.read(pwr.CSR, 4) & pwr.CSR_SBF
        assert engine.read_memory(0x2000_1000, 4) != (0x1234_5678).to_bytes(4, "little")


def test_an_exti_line_does_not_end_standby(tmp_path: Path) -> None:
    without_pin = poke(PWR, pwr.CR_PDDS | pwr.CR_VOS)
    with closing(asleep(tmp_path, without_pin, LINE_0, poke(ISER, 1 << 6), DEEP)) as engine:
        press(engine)
        assert engine.run(1000) in (StopReason.LIMIT, StopReason.HALT)
        assert engine.is_asleep()


def test_sleep_without_sleepdeep_keeps_the_clocks(tmp_path: Path) -> None:
    with closing(asleep(tmp_path, HSE, sleep=SLEEP_FOREVER)) as engine:
        assert engine.machine.devices.rcc.read(rcc.CR, 4) & rcc.CR_HSERDY


@pytest.mark.fidelity(device="RCC", source="RM0090 6.3.18")
def test_a_timer_without_its_low_power_bit_stands_still_in_sleep(tmp_path: Path) -> None:
    """TIM3LPEN: "TIM3 clock disabled during Sleep mode"; awake, it has its clock again."""
    no_clock = poke(RCC + 0x60, 0x36FE_C9FF & ~(1 << 1))
    with closing(asleep(tmp_path, no_clock, LINE_0, TIMER)) as engine:
        timer = engine.machine.devices.by_name["TIM3"][1]
        assert engine.is_asleep()
        assert not timer.clocked
        stood = timer.read(0x24, 4)
        engine.run(17)
        assert timer.read(0x24, 4) == stood < 99
        press(engine)
        engine.run(3)
        assert not engine.is_asleep()
        assert timer.clocked


@pytest.mark.fidelity(device="RCC", source="RM0090 6.3.18")
def test_a_low_power_bit_of_another_device_changes_nothing(tmp_path: Path) -> None:
    no_clock = poke(RCC + 0x60, 0x36FE_C9FF & ~(1 << 2))  # TIM4LPEN
    with closing(asleep(tmp_path, no_clock, TIMER)) as engine:
        assert not engine.is_asleep()
