"""Pictures with their times: from a video file, a folder, a camera or a stream (PyAV)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from boardless.gateway.blob import HEIGHT, WIDTH, Picture
from boardless_sim.errors import BoardlessError, FrameError

_CAMERA = "/dev/video"
_PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".pgm"}
_FOLDER_RATE = 30.0


def open_video(source: str) -> Iterator[tuple[float, Picture]]:
    """Grey pictures of 160×120. Raises `FrameError` where it breaks, with the time reached."""
    if Path(source).is_dir():
        return _folder(Path(source))
    return _decoded(source)


def is_live(source: str) -> bool:
    """Whether it goes on by itself: a camera or a stream."""
    return source.startswith(_CAMERA) or "://" in source


def _folder(path: Path) -> Iterator[tuple[float, Picture]]:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _PICTURES)
    if not files:
        raise FrameError(f"{path}: no picture, expected frames as {', '.join(sorted(_PICTURES))}")
    for number, file in enumerate(files):
        try:
            with Image.open(file) as picture:
                grey = picture.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        except (OSError, UnidentifiedImageError) as error:
            raise FrameError(f"{file}: {error}, expected a picture") from error
        yield number / _FOLDER_RATE, np.asarray(grey, np.uint8)


def _decoded(source: str) -> Iterator[tuple[float, Picture]]:
    av = _av()
    now_s, count = 0.0, 0
    try:
        camera = {"format": "v4l2"} if source.startswith(_CAMERA) else {}
        with av.open(source, **camera) as container:
            if not container.streams.video:
                raise FrameError(f"{source}: no video in it, expected some")
            for frame in container.decode(video=0):
                now_s = float(frame.time if frame.time is not None else count / _FOLDER_RATE)
                count += 1
                small = frame.reformat(WIDTH, HEIGHT, format="gray")
                yield now_s, np.ascontiguousarray(small.to_ndarray(), np.uint8)
    except (OSError, ValueError) as error:  # InvalidDataError is a ValueError
        raise FrameError(f"{source}: {error} after {now_s:.2f} s, expected a video") from error
    if not count:
        raise FrameError(f"{source}: no frame, expected a video")


def write_video(path: Path, pictures: Iterable[Picture], rate: int) -> None:
    """An MP4 of grey pictures, four times as large as they are worked on."""
    av = _av()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 4 * WIDTH, 4 * HEIGHT, "yuv420p"
        stream.bit_rate = 4_000_000
        for picture in pictures:
            large = np.kron(picture, np.ones((4, 4), np.uint8))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(large, format="gray")))
        container.mux(stream.encode(None))


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise BoardlessError("needs av: pip install 'boardless[gateway]'") from error
    return av
