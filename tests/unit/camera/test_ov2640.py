"""The OV2640 as its drivers use it: banks, windows, formats, JPEG (data sheet 2.2)."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boardless_sim.boards.board import CameraWiring
from boardless_sim.boards.devices import build_devices
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.camera.fit import frame_of_pixels
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.sensors import ov2640_output as out
from boardless_sim.camera.sensors.ov2640 import Ov2640
from boardless_sim.camera.sensors.parallel_sensor import FrameLines
from boardless_sim.faults.sensor import WrongPid
from boardless_sim.peripherals import dcmi
from tests.unit.fake_bus import FakeBus
from tests.unit.peripherals import test_board

pytestmark = pytest.mark.fidelity(device="OV2640", source="OV2640 data sheet 2.2")

XVCLK = 24_000_000
# As drivers go to SVGA and let the DSP scale it to 160x120.
QQVGA = [
    (0xFF, 1), (0x12, 0x40), (0xFF, 0), (0x05, 0x00), (0xE0, 0x00), (0x86, 0x3D), (0x50, 0x89),
    (0x51, 0xC8), (0x52, 0x96), (0x53, 0), (0x54, 0), (0x55, 0), (0x57, 0),
    (0x5A, 0x28), (0x5B, 0x1E), (0x5C, 0), (0xD3, 0x82),
]  # fmt: skip


def sensor(*registers: tuple[int, int]) -> Ov2640:
    made = Ov2640()
    made.clock_in(XVCLK)
    for address, value in registers:
        made.start(read=False)
        made.write(address)
        made.write(value)
        made.stop()
    return made


def read(made: Ov2640, address: int) -> int:
    made.start(read=False)
    made.write(address)
    made.stop()
    made.start(read=True)
    return made.read()


def shown(made: Ov2640, frame: Frame) -> FrameLines:
    return made.picture(frame, made.timing().frame_ns)


def pixels(made: Ov2640, frame: Frame) -> NDArray[np.uint8]:
    return np.array([list(line or b"") for line in shown(made, frame).lines], np.uint8)


def noise(height: int = 120, width: int = 160) -> Frame:
    luma = np.random.default_rng(1).integers(0, 256, (height, width), np.uint8)
    return frame_of_pixels("noise", luma)


def red() -> Frame:
    return frame_of_pixels("red", np.full((120, 160, 3), (255, 0, 0), np.uint8))


def test_identity_stands_in_the_bank_of_the_sensor() -> None:
    made = sensor()
    assert made.address << 1 == 0x60
    assert read(made, 0x0A) == 0
    made = sensor((0xFF, 1))
    assert [read(made, address) for address in (0x0A, 0x0B, 0x1C, 0x1D)] == [0x26, 0x42, 0x7F, 0xA2]
    assert read(made, 0xFF) == 1


def test_the_banks_are_two_sets_of_registers() -> None:
    made = sensor((0xFF, 0), (0x44, 0x11), (0xFF, 1), (0x44, 0x22), (0xFF, 0))
    assert read(made, 0x44) == 0x11


def test_the_identity_cannot_be_written_and_a_reset_takes_all_back() -> None:
    made = sensor((0xFF, 1), (0x0A, 0x99), (0x11, 5), (0x12, 0x80))
    assert (read(made, 0x0A), read(made, 0x11)) == (0x26, 0)


def test_another_sensor_is_fitted() -> None:
    made = sensor((0xFF, 1))
    made.faults = [WrongPid(0x77)]
    assert (read(made, 0x0A), read(made, 0x0B)) == (0x77, 0x42)


@pytest.mark.parametrize(
    ("com7", "clkrc", "rate"),
    [(0x00, 0, 15), (0x40, 0, 30), (0x20, 0, 60), (0x40, 1, 15), (0x40, 0x80, 60)],
)
def test_the_rate_of_each_resolution(com7: int, clkrc: int, rate: int) -> None:
    """15, 30 and 60 frames a second at 24 MHz (key specifications)."""
    made = sensor((0xFF, 1), (0x12, com7), (0x11, clkrc))
    assert made.timing().frame_ns == pytest.approx(1e9 / rate, abs=1)


def test_after_power_on_the_sensor_goes_past_the_dsp_in_raw() -> None:
    assert made_output(sensor()) == (1600, 1200)
    raw = pixels(sensor((0xFF, 1), (0x12, 0x20)), red())
    assert raw.shape == (296, 400)
    assert raw[:2, :2].tolist() == [[0, 0], [0, 255]]  # blue, green; green, red


def made_output(made: Ov2640) -> tuple[int, int]:
    return made.output.width, made.output.height


@pytest.mark.parametrize(
    ("registers", "size"),
    [
        ([], (160, 120)),
        ([(0x5A, 0x50), (0x5B, 0x3C)], (320, 240)),
        ([(0x86, 0x1D)], (400, 300)),  # no DCW: only CTRLI's halves
        ([(0x86, 0x1D), (0x50, 0x12)], (200, 150)),
        ([(0x51, 0xFF), (0x55, 0x88), (0x5A, 0xFF), (0x5C, 0x07)], (800, 600)),  # not beyond
    ],
)
def test_size(registers: list[tuple[int, int]], size: tuple[int, int]) -> None:
    assert made_output(sensor(*QQVGA, *registers)) == size


def test_a_window_is_cut_out_of_the_array() -> None:
    """HSIZE 400, VSIZE 300 from 400, 300: the quarter at the lower right."""
    made = sensor(*QQVGA, (0x51, 100), (0x52, 75), (0x53, 400 & 0xFF), (0x54, 300 & 0xFF),
                  (0x55, 0x11))  # fmt: skip
    quarters = np.zeros((120, 160), np.uint8)
    quarters[60:, 80:] = 200
    frame = frame_of_pixels("quarters", quarters)
    assert set(pixels(made, frame)[:, 0::2].ravel()) == {200}


@pytest.mark.parametrize(
    ("mode", "ctrl0", "order"),
    [(0x00, 0x0C, "YUYV"), (0x00, 0x1C, "YVYU"), (0x01, 0x0C, "UYVY"), (0x01, 0x1C, "VYUY")],
)
def test_yuv_orders(mode: int, ctrl0: int, order: str) -> None:
    """IMAGE_MODE bit 0 swaps the bytes, CTRL0 bit 4 U and V."""
    line = pixels(sensor(*QQVGA, (0xDA, mode), (0xC2, ctrl0)), red())[0, :4].tolist()
    found = dict(zip("YUV", (76, 85, 255), strict=True))
    assert all(abs(line[n] - found[kind]) <= 1 for n, kind in enumerate(order))


@pytest.mark.parametrize(("mode", "two"), [(0x08, [0xF8, 0x00]), (0x09, [0x00, 0xF8])])
def test_rgb565_in_both_orders(mode: int, two: list[int]) -> None:
    assert pixels(sensor(*QQVGA, (0xDA, mode)), red())[5, :4].tolist() == two * 2


def test_grey_of_a_byte_a_pixel_is_the_picture() -> None:
    frame = noise()
    assert np.array_equal(pixels(sensor(*QQVGA, (0xDA, 0x40)), frame), frame.luma)


def test_mirror_and_flip() -> None:
    frame = noise()
    turned = pixels(sensor(*QQVGA, (0xDA, 0x40), (0xFF, 1), (0x04, 0xC0)), frame)
    assert np.array_equal(turned, frame.luma[::-1, ::-1])


def test_bars() -> None:
    bars = pixels(sensor(*QQVGA, (0xDA, 0x40), (0xFF, 1), (0x12, 0x42)), noise())
    assert len(set(bars[7])) == 8
    assert (bars == bars[0]).all()


def decoded(lines: FrameLines) -> tuple[int, Image.Image]:
    data = b"".join(line or b"" for line in lines.lines)
    end = data.index(b"\xff\xd9") + 2
    assert data.startswith(b"\xff\xd8")
    assert set(data[end:]) <= {0}
    return end, Image.open(io.BytesIO(data[:end]))


def test_jpeg_is_one() -> None:
    made = sensor(*QQVGA, (0x5A, 0x50), (0x5B, 0x3C), (0xDA, 0x10))
    lines = shown(made, red())
    _, picture = decoded(lines)
    assert (picture.format, picture.size) == ("JPEG", (320, 240))
    red_of, green, blue = np.asarray(picture.convert("RGB"))[100, 100].tolist()
    assert red_of > 245
    assert max(green, blue) < 12
    assert {len(line or b"") for line in lines.lines} == {640}


def test_a_coarser_quantisation_is_a_smaller_jpeg() -> None:
    sizes = [
        decoded(shown(sensor(*QQVGA, (0xDA, 0x10), (0x44, qs)), noise()))[0] for qs in (4, 12, 48)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[2]


@pytest.mark.parametrize("extra", [[], [(0xDA, 0x10)], [(0xDA, 0x10), (0x44, 1)]])
def test_lines_follow_each_other_within_the_frame(extra: list[tuple[int, int]]) -> None:
    made = sensor(*QQVGA, *extra)
    timing, lines = made.timing(), shown(made, noise())
    assert len(lines.lines) == len(lines.ends_ns)
    assert lines.ends_ns[0] - lines.line_ns > timing.vsync_ns
    assert lines.ends_ns[-1] < timing.frame_ns
    assert all(before < after - lines.line_ns for before, after in pairwise(lines.ends_ns))


def test_pins_follow_com10() -> None:
    pins = sensor((0xFF, 1), (0x15, 0x1A)).pins()
    assert (pins.href_valid_high, pins.data_on_rising, pins.vsync_low) == (False, False, True)


@pytest.mark.parametrize(("dvp", "hertz"), [(0x08, 6_000_000), (0x04, 12_000_000)])
def test_pclk_by_hand(dvp: int, hertz: int) -> None:
    """R_DVP_SP: 48 MHz by its bits 6:0, at 24 MHz in."""
    assert sensor(*QQVGA, (0xD3, dvp)).pins().pclk_hz == hertz


@pytest.mark.parametrize("registers", [[(0xFF, 1), (0x09, 0x10)], [(0x05, 0), (0xE0, 0x04)]])
def test_standby_and_reset_of_the_port_stop_the_frames(registers: list[tuple[int, int]]) -> None:
    assert not sensor(*QQVGA).asleep
    assert sensor(*QQVGA, (0xFF, 0), *registers).asleep


def test_on_a_board_by_its_name() -> None:
    bus = FakeBus()
    wiring = CameraWiring(sensor="ov2640", bus="I2C1", xclk="24M")
    camera = build_devices(replace(REFERENCE, camera=wiring), bus).camera
    bus.run_us(4.5 * 1e6 / 15)
    assert camera.frames_clocked == 4
    assert camera.start(read=False)
    assert Ov2640.product_register == out.PIDH


def test_a_jpeg_through_dcmi_and_dma_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """RM0090 15.5.6: JPEG ends with VSYNC, whatever its length; the DMA has room to spare."""
    wiring = CameraWiring(sensor="ov2640", bus="I2C1", xclk="24M")
    monkeypatch.setattr(test_board, "REFERENCE", replace(REFERENCE, camera=wiring))
    rig = test_board.Rig()
    camera = rig.devices.camera
    for address, value in [*QQVGA, (0xDA, 0x10)]:
        camera.start(read=False)
        camera.write(address)
        camera.write(value)
    camera.lens.show(red())
    rig.start_capture(words=16_000, window=(0, 0, 4, 1))
    pins = dcmi.CR_VSPOL | dcmi.CR_PCKPOL | dcmi.CR_ENABLE
    rig.write("DCMI", dcmi.CR, pins | dcmi.CR_CM | dcmi.CR_JPEG | dcmi.CR_CAPTURE)
    rig.bus.run_us(4 * 1e6 / 30)
    assert not rig.read("DCMI", dcmi.CR) & dcmi.CR_CAPTURE
    data = bytes(rig.bus.ram)
    picture = Image.open(io.BytesIO(data[: data.index(b"\xff\xd9") + 2]))
    assert picture.size == (160, 120)
    assert np.asarray(picture.convert("RGB"))[60, 80, 0] > 245
