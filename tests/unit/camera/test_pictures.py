"""Every kind of picture that people have, and what they look like to the camera."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import compose
from boardless_sim.camera.source import open_frames
from boardless_sim.errors import FrameError

Pixels = NDArray[np.uint8]


def ramp(height: int = 28, width: int = 28) -> Pixels:
    """Dark at the top left, light at the bottom right."""
    y, x = np.indices((height, width))
    return ((y * 2 + x) * 255 // (2 * height + width)).astype(np.uint8)


def only(path: Path, **options: Any) -> Frame:
    (frame,) = open_frames(path, **options)
    return frame


def saved(path: Path, picture: Image.Image, **options: Any) -> Path:
    picture.save(path, **options)
    return path


def far(one: Pixels, other: Pixels) -> int:
    return int(abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif", "pgm", "webp", "jpg"])
def test_every_format_gives_its_pixels(tmp_path: Path, suffix: str) -> None:
    kept: dict[str, dict[str, Any]] = {"webp": {"lossless": True}, "jpg": {"quality": 100}}
    frame = only(saved(tmp_path / f"a.{suffix}", Image.fromarray(ramp()), **kept.get(suffix, {})))
    assert far(frame.luma, ramp()) <= (2 if suffix == "jpg" else 0)


def test_sixteen_bits_by_their_upper_half(tmp_path: Path) -> None:
    wide = ramp().astype(np.uint16) << 8 | 0xFF
    assert far(only(saved(tmp_path / "a.png", Image.fromarray(wide))).luma, ramp()) == 0
    assert far(only(saved(tmp_path / "a.tif", Image.fromarray(wide))).luma, ramp()) == 0
    (tmp_path / "a.pgm").write_bytes(b"P5 28 28 65535\n" + wide.astype(">u2").tobytes())
    assert far(only(tmp_path / "a.pgm").luma, ramp()) == 0


@pytest.mark.parametrize("array", [np.full((28, 28), 0.5, np.float32), np.full((28, 28), 1 << 20)])
def test_pixels_without_a_stated_scale_are_refused(tmp_path: Path, array: NDArray[Any]) -> None:
    picture = Image.fromarray(array if array.dtype == np.float32 else array.astype(np.int32))
    with pytest.raises(FrameError, match="expected 8 or 16 bits of grey"):
        only(saved(tmp_path / "a.tif", picture))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_as_grey_as_the_ground(tmp_path: Path, mode: str) -> None:
    picture = Image.new("RGBA", (28, 28), (255, 255, 255, 0))
    picture.paste((10, 10, 10, 255), (0, 0, 14, 28))
    frame = only(saved(tmp_path / "a.png", picture.convert(mode)))
    assert set(frame.luma[:, :14].ravel()) == {10}
    assert set(frame.luma[:, 14:].ravel()) == {128}
    assert (frame.colour is None) is (mode == "LA")


def test_a_palette_with_a_transparent_entry(tmp_path: Path) -> None:
    picture = Image.new("P", (28, 28), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(1, (14, 0, 28, 28))
    frame = only(saved(tmp_path / "a.png", picture, transparency=1))
    assert frame.colour is not None
    assert frame.colour[0, 0].tolist() == [255, 0, 0]
    assert frame.colour[0, 20].tolist() == [128, 128, 128]


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    """Orientation 6: the first row is the right side (Exif 2.3, tag 0x0112)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = Image.fromarray(ramp()).transpose(Image.Transpose.ROTATE_90)
    frame = only(saved(tmp_path / "a.jpg", lying, exif=exif, quality=100))
    assert far(frame.luma, ramp()) <= 2


def test_cmyk(tmp_path: Path) -> None:
    frame = only(saved(tmp_path / "a.jpg", Image.new("CMYK", (28, 28), (0, 255, 255, 0))))
    assert frame.colour is not None
    red, green, blue = frame.colour[5, 5].tolist()
    assert red > 240
    assert max(green, blue) < 15


def test_an_animation_is_as_many_frames(tmp_path: Path) -> None:
    pages = [Image.new("L", (28, 28), level) for level in (0, 100, 200)]
    path = saved(tmp_path / "a.gif", pages[0], save_all=True, append_images=pages[1:])
    frames = list(open_frames(path))
    assert [(frame.name, int(frame.luma[0, 0])) for frame in frames] == [
        ("a.gif[0]", 0),
        ("a.gif[1]", 100),
        ("a.gif[2]", 200),
    ]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((32, 32), (112, 112)),  # a square stands where a 28x28 does
        ((96, 96), (112, 112)),
        ((500, 500), (448, 448)),
        ((31, 27), (120, 160)),
        ((640, 480), (480, 640)),
        ((1000, 30), (480, 640)),
    ],
)
def test_other_sizes_are_scaled(
    tmp_path: Path, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    frame = only(saved(tmp_path / "a.png", Image.fromarray(ramp(size[1], size[0]))))
    assert frame.luma.shape == expected
    assert frame.luma[0, 0] < 40
    assert frame.luma[-1, -1] > 200


def test_a_square_is_seen_as_its_own_28x28(tmp_path: Path) -> None:
    """56x56 whose 2x2 blocks are the pixels of a 28x28: the middle square shows the same."""
    large = ramp().repeat(2, axis=0).repeat(2, axis=1)
    frame = only(saved(tmp_path / "a.png", Image.fromarray(large)))
    small = compose(frame)[4:116, 24:136].reshape(28, 4, 28, 4).mean(axis=(1, 3))
    assert np.array_equal(small, ramp())


def test_crop_fills_the_field_and_cuts_evenly(tmp_path: Path) -> None:
    wide = np.full((120, 320), 50, np.uint8)
    wide[:, 80:240] = 200
    frame = only(saved(tmp_path / "a.png", Image.fromarray(wide)), fit="crop")
    assert set(compose(frame).ravel()) == {200}


def test_letterbox_shows_everything_between_borders(tmp_path: Path) -> None:
    tall = Image.new("RGB", (60, 120), (255, 0, 0))
    frame = only(saved(tmp_path / "a.png", tall), fit="letterbox")
    assert frame.colour is not None
    assert frame.colour[60, 49].tolist() == [128, 128, 128]
    assert frame.colour[60, 50].tolist() == [255, 0, 0]
    assert frame.colour[60, 109].tolist() == [255, 0, 0]
    assert frame.colour[60, 110].tolist() == [128, 128, 128]


def test_a_fit_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="fit 'zoom', expected one of: scale, crop, letterbox"):
        open_frames("pattern:bars", fit="zoom")


def png_of(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("side", [7_500, 40_000])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(side, side, b"\0" * 1000))
    with pytest.raises(FrameError, match="far too large|expected at most 50,000,000"):
        only(path)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "gif", "webp", "jpg", "ppm"])
def test_a_file_cut_anywhere_is_one_line_or_a_picture(tmp_path: Path, suffix: str) -> None:
    whole = saved(tmp_path / f"whole.{suffix}", Image.fromarray(ramp()).convert("RGB")).read_bytes()
    refused: list[str] = []
    for cut in range(1, len(whole), max(len(whole) // 40, 1)):
        path = tmp_path / f"cut.{suffix}"
        path.write_bytes(whole[:cut])
        try:
            assert only(path).luma.shape == (28, 28)
        except FrameError as error:
            refused.append(str(error))
    assert len(refused) > 20
    assert all("\n" not in message for message in refused)
