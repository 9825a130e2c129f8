"""Pins: "the alternate function … is selected by AFRL and AFRH" (RM0090 section 8.3.2)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from boardless_sim.peripherals import dcmi, exti, gpio, i2c, rcc, usart
from tests.unit.boards.probed_board import ProbedBoard

CAMERA_PINS = ["C6", "C7", "C8", "C9", "C11", "B6", "E5", "E6", "A4", "B7", "A6"]
FRAME_US = 50_000  # 799,680 clocks at 16 MHz: a little less
ADDRESS = 0x42


def start_usart(board: ProbedBoard) -> list[int]:
    sent: list[int] = []
    board.machine.devices.usarts["USART2"].on_transmit = sent.append
    board.enable(rcc.APB1ENR, 17)
    board.write("USART2", usart.BRR, 139)
    board.write("USART2", usart.CR1, usart.CR1_UE | usart.CR1_TE | usart.CR1_RE)
    return sent


@pytest.mark.fidelity(device="USART", source="RM0090 8.3.2")
def test_a_word_leaves_by_a_pin_in_its_alternate_function_only(board: ProbedBoard) -> None:
    sent = start_usart(board)
    board.write("USART2", usart.DR, 0x41)
    board.run_us(100)
    assert (sent, board.found()) == ([], [("pin-function", "USART2")])
    board.alternate("A2", 8)  # UART4, on other pins
    board.write("USART2", usart.DR, 0x42)
    board.run_us(100)
    assert sent == []
    board.alternate("A2", 7)
    board.write("USART2", usart.DR, 0x43)
    board.run_us(100)
    assert sent == [0x43]


@pytest.mark.fidelity(device="GPIO", source="RM0090 8.3")
def test_another_pin_with_the_same_function_will_do(board: ProbedBoard) -> None:
    sent = start_usart(board)
    board.alternate("D5", 7)
    board.write("USART2", usart.DR, 0x43)
    board.run_us(100)
    assert (sent, board.found()) == ([0x43], [])


@pytest.mark.fidelity(device="USART", source="RM0090 8.3.2")
def test_what_is_sent_to_a_receiver_without_a_pin_is_lost(board: ProbedBoard) -> None:
    start_usart(board)
    board.engine.uart_send("USART2", b"a")
    board.run_us(200)
    assert not board.read("USART2", usart.SR) & usart.SR_RXNE
    assert board.found() == [("pin-function", "USART2")]
    board.alternate("A3", 7)
    board.engine.uart_send("USART2", b"b")
    board.run_us(200)
    assert board.read("USART2", usart.DR) == ord("b")


def start_clock_output(board: ProbedBoard) -> None:
    """MCO1 is HSI after reset (section 7.3.3)."""
    board.alternate("A8", 0)


def address_camera(board: ProbedBoard) -> int:
    """SR1 after the sensor was addressed on I2C1."""
    board.enable(rcc.APB1ENR, 21)
    board.write("I2C1", i2c.CR1, 0)
    board.write("I2C1", i2c.CCR, 80)
    board.write("I2C1", i2c.CR1, i2c.CR1_PE | i2c.CR1_START)
    board.run_us(100)
    assert board.read("I2C1", i2c.SR1) & i2c.SR1_SB
    board.write("I2C1", i2c.DR, ADDRESS)
    board.run_us(200)
    return board.read("I2C1", i2c.SR1)


def use_i2c_pins(board: ProbedBoard, *, open_drain: bool = True) -> None:
    for pin in ("B8", "B9"):
        board.alternate(pin, 4, open_drain=open_drain)


def no_pins(board: ProbedBoard) -> None:
    """None of them."""


def push_pull(board: ProbedBoard) -> None:
    use_i2c_pins(board, open_drain=False)


@pytest.mark.fidelity(device="I2C", source="RM0090 27.3")
@pytest.mark.parametrize("pins", [no_pins, push_pull])
def test_no_acknowledge_without_open_drain_pins(
    board: ProbedBoard, pins: Callable[[ProbedBoard], None]
) -> None:
    """The lines are open drain (section 27.3.1): a target cannot pull a driven one low."""
    start_clock_output(board)
    pins(board)
    assert address_camera(board) & (i2c.SR1_AF | i2c.SR1_ADDR) == i2c.SR1_AF
    assert board.found() == [("pin-function", "I2C1")]
    use_i2c_pins(board)
    assert address_camera(board) & i2c.SR1_ADDR


@pytest.mark.fidelity(device="OV7670", behaviour="dead while unclocked", source="OV7670 data sheet")
def test_no_acknowledge_and_no_sync_without_xclk(board: ProbedBoard) -> None:
    use_i2c_pins(board)
    assert address_camera(board) & i2c.SR1_AF
    assert board.found() == [("xclk", "ov7670")]
    assert "no pin is in the alternate function MCO1" in board.engine.findings()[0].text
    board.run_us(3 * FRAME_US)
    assert board.machine.devices.camera.frames_clocked == 0
    start_clock_output(board)
    assert address_camera(board) & i2c.SR1_ADDR
    board.run_us(2.5 * FRAME_US)
    assert board.machine.devices.camera.frames_clocked == 2


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_a_stopped_source_stops_the_sensor(board: ProbedBoard) -> None:
    use_i2c_pins(board)
    start_clock_output(board)
    board.field("RCC", rcc.CFGR, 21, 2, 3)  # MCO1 from a PLL that is off
    assert address_camera(board) & i2c.SR1_AF
    assert "the source of MCO1 stands still" in board.engine.findings()[0].text


def divide_pixel_clock(board: ProbedBoard, com14: int) -> None:
    camera = board.machine.devices.camera
    assert camera.start(read=False)
    for byte in (0x3E, com14):
        camera.write(byte)


def capture(board: ProbedBoard, missing: str) -> int:
    """RIS after two frame times of a snapshot."""
    start_clock_output(board)
    divide_pixel_clock(board, 0x1A)  # by four: 4 MHz
    for pin in CAMERA_PINS:
        if pin != missing:
            board.alternate(pin, 13)
    board.enable(rcc.AHB2ENR, 0)
    board.write("DCMI", dcmi.CR, dcmi.CR_CM | dcmi.CR_VSPOL | dcmi.CR_PCKPOL | dcmi.CR_ENABLE)
    board.set_bits("DCMI", dcmi.CR, dcmi.CR_CAPTURE)
    board.run_us(2.5 * FRAME_US)
    return board.read("DCMI", dcmi.RIS)


@pytest.mark.fidelity(device="DCMI", source="RM0090 15.4")
def test_with_all_pins_frames_arrive(board: ProbedBoard) -> None:
    assert capture(board, missing="") & (dcmi.VSYNC | dcmi.LINE) == dcmi.VSYNC | dcmi.LINE
    assert board.found() == []


@pytest.mark.fidelity(device="DCMI", source="RM0090 15.4")
@pytest.mark.parametrize(
    ("pin", "signal", "seen"),
    [
        ("A6", "DCMI_PIXCK", 0),
        ("B7", "DCMI_VSYNC", dcmi.LINE),
        ("A4", "DCMI_HSYNC", dcmi.VSYNC),
        ("C11", "DCMI_D4", dcmi.VSYNC | dcmi.LINE),
    ],
)
def test_a_camera_line_without_its_pin(
    board: ProbedBoard, pin: str, signal: str, seen: int
) -> None:
    assert capture(board, missing=pin) & (dcmi.VSYNC | dcmi.LINE) & ~seen == 0
    assert ("pin-function", "DCMI") in board.found()
    assert signal in board.engine.findings()[0].text


def watch_edges(board: ProbedBoard, line: int, port: int) -> None:
    board.enable(rcc.APB2ENR, 14)
    board.field("SYSCFG", 0x08 + (line & ~3), 4 * (line & 3), 4, port)
    board.write("EXTI", exti.IMR, 1 << line)
    board.write("EXTI", exti.RTSR, 1 << line)


def count_edges(board: ProbedBoard, line: int, time_us: float) -> int:
    count, end = 0, board.engine.time_us() + time_us
    while board.engine.time_us() < end:
        board.run_us(20)
        if board.read("EXTI", exti.PR) >> line & 1:
            count += 1
            board.write("EXTI", exti.PR, 1 << line)
    return count


@pytest.mark.fidelity(device="GPIO", source="RM0090 8.3")
@pytest.mark.parametrize("function", [13, None])
def test_vsync_can_be_watched_by_an_interrupt(board: ProbedBoard, function: int | None) -> None:
    """The input path is there in every mode but analog (section 8.3.1, figure 25)."""
    start_clock_output(board)
    board.enable(rcc.AHB1ENR, 1)
    if function is not None:
        board.alternate("B7", function)
    watch_edges(board, 7, port=1)
    assert count_edges(board, 7, 4.5 * FRAME_US) == 4  # 20.0 frames a second at 16 MHz


@pytest.mark.fidelity(device="GPIO", source="RM0090 8.3")
def test_href_moves_for_who_watches_it(board: ProbedBoard) -> None:
    start_clock_output(board)
    board.enable(rcc.AHB1ENR, 0)
    watch_edges(board, 4, port=0)
    assert count_edges(board, 4, 2 * FRAME_US) == 480  # the lines of one VGA frame


@pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet")
def test_pixclk_moves_when_the_port_is_read(board: ProbedBoard) -> None:
    start_clock_output(board)
    divide_pixel_clock(board, 0x1A)
    board.run_us(2 * FRAME_US)
    levels = set()
    for cycles in range(1, 20):
        levels.add(board.read("GPIOA", gpio.IDR) >> 6 & 1)
        board.run_us(cycles / 16)
    assert levels == {0, 1}


@pytest.mark.fidelity(device="DCMI", source="RM0090 15.4")
def test_a_pixel_clock_that_is_too_fast_loses_bytes(board: ProbedBoard) -> None:
    """PIXCLK takes at least 2.5 periods of HCLK (section 15.4): 16 MHz at 16 MHz is too fast."""
    capture(board, missing="")
    assert board.found() == []
    divide_pixel_clock(board, 0x00)
    board.set_bits("DCMI", dcmi.CR, dcmi.CR_CAPTURE)
    board.run_us(3 * FRAME_US)
    assert board.found() == [("pixel-clock", "DCMI")]
    assert "expected at most 6.4 MHz at HCLK 16 MHz" in board.engine.findings()[0].text


@pytest.mark.fidelity(device="I2C", source="RM0090 27.3")
def test_a_line_held_low_keeps_the_bus_busy(board: ProbedBoard) -> None:
    """SR2.BUSY: "detection of SDA or SCL low" (section 27.6.7); no start until it is let go."""
    use_i2c_pins(board)
    board.enable(rcc.APB1ENR, 21)
    board.write("I2C1", i2c.CCR, 80)
    port = board.machine.devices.gpios["GPIOB"]
    port.set_input(9, high=False)
    board.write("I2C1", i2c.CR1, i2c.CR1_PE | i2c.CR1_START)
    board.run_us(1000)
    assert not board.read("I2C1", i2c.SR1) & i2c.SR1_SB
    assert board.read("I2C1", i2c.SR2) & i2c.SR2_BUSY
    port.release_input(9)
    board.run_us(10)
    assert board.read("I2C1", i2c.SR1) & i2c.SR1_SB


@pytest.mark.fidelity(device="I2C", source="RM0090 27.3")
def test_a_target_may_stretch_the_clock(board: ProbedBoard) -> None:
    start_clock_output(board)
    use_i2c_pins(board)
    assert address_camera(board) & i2c.SR1_ADDR
    board.read("I2C1", i2c.SR2)
    board.machine.devices.gpios["GPIOB"].set_input(8, high=False)
    board.write("I2C1", i2c.DR, 0x0A)
    board.run_us(1000)
    assert not board.read("I2C1", i2c.SR1) & i2c.SR1_BTF
    board.machine.devices.gpios["GPIOB"].release_input(8)
    assert board.read("I2C1", i2c.SR1) & i2c.SR1_BTF


@pytest.mark.fidelity(device="I2C", source="RM0090 27.3")
def test_a_transmitter_shows_txe_with_addr(board: ProbedBoard) -> None:
    """EV6 of a transmitter, as ST's drivers wait for it: 0x00070082 in SR2:SR1."""
    start_clock_output(board)
    use_i2c_pins(board)
    status = address_camera(board)
    assert board.read("I2C1", i2c.SR2) << 16 | status == 0x0007_0082
