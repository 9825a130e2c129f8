from __future__ import annotations

import pytest

from boardless_sim.chips.stm32f4_map import GATES
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.peripheral import Clocks
from boardless_sim.peripherals.rcc import Rcc
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="RCC", source="RM0090 chapter 7")


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def device(bus: FakeBus) -> Rcc:
    device = Rcc("RCC", GATES)
    device.fit_crystals(8_000_000, 32_768)
    bus.place(0x4002_3800, device)
    device.reset()
    return device


def set_bits(device: Rcc, offset: int, bits: int) -> None:
    device.write(offset, 4, device.read(offset, 4) | bits)


def test_reset_state_runs_from_hsi(bus: FakeBus, device: Rcc) -> None:
    assert device.read(rcc.CR, 4) == 0x83
    assert bus.tree == Clocks(16_000_000, 16_000_000, 16_000_000, 16_000_000, 16_000_000)


def test_hse_is_ready_after_two_milliseconds(bus: FakeBus, device: Rcc) -> None:
    set_bits(device, rcc.CR, rcc.CR_HSEON)
    bus.run_us(1_999)
    assert not device.read(rcc.CR, 4) & rcc.CR_HSERDY
    bus.run_us(2)
    assert device.read(rcc.CR, 4) & rcc.CR_HSERDY


def test_without_a_crystal_hse_never_gets_ready(bus: FakeBus) -> None:
    device = Rcc("RCC", GATES)
    bus.place(0, device)
    set_bits(device, rcc.CR, rcc.CR_HSEON)
    bus.run_us(100_000)
    assert not device.read(rcc.CR, 4) & rcc.CR_HSERDY


def run_at_168_mhz(bus: FakeBus, device: Rcc) -> None:
    set_bits(device, rcc.CR, rcc.CR_HSEON)
    bus.run_us(2_100)
    device.write(rcc.PLLCFGR, 4, 8 | 336 << 6 | 0 << 16 | rcc.PLLCFGR_PLLSRC | 7 << 24)
    set_bits(device, rcc.CR, rcc.CR_PLLON)
    device.write(rcc.CFGR, 4, 5 << 10 | 4 << 13 | rcc.SW_PLL)


def test_pll_arithmetic_and_prescalers(bus: FakeBus, device: Rcc) -> None:
    run_at_168_mhz(bus, device)
    bus.run_us(300)
    assert device.read(rcc.CFGR, 4) >> 2 & 3 == rcc.SW_PLL
    assert bus.tree == Clocks(168_000_000, 42_000_000, 84_000_000, 84_000_000, 168_000_000)


def test_sws_waits_for_the_lock(bus: FakeBus, device: Rcc) -> None:
    run_at_168_mhz(bus, device)
    bus.run_us(10)
    assert device.read(rcc.CFGR, 4) >> 2 & 3 == rcc.SW_HSI
    assert bus.tree.hclk_hz == 16_000_000


def test_the_running_clock_cannot_be_switched_off(bus: FakeBus, device: Rcc) -> None:
    run_at_168_mhz(bus, device)
    bus.run_us(300)
    device.write(rcc.CR, 4, 0)
    kept = rcc.CR_PLLON | rcc.CR_PLLRDY | rcc.CR_HSEON | rcc.CR_HSERDY
    assert device.read(rcc.CR, 4) & kept == kept
    assert not device.read(rcc.CR, 4) & rcc.CR_HSIRDY


@pytest.mark.parametrize(
    ("hpre", "ppre", "hclk", "pclk", "timclk"),
    [(0, 0, 16, 16, 16), (8, 4, 8, 4, 8), (9, 7, 4, 0.25, 0.5), (0, 6, 16, 2, 4)],
)
def test_bus_prescalers(
    bus: FakeBus, device: Rcc, hpre: int, ppre: int, hclk: float, pclk: float, timclk: float
) -> None:
    device.write(rcc.CFGR, 4, hpre << 4 | ppre << 10)
    tree = bus.tree
    assert (tree.hclk_hz, tree.pclk1_hz, tree.timclk1_hz) == (
        hclk * 1_000_000,
        pclk * 1_000_000,
        timclk * 1_000_000,
    )


def test_clock_gates_by_device_name(device: Rcc) -> None:
    assert not device.clock_enabled("USART2")
    set_bits(device, rcc.APB1ENR, 1 << 17)
    assert device.clock_enabled("USART2")
    assert device.clock_enabled("EXTI")  # has no gate


def test_peripheral_reset_on_the_rising_bit_only(device: Rcc) -> None:
    names: list[str] = []
    device.on_peripheral_reset = names.append
    set_bits(device, rcc.APB1RSTR, 1 << 21)
    set_bits(device, rcc.APB1RSTR, 1 << 22)
    assert names == ["I2C1", "I2C2"]


def test_reset_flags_outlive_a_reset_until_rmvf(device: Rcc) -> None:
    assert device.read(rcc.CSR, 4) == 0x0E00_0000
    device.write(rcc.CSR, 4, rcc.CSR_RMVF)
    assert device.read(rcc.CSR, 4) == 0
    device.reset()
    device.note_reset("IWDG")
    assert device.read(rcc.CSR, 4) == rcc.CSR_IWDGRSTF | rcc.CSR_PINRSTF
    device.note_reset("POWER")
    assert device.read(rcc.CSR, 4) == 0x0E00_0000


def test_lsi_and_lse(bus: FakeBus, device: Rcc) -> None:
    set_bits(device, rcc.CSR, rcc.CSR_LSION)
    set_bits(device, rcc.BDCR, rcc.BDCR_LSEON)
    bus.run_us(20)
    assert device.read(rcc.CSR, 4) & rcc.CSR_LSIRDY
    assert not device.read(rcc.BDCR, 4) & rcc.BDCR_LSERDY
    bus.run_us(2_000_000)
    assert device.read(rcc.BDCR, 4) & rcc.BDCR_LSERDY


def test_pll_does_not_lock_without_its_source(bus: FakeBus) -> None:
    device = Rcc("RCC", GATES)
    bus.place(0, device)
    device.write(rcc.PLLCFGR, 4, 8 | 336 << 6 | rcc.PLLCFGR_PLLSRC)
    set_bits(device, rcc.CR, rcc.CR_HSEON | rcc.CR_PLLON)
    bus.run_us(100_000)
    assert not device.read(rcc.CR, 4) & rcc.CR_PLLRDY


def test_pll_started_before_its_crystal_locks_after_it(bus: FakeBus, device: Rcc) -> None:
    device.write(rcc.PLLCFGR, 4, 8 | 336 << 6 | rcc.PLLCFGR_PLLSRC)
    set_bits(device, rcc.CR, rcc.CR_HSEON | rcc.CR_PLLON)
    bus.run_us(2_500)
    assert device.read(rcc.CR, 4) & rcc.CR_PLLRDY


@pytest.mark.parametrize("factors", [1 | 336 << 6, 8 | 49 << 6, 8 | 433 << 6])
def test_pll_factors_out_of_range_never_lock(bus: FakeBus, device: Rcc, factors: int) -> None:
    device.write(rcc.PLLCFGR, 4, factors)
    set_bits(device, rcc.CR, rcc.CR_PLLON)
    bus.run_us(100_000)
    assert not device.read(rcc.CR, 4) & rcc.CR_PLLRDY


def test_backup_domain_needs_dbp(device: Rcc) -> None:
    device.backup_unlocked = lambda: False
    device.write(rcc.BDCR, 4, rcc.BDCR_LSEON)
    assert device.read(rcc.BDCR, 4) == 0
