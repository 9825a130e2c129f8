"""A video file as a source of frames (extra `video`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from boardless_sim.camera.source import open_frames
from boardless_sim.errors import FrameError, LabelError

av = pytest.importorskip("av", reason="av: pip install 'boardless[video]'")

LEVELS = (20, 120, 220)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Three frames, each of one grey, the first with a red half."""
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "bgr0"
        for level in LEVELS:
            pixels = np.full((240, 320, 3), level, np.uint8)
            if level == LEVELS[0]:
                pixels[:, :160] = (255, 0, 0)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_every_frame_in_colour_and_in_order(video: Path) -> None:
    frames = list(open_frames(video))
    assert [frame.name for frame in frames] == ["clip.mkv[0]", "clip.mkv[1]", "clip.mkv[2]"]
    assert [int(frame.luma[0, -1]) for frame in frames] == list(LEVELS)
    assert frames[0].colour is not None
    assert frames[0].colour[0, 0].tolist() == [255, 0, 0]


def test_a_limit_and_labels(video: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    labels.write_text("5\n6\n")
    assert [frame.label for frame in open_frames(video, labels, limit=2)] == [5, 6]
    with pytest.raises(LabelError, match="found 2 labels, expected one for each frame"):
        list(open_frames(video, labels))
    labels.write_text("5\n6\n7\n8\n")
    with pytest.raises(LabelError, match="found 4 labels, expected 3, one for each frame"):
        list(open_frames(video, labels))


def test_a_damaged_video_is_one_line(video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[:100])
    with pytest.raises(FrameError) as caught:
        list(open_frames(video))
    assert "expected a video" in str(caught.value)
    assert "\n" not in str(caught.value)
