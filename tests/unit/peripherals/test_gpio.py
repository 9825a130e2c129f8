from __future__ import annotations

import pytest

from boardless_sim.peripherals import exti, gpio, syscfg
from boardless_sim.peripherals.exti import Exti
from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.syscfg import Syscfg
from tests.unit.fake_bus import FakeBus


@pytest.fixture
def port() -> Gpio:
    device = Gpio("GPIOD")
    FakeBus().place(0x4002_0C00, device)
    return device


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_output_pin_reads_back(port: Gpio) -> None:
    port.write(gpio.MODER, 4, gpio.MODE_OUTPUT << 24)
    port.write(gpio.BSRR, 4, 1 << 12 | 1 << 3)
    assert port.read(gpio.ODR, 4) == 1 << 12 | 1 << 3
    assert port.read(gpio.IDR, 4) == 1 << 12  # pin 3 is an input


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_bsrr_sets_over_reset_and_takes_halfwords(port: Gpio) -> None:
    port.write(gpio.BSRR, 4, 0x0001_0001)
    assert port.read(gpio.ODR, 4) == 1
    port.write(gpio.BSRR + 2, 2, 1)
    assert port.read(gpio.ODR, 4) == 0


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_open_drain_output_follows_the_outside_when_high(port: Gpio) -> None:
    port.write(gpio.MODER, 4, gpio.MODE_OUTPUT)
    port.write(gpio.OTYPER, 4, 1)
    port.write(gpio.ODR, 4, 1)
    assert not port.level(0)
    port.set_input(0, True)
    assert port.level(0)
    port.write(gpio.ODR, 4, 0)
    assert not port.level(0)


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_pull_up_until_driven(port: Gpio) -> None:
    port.write(gpio.PUPDR, 4, gpio.PULL_UP)
    assert port.level(0)
    port.set_input(0, False)
    assert not port.level(0)
    port.release_input(0)
    assert port.level(0)


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_analog_pin_reads_low(port: Gpio) -> None:
    port.set_input(5, True)
    port.write(gpio.MODER, 4, gpio.MODE_ANALOG << 10)
    assert not port.level(5)


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_debug_pins_after_reset() -> None:
    assert Gpio("GPIOA").read(gpio.MODER, 4) == 0xA800_0000
    assert Gpio("GPIOB").read(gpio.MODER, 4) == 0x0000_0280


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_lock_sequence_freezes_the_configuration(port: Gpio) -> None:
    port.write(gpio.MODER, 4, gpio.MODE_OUTPUT << 4)
    for value in (0x1_0004, 0x0004, 0x1_0004):
        port.write(gpio.LCKR, 4, value)
    assert port.read(gpio.LCKR, 4) == 0x1_0004
    port.write(gpio.MODER, 4, 0xFFFF_FFFF)
    port.write(gpio.AFRL, 4, 0xFFFF_FFFF)
    assert port.mode(2) == gpio.MODE_OUTPUT
    assert port.mode(3) == gpio.MODE_ANALOG
    assert (port.alternate(2), port.alternate(3)) == (0, 15)


@pytest.mark.fidelity(device="GPIO", source="RM0090 chapter 8")
def test_broken_lock_sequence_locks_nothing(port: Gpio) -> None:
    for value in (0x1_0004, 0x1_0004, 0x1_0004):
        port.write(gpio.LCKR, 4, value)
    port.write(gpio.MODER, 4, 0xFFFF_FFFF)
    assert port.mode(2) == gpio.MODE_ANALOG


@pytest.mark.fidelity(device="SYSCFG", source="RM0090 9.2")
def test_lines_follow_the_port_that_exticr_chose() -> None:
    bus, device = FakeBus(), Syscfg()
    bus.place(0x4001_3800, device)
    device.port_changed(3, 1 << 7)
    assert bus.exti == {}  # port A drives line 7 after reset
    device.write(syscfg.EXTICR2, 4, 3 << 12)
    assert bus.exti[7] is True
    device.port_changed(3, 0)
    assert bus.exti[7] is False


@pytest.mark.fidelity(device="SYSCFG", source="RM0090 9.2")
def test_every_port_can_drive_a_line() -> None:
    bus, device = FakeBus(), Syscfg()
    bus.place(0x4001_3800, device)
    device.write(syscfg.EXTICR4, 4, 8 << 8)
    device.port_changed(8, 1 << 14)
    assert bus.exti[14] is True


@pytest.fixture
def lines() -> tuple[FakeBus, Exti]:
    bus = FakeBus()
    device = Exti("EXTI", {0: 6, 5: 23, 9: 23, 22: 3})
    bus.place(0x4001_3C00, device)
    return bus, device


@pytest.mark.fidelity(device="EXTI", source="RM0090 12.2")
def test_edge_pends_and_the_flag_clears_by_one(lines: tuple[FakeBus, Exti]) -> None:
    bus, device = lines
    device.write(exti.IMR, 4, 1)
    device.write(exti.FTSR, 4, 1)
    device.set_line(0, True)
    assert device.read(exti.PR, 4) == 0
    device.set_line(0, False)
    assert device.read(exti.PR, 4) == 1
    assert bus.irqs[6] is True
    device.write(exti.PR, 4, 1)
    assert bus.irqs[6] is False


@pytest.mark.fidelity(device="EXTI", source="RM0090 12.2")
def test_shared_interrupt_stays_until_the_last_line_is_clear(lines: tuple[FakeBus, Exti]) -> None:
    bus, device = lines
    device.write(exti.IMR, 4, 1 << 5 | 1 << 9)
    device.write(exti.SWIER, 4, 1 << 5 | 1 << 9)
    device.write(exti.PR, 4, 1 << 5)
    assert bus.irqs[23] is True
    device.write(exti.PR, 4, 1 << 9)
    assert bus.irqs[23] is False


@pytest.mark.fidelity(device="EXTI", source="RM0090 12.2")
def test_masked_line_does_not_pend(lines: tuple[FakeBus, Exti]) -> None:
    _, device = lines
    device.write(exti.RTSR, 4, 1)
    device.set_line(0, True)
    assert device.read(exti.PR, 4) == 0
