"""A coloured picture through the sensor: RGB565 and YUV (data sheet, figures 11 and 12)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boardless_sim.camera.fit import frame_of_pixels
from boardless_sim.camera.scene import compose, compose_colour
from boardless_sim.camera.sensors import ov7670_output as out
from boardless_sim.camera.sensors.ov7670 import Ov7670
from boardless_sim.camera.sensors.rendering import render
from boardless_sim.camera.source import open_frames

pytestmark = pytest.mark.fidelity(device="OV7670", source="OV7670 data sheet, figures 11 and 12")

RED, SKY = (255, 0, 0), (64, 128, 255)


def first_bytes(tmp_path: Path, colour: tuple[int, int, int], registers: dict[int, int]) -> bytes:
    """The first two pixels of a picture of one colour."""
    path = tmp_path / "one.png"
    Image.new("RGB", (160, 120), colour).save(path)
    (frame,) = open_frames(path)
    sensor = Ov7670()
    for address, value in registers.items():
        sensor.write_register(address, value)
    packed = render(compose(frame), sensor.output, compose_colour(frame))
    return bytes(packed[0, :4].tobytes())


@pytest.mark.parametrize(
    ("colour", "pixel"), [(RED, 0xF800), (SKY, 64 >> 3 << 11 | 128 >> 2 << 5 | 255 >> 3)]
)
def test_rgb565(tmp_path: Path, colour: tuple[int, int, int], pixel: int) -> None:
    registers = {out.COM7: out.COM7_RGB, out.COM15: 0xD0}
    assert first_bytes(tmp_path, colour, registers) == pixel.to_bytes(2, "big") * 2


def test_yuv_of_red(tmp_path: Path) -> None:
    """Y 76, U 85, V 255 (ITU-R BT.601)."""
    y, u, again, v = first_bytes(tmp_path, RED, {out.TSLB: 0x04, out.COM15: 0xC0})
    assert (y, again) == (76, 76)
    assert abs(u - 85) <= 1
    assert abs(v - 255) <= 1


def test_fixed_u_and_v_take_the_place_of_colour(tmp_path: Path) -> None:
    registers = {out.TSLB: 0x04 | out.TSLB_FIXED_UV, out.MANU: 0x70, out.MANV: 0x90}
    assert first_bytes(tmp_path, RED, registers)[1::2] == b"\x70\x90"


def test_a_grey_picture_has_no_colour(tmp_path: Path) -> None:
    Image.fromarray(np.full((120, 160), 9, np.uint8)).save(tmp_path / "grey.png")
    (frame,) = open_frames(tmp_path / "grey.png")
    assert frame.colour is None


def lines_of(pixels: NDArray[np.uint8], registers: dict[int, int]) -> NDArray[np.uint8]:
    """What the sensor clocks out for a picture, [height, bytes a line]."""
    frame = frame_of_pixels("one", pixels)
    sensor = Ov7670()
    for address, value in registers.items():
        sensor.write_register(address, value)
    sensor.clock_in(16_000_000)
    lines = sensor.picture(frame, 33_000_000).lines
    return np.array([list(line or b"") for line in lines], np.uint8)


def test_raw_is_a_bayer_mosaic() -> None:
    """Data sheet, figure 3: B G in the first row, G R in the second."""
    pixels = np.full((480, 640, 3), (10, 20, 30), np.uint8)
    raw = lines_of(pixels, {out.COM7: out.COM7_RAW})
    assert raw.shape == (480, 640)
    assert raw[:2, :2].tolist() == [[30, 20], [20, 10]]
    assert raw[-2:, -2:].tolist() == [[30, 20], [20, 10]]


def test_raw_of_a_grey_picture_is_its_luma() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (480, 640), np.uint8)
    assert np.array_equal(lines_of(grey, {out.COM7: out.COM7_RAW}), grey)


def test_a_vga_picture_reaches_vga_firmware_pixel_for_pixel() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (480, 640), np.uint8)
    yuyv = lines_of(grey, {out.TSLB: 0x04, out.COM15: 0xC0})
    assert np.array_equal(yuyv[:, 0::2], grey)


def test_a_vga_picture_is_averaged_for_qvga_firmware() -> None:
    stripes = np.zeros((480, 640), np.uint8)
    stripes[:, ::2] = 200  # nearest neighbours would give 200, or 0
    registers = {out.COM7: out.COM7_QVGA, out.TSLB: 0x04, out.COM15: 0xC0}
    yuyv = lines_of(stripes, registers)
    assert yuyv.shape == (240, 640)
    assert set(yuyv[:, 0::2].ravel()) == {100}
