"""RM0090 chapter 26, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.timekeeping.rtc import (
    ALRMAR,
    ALRMBR,
    ALRMBSSR,
    BKP0R,
    CR,
    CR_ADD1H,
    CR_ALRAE,
    CR_ALRAIE,
    CR_ALRBE,
    CR_FMT,
    CR_WUTE,
    CR_WUTIE,
    DR,
    ISR,
    ISR_ALRAF,
    ISR_ALRAWF,
    ISR_ALRBF,
    ISR_INIT,
    ISR_INITF,
    ISR_WUTF,
    ISR_WUTWF,
    PRER,
    SSR,
    TAFCR,
    TR,
    WPR,
    WUTR,
    Rtc,
)
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="RTC", source="RM0090 chapter 26")

LSI_HZ = 32_000
SECONDS_CLOCK = 4  # WUCKSEL: ck_spre


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="rtc")
def rtc_fixture(bus: FakeBus) -> Rtc:
    rtc = Rtc("RTC")
    bus.place(0x4000_2800, rtc)
    rtc.clock_hz = lambda: LSI_HZ
    return rtc


def unlock(rtc: Rtc) -> None:
    """26.3.5: "Write 0xCA into the RTC_WPR register. Write 0x53 into the RTC_WPR register"."""
    rtc.write(WPR, 4, 0xCA)
    rtc.write(WPR, 4, 0x53)


def configure(rtc: Rtc, time: int = 0) -> None:
    """In milliseconds: 32 kHz / 32 / 1000."""
    unlock(rtc)
    rtc.write(ISR, 4, ISR_INIT)
    assert rtc.read(ISR, 4) & ISR_INITF
    rtc.write(PRER, 4, 999)
    rtc.write(PRER, 4, 31 << 16 | 999)
    rtc.write(TR, 4, time)
    rtc.write(ISR, 4, 0)
    assert not rtc.read(ISR, 4) & ISR_INITF


def test_without_the_keys_nothing_is_written(rtc: Rtc) -> None:
    rtc.write(ISR, 4, ISR_INIT)
    rtc.write(CR, 4, CR_WUTE)
    assert not rtc.read(ISR, 4) & ISR_INITF
    assert rtc.read(CR, 4) == 0


def test_a_wrong_key_locks_again(rtc: Rtc) -> None:
    """26.3.5: "Writing a wrong key reactivates the write protection"."""
    unlock(rtc)
    rtc.write(WPR, 4, 0xFF)
    rtc.write(CR, 4, CR_WUTE)
    assert rtc.read(CR, 4) == 0


def test_backup_registers_need_no_key_but_the_domain(rtc: Rtc) -> None:
    rtc.write(BKP0R, 4, 7)
    rtc.unlocked = lambda: False
    rtc.write(BKP0R, 4, 8)
    assert rtc.read(BKP0R, 4) == 7


def test_time_goes_on_in_bcd_and_sub_seconds_count_down(rtc: Rtc, bus: FakeBus) -> None:
    configure(rtc, 0x23_59_58)
    bus.run_us(1_250_000)
    assert rtc.read(TR, 4) == 0x23_59_59
    assert rtc.read(SSR, 4) == 999 - 250
    bus.run_us(750_000)
    assert rtc.read(TR, 4) == 0  # midnight


def test_the_time_is_set_only_in_initialisation(rtc: Rtc) -> None:
    configure(rtc)
    rtc.write(TR, 4, 0x12_00_00)
    assert rtc.read(TR, 4) == 0


def test_a_wake_up_each_second_until_its_flag_is_cleared(rtc: Rtc, bus: FakeBus) -> None:
    configure(rtc)
    assert rtc.read(ISR, 4) & ISR_WUTWF
    rtc.write(WUTR, 4, 0)
    rtc.write(CR, 4, SECONDS_CLOCK | CR_WUTIE | CR_WUTE)
    assert not rtc.read(ISR, 4) & ISR_WUTWF
    bus.run_us(999_000)
    assert not bus.exti.get(22)
    bus.run_us(2_000)
    assert bus.exti[22]
    assert rtc.read(ISR, 4) & ISR_WUTF
    rtc.write(ISR, 4, ~(ISR_WUTF | ISR_INIT) & 0xFFFF_FFFF)
    bus.run_us(998_000)
    assert not any(bus.exti.values())
    bus.run_us(2_000)
    assert bus.exti[22]


def test_a_system_reset_leaves_it_running_and_locked(rtc: Rtc, bus: FakeBus) -> None:
    """26.3.7: "a system reset ... the RTC keeps on running"."""
    configure(rtc)
    rtc.reset()
    bus.run_us(3_000_000)
    assert rtc.read(TR, 4) == 3
    rtc.write(CR, 4, CR_WUTE)
    assert rtc.read(CR, 4) == 0


@pytest.mark.fidelity(
    device="RTC", behaviour="stands still without its clock", source="RM0090 26.3"
)
def test_without_its_clock_it_stands_still(rtc: Rtc, bus: FakeBus) -> None:
    configure(rtc)
    rtc.clock_hz = lambda: 0
    bus.run_us(5_000_000)
    assert rtc.read(TR, 4) == 0


@pytest.mark.parametrize(("select", "period_us"), [(0, 500), (1, 250), (3, 62.5)])
def test_the_wake_up_also_counts_the_divided_clock(
    rtc: Rtc, bus: FakeBus, select: int, period_us: float
) -> None:
    """26.3.4: RTCCLK divided by 16, 8, 4 or 2."""
    configure(rtc)
    rtc.write(WUTR, 4, 0)
    rtc.write(CR, 4, select | CR_WUTIE | CR_WUTE)
    bus.run_us(period_us - 1)
    assert not bus.exti.get(22)
    bus.run_us(2)
    assert bus.exti[22]


DAYS_AND_ALL = 1 << 31 | 1 << 23 | 1 << 15 | 1 << 7  # MSK4 to MSK1


def start(rtc: Rtc, date: int, time: int) -> None:
    """1000 sub-seconds; the date too."""
    unlock(rtc)
    rtc.write(ISR, 4, ISR_INIT)
    rtc.write(PRER, 4, 31 << 16 | 999)
    rtc.write(DR, 4, date)
    rtc.write(TR, 4, time)
    rtc.write(ISR, 4, 0)


@pytest.mark.parametrize(("date", "next_date"), [
    (0x24_02_28 | 3 << 13, 0x24_02_29 | 4 << 13), (0x23_02_28 | 2 << 13, 0x23_03_01 | 3 << 13),
    (0x99_12_31 | 7 << 13, 0x00_01_01 | 1 << 13),
])  # fmt: skip
def test_the_date_goes_on(rtc: Rtc, bus: FakeBus, date: int, next_date: int) -> None:
    """26.3.1: "Compensations for 28-, 29- (leap year), 30-, and 31-day months"."""
    start(rtc, date, 0x23_59_59)
    bus.run_us(999_000)
    assert rtc.read(DR, 4) == date
    bus.run_us(2_000)
    assert (rtc.read(DR, 4), rtc.read(TR, 4)) == (next_date, 0)


def test_twelve_hours(rtc: Rtc, bus: FakeBus) -> None:
    """26.6.1, PM: 1 is PM in the 12-hour format."""
    start(rtc, 0x24_01_01 | 1 << 13, 0x11_59_59)
    rtc.write(CR, 4, CR_FMT)
    bus.run_us(1_001_000)
    assert rtc.read(TR, 4) == 1 << 22 | 0x12_00_00


@pytest.mark.parametrize(("alarm", "seconds"), [
    (DAYS_AND_ALL, 1), (DAYS_AND_ALL & ~(1 << 7) | 0x10, 11), (1 << 31 | 0x00_01_30, 91),
    (0x03 << 24, 1 + 86_400), (1 << 30 | 0x4 << 24, 1 + 2 * 86_400),
])  # fmt: skip
def test_an_alarm_comes_when_its_fields_match(
    rtc: Rtc, bus: FakeBus, alarm: int, seconds: int
) -> None:
    """26.3.3: each field can be masked; 26.5: the interrupt goes through EXTI line 17."""
    start(rtc, 0x24_01_01 | 1 << 13, 0x23_59_59)
    rtc.write(ALRMAR, 4, alarm)
    rtc.write(CR, 4, CR_ALRAE | CR_ALRAIE)
    bus.run_us(seconds * 1e6 - 1000)
    assert not rtc.read(ISR, 4) & ISR_ALRAF
    assert not bus.exti.get(17)
    bus.run_us(2000)
    assert rtc.read(ISR, 4) & ISR_ALRAF
    assert bus.exti[17]
    rtc.write(ISR, 4, ~(ISR_ALRAF | ISR_INIT) & 0xFFFF_FFFF)
    assert not bus.exti[17]


def test_an_alarm_between_two_seconds(rtc: Rtc, bus: FakeBus) -> None:
    """26.6.17, MASKSS: 15 compares all bits of SS; it counts down from 999."""
    start(rtc, 0x24_01_01 | 1 << 13, 0)
    rtc.write(ALRMBR, 4, DAYS_AND_ALL)
    rtc.write(ALRMBSSR, 4, 15 << 24 | 749)
    rtc.write(CR, 4, CR_ALRBE)
    bus.run_us(249_000)
    assert not rtc.read(ISR, 4) & ISR_ALRBF
    bus.run_us(2_000)
    assert rtc.read(ISR, 4) & ISR_ALRBF
    rtc.write(ISR, 4, ~(ISR_ALRBF | ISR_INIT) & 0xFFFF_FFFF)
    bus.run_us(996_000)
    assert not rtc.read(ISR, 4) & ISR_ALRBF
    bus.run_us(4_000)
    assert rtc.read(ISR, 4) & ISR_ALRBF


def test_an_alarm_is_set_only_while_it_is_off(rtc: Rtc) -> None:
    """26.6.4, ALRAWF: 1 when the alarm values can be changed."""
    start(rtc, 0x24_01_01 | 1 << 13, 0)
    rtc.write(CR, 4, CR_ALRAE)
    assert not rtc.read(ISR, 4) & ISR_ALRAWF
    rtc.write(ALRMAR, 4, 0x55)
    assert rtc.read(ALRMAR, 4) == 0


def test_tamper_pins_are_read_as_off_and_said_when_they_are_not(rtc: Rtc, bus: FakeBus) -> None:
    unlock(rtc)
    assert rtc.read(TAFCR, 4) == 0
    rtc.write(TAFCR, 4, 0)
    assert bus.log == []
    rtc.write(TAFCR, 4, 1)
    assert bus.log == ["RTC_TAFCR write of 0x1"]


def test_summer_time(rtc: Rtc) -> None:
    """26.6.3, ADD1H: one hour is added to the current time."""
    start(rtc, 0x24_01_01 | 1 << 13, 0x23_30_00)
    rtc.write(CR, 4, CR_ADD1H)
    assert (rtc.read(TR, 4), rtc.read(DR, 4)) == (0x00_30_00, 0x24_01_02 | 2 << 13)
