"""The frames of a video file, one after the other (PyAV, the extra `video`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from boardless_sim.camera.fit import frame_of_pixels
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.picture import MOST_PIXELS
from boardless_sim.errors import FrameError
from boardless_sim.files import require_regular

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ogv", ".mjpeg"}
)
_MOST_THREADS = 1  # the same frames in the same order, on any machine


def read_video(path: Path, fit: str) -> Iterator[Frame]:
    """Every frame of the first video stream, in colour. Raises `FrameError` where it breaks."""
    require_regular(path, "a video", FrameError)
    av = _av(path)
    count = 0
    try:
        # The name as a file: a path that reads as a URL is no stream to be opened.
        with av.open(f"file:{path}") as container:
            if not container.streams.video:
                raise FrameError(f"{path}: found no video in it, expected some")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = _MOST_THREADS
            _require_size(path, stream.codec_context.width, stream.codec_context.height)
            for picture in container.decode(stream):
                _require_size(path, picture.width, picture.height)
                pixels = picture.to_ndarray(format="rgb24")
                yield frame_of_pixels(f"{path.name}[{count}]", pixels, fit)
                count += 1
    except (OSError, ValueError, RuntimeError) as error:  # av's own derive from these
        damage = str(error).splitlines()[0][:120]
        raise FrameError(f"{path}: {damage} after {count} frames, expected a video") from error
    if not count:
        raise FrameError(f"{path}: found no frame, expected a video")


def _require_size(path: Path, width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        expected = f"expected at most {MOST_PIXELS:,}"
        raise FrameError(f"{path}: found frames of {width}x{height} pixels, {expected}")


def _av(path: Path) -> Any:
    try:
        import av
    except ImportError as error:
        raise FrameError(f"{path}: a video needs av: pip install 'boardless[video]'") from error
    return av
