"""Voltages on pins (RM0090 chapters 13 and 14)."""

from __future__ import annotations

import pytest

from boardless_sim.errors import BoardError
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.analog import adc_unit as unit
from boardless_sim.peripherals.analog import dac
from boardless_sim.peripherals.analog.adc import CCR, CCR_TSVREFE
from tests.unit.boards.probed_board import ProbedBoard


def measure(board: ProbedBoard, channel: int) -> int:
    board.enable(rcc.APB2ENR, 8)
    board.write("ADC", unit.SQR3, channel)
    board.write("ADC", unit.CR2, unit.CR2_ADON | unit.CR2_SWSTART)
    board.run_us(20)
    return board.read("ADC", unit.DR)


def test_a_voltage_over_time(board: ProbedBoard) -> None:
    board.machine.devices.analog.drive("PA1", [(0, 0.0), (1000, 0.0), (2000, 3.3)])
    assert measure(board, 1) == 0
    board.run_us(1480)
    assert 2000 < measure(board, 1) < 2100
    board.run_us(1000)
    assert measure(board, 1) == 4095


def test_the_dac_drives_its_pin(board: ProbedBoard) -> None:
    board.enable(rcc.APB1ENR, 29)
    board.enable(rcc.AHB1ENR, 0)
    board.write("DAC", dac.CR, dac.CR_EN)
    board.write("DAC", dac.DHR12R1, 2048)
    assert measure(board, 4) == 0
    board.field("GPIOA", 0x00, 8, 2, 3)
    assert measure(board, 4) == 2048


def test_inner_channels_need_their_switch(board: ProbedBoard) -> None:
    """13.10: TSVREFE enables the sensor (channel 16) and VREFINT (17)."""
    assert (measure(board, 16), measure(board, 17)) == (0, 0)
    board.write("ADC", CCR, CCR_TSVREFE)
    assert measure(board, 16) == int(0.76 / 3.3 * 4096)
    assert measure(board, 17) == int(1.21 / 3.3 * 4096)


def test_a_pin_without_a_channel_is_refused(board: ProbedBoard) -> None:
    with pytest.raises(BoardError, match="pin 'PD0', expected one with an ADC channel, as PA0"):
        board.machine.devices.analog.drive("PD0", 1.0)


def test_one_reset_bit_resets_the_converters(board: ProbedBoard) -> None:
    board.enable(rcc.APB2ENR, 8)
    board.write("ADC", unit.SMPR1, 7)
    board.enable(rcc.APB2RSTR, 8)
    board.write("RCC", rcc.APB2RSTR, 0)
    assert board.read("ADC", unit.SMPR1) == 0
