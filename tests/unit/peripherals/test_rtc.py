"""RM0090 chapter 26, as quoted."""

from __future__ import annotations

import pytest

from boardless_sim.peripherals.rtc import (
    BKP0R,
    CR,
    CR_WUTE,
    CR_WUTIE,
    ISR,
    ISR_INIT,
    ISR_INITF,
    ISR_WUTF,
    ISR_WUTWF,
    PRER,
    SSR,
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
    assert dict(bus.exti) == {22: False}
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
