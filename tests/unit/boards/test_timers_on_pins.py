"""Timers on the board: their pins, the interrupts that they share, XCLK from one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.peripherals import gpio, rcc, timer
from tests.unit.boards.probed_board import ProbedBoard

pytestmark = pytest.mark.fidelity(device="TIM", source="RM0090 chapters 17 to 20")


def test_a_pwm_moves_its_pin_and_no_other(board: ProbedBoard) -> None:
    """IDR shows the level in every mode but analog (section 8.3.1)."""
    board.enable(rcc.APB1ENR, 1)
    board.alternate("A6", 2)
    board.write("TIM3", timer.CCMR1, 6 << 4)
    board.write("TIM3", timer.CCER, 1)
    board.write("TIM3", timer.ARR, 99)
    board.write("TIM3", timer.CCR1, 25)
    board.write("TIM3", timer.CR1, timer.CR1_CEN)
    high = 0
    for _ in range(400):
        high += board.read("GPIOA", gpio.IDR) >> 6 & 1
        board.run_us(1 / 16 * 7)
    assert high == pytest.approx(100, abs=4)
    assert not board.read("GPIOA", gpio.IDR) >> 7 & 1


def test_a_pin_clocks_a_capture(board: ProbedBoard) -> None:
    board.enable(rcc.APB1ENR, 2)
    board.alternate("B6", 2)
    board.write("TIM4", timer.CCMR1, 1)
    board.write("TIM4", timer.CCER, 1)
    board.write("TIM4", timer.CR1, timer.CR1_CEN)
    board.run_us(10)
    board.machine.devices.gpios["GPIOB"].set_input(6, high=True)
    assert board.read("TIM4", timer.SR) & timer.CC1IF
    assert board.read("TIM4", timer.CCR1) == 160


def test_timers_that_share_an_interrupt_share_its_level(board: ProbedBoard) -> None:
    """TIM1_UP_TIM10 (table 61): asserted until both are served."""
    board.enable(rcc.APB2ENR, 0, 17)
    for name in ("TIM1", "TIM10"):
        board.write(name, timer.DIER, timer.UIF)
        board.write(name, timer.EGR, timer.EGR_UG)
    levels: list[tuple[int, bool]] = []

    def noted(exception: int, asserted: bool) -> None:
        levels.append((exception, asserted))

    board.machine.cpu.set_line = noted  # type: ignore[method-assign]
    for name in ("TIM1", "TIM10"):
        board.write(name, timer.SR, 0)
    assert levels == [(16 + 25, True), (16 + 25, False)]


@pytest.mark.parametrize(
    ("signal", "pin", "enables"), [("TIM1_CH1", "A8", 1), ("TIM1_CH1N", "A7", 4)]
)
def test_a_timer_may_clock_the_sensor(signal: str, pin: str, enables: int, tmp_path: Path) -> None:
    """TIM1 on PA8 or, complemented, on PA7, 16 MHz by 2: 8 MHz, ten frames a second."""
    assert REFERENCE.camera is not None
    wired = replace(REFERENCE, camera=replace(REFERENCE.camera, xclk=signal))
    board = ProbedBoard(tmp_path, wired)
    board.alternate(pin, 1)
    board.enable(rcc.APB2ENR, 0)
    board.write("TIM1", timer.CCMR1, 6 << 4)
    board.write("TIM1", timer.CCER, enables)
    board.write("TIM1", timer.ARR, 1)
    board.write("TIM1", timer.CCR1, 1)
    board.write("TIM1", timer.CR1, timer.CR1_CEN)
    board.run_us(250_000)
    assert board.machine.devices.camera.frames_clocked == 0  # MOE is 0
    board.write("TIM1", timer.BDTR, timer.BDTR_MOE)
    board.run_us(450_000)
    assert board.machine.devices.camera.frames_clocked == 4
    board.engine.close()


def test_power_down_and_reset_pins(tmp_path: Path) -> None:
    """PWDN high stops the sensor, its registers stay; RESET# low forgets them."""
    assert REFERENCE.camera is not None
    camera = replace(REFERENCE.camera, xclk="24M", powerdown="PD12", reset="PD13")
    board = ProbedBoard(tmp_path, replace(REFERENCE, camera=camera))
    sensor = board.machine.devices.camera
    board.enable(rcc.AHB1ENR, 3)
    assert sensor.start(read=False)
    for byte in (0x11, 0x05):
        sensor.write(byte)
    board.write("GPIOD", gpio.ODR, 1 << 12 | 1 << 13)
    board.write("GPIOD", gpio.MODER, 1 << 24 | 1 << 26)
    assert not sensor.start(read=False)
    board.write("GPIOD", gpio.ODR, 1 << 13)
    assert sensor.start(read=False)
    sensor.write(0x11)
    assert sensor.read() == 0x05
    board.write("GPIOD", gpio.ODR, 0)
    assert not sensor.start(read=False)
    board.write("GPIOD", gpio.ODR, 1 << 13)
    assert sensor.start(read=False)
    sensor.write(0x11)
    assert sensor.read() == 0x80
    assert board.found() == []
    board.engine.close()
