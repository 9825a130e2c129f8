"""Keywords around the lens: what the camera sees, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from boardless.suites.keywords.area import Area, board_keyword
from boardless.suites.keywords.arguments import in_range
from boardless_sim.camera.fit import DEFAULT_FIT
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.source import open_frames
from boardless_sim.camera.tensor import open_tensors
from boardless_sim.errors import FrameError
from boardless_sim.faults.sensor import (
    DeadSensor,
    DroppedLine,
    SccbNack,
    TruncatedFrame,
    WrongPid,
)

_ROWS = 4096  # more than any sensor's
_MOST_FRAMES = 1 << 32


class CameraKeywords(Area):
    """Show frames; break and repair the sensor."""

    def __init__(self) -> None:
        super().__init__()
        self._frames = _FrameCache()

    @board_keyword
    def show_frame(
        self, source: str, index: int = 0, label: int | None = None, fit: str = DEFAULT_FIT
    ) -> str:
        """Queues a frame of ``source`` for the lens; returns its name.

        ``source`` is a picture, an NPY, NPZ or IDX(.gz) file, a video, a folder, or
        ``pattern:NAME``; ``index`` chooses one of several frames. The last frame stays in view.
        ``label`` is its true class; a folder for each class says it too. ``fit`` places a picture
        of another size: ``scale``, ``crop`` or ``letterbox``.

        | Show Frame | shoes/sneaker.png |
        | Show Frame | t10k-images-idx3-ubyte.gz | 12 |
        | Show Frame | pattern:bars |
        | Show Frame | photos/ | 3 | fit=crop |
        """
        frame = self._frames.frame(source, index, fit)
        if label is not None:
            frame = replace(frame, label=label)
        self.rig.show(frame)
        return frame.name

    @board_keyword
    def show_tensor(self, source: Path, index: int = 0) -> str:
        """Queues an input that is no picture for a firmware with a mailbox; returns its name.

        ``source`` is an NPY file of int8 (the input's values) or uint8 (those plus 128), an input
        in each row; ``index`` chooses one.

        | Show Tensor | machine.npy | 3 |
        """
        if index < 0:
            raise AssertionError(f"index {index}, expected 0 or more")
        found = next(islice(open_tensors(source), index, None), None)
        if found is None:
            raise AssertionError(f"{source}: no tensor {index}")
        self.rig.show(found)
        return found.name

    @board_keyword
    def stop_camera_clock(self) -> None:
        """The sensor stops driving its pins; it still answers on its control bus.

        | Stop Camera Clock |
        """
        self.rig.break_camera(DeadSensor())

    @board_keyword
    def disconnect_camera_control(self) -> None:
        """The sensor no longer acknowledges on its control bus (SCCB).

        | Disconnect Camera Control |
        """
        self.rig.break_camera(SccbNack())

    @board_keyword
    def fit_wrong_camera(self, pid: int) -> None:
        """The sensor's product number reads ``pid``.

        | Fit Wrong Camera | 0x77 |
        """
        self.rig.break_camera(WrongPid(in_range("pid", pid, 0, 0xFF)))

    @board_keyword
    def drop_camera_line(self, row: int, frame: int | None = None) -> None:
        """One line is missing, in the sensor's frame of that number or in every frame.

        | Drop Camera Line | 60 |
        | Drop Camera Line | 60 | frame=3 |
        """
        self.rig.break_camera(DroppedLine(in_range("row", row, 0, _ROWS - 1), _frame(frame)))

    @board_keyword
    def cut_camera_frame(self, rows: int, frame: int | None = None) -> None:
        """The frame ends after ``rows`` lines, in the frame of that number or in every frame.

        | Cut Camera Frame | 60 |
        """
        self.rig.break_camera(TruncatedFrame(in_range("rows", rows, 0, _ROWS), _frame(frame)))

    @board_keyword
    def repair_camera(self) -> None:
        """Takes every camera fault away.

        | Repair Camera |
        """
        self.rig.repair_camera()


def _frame(number: int | None) -> int | None:
    return None if number is None else in_range("frame", number, 0, _MOST_FRAMES)


class _FrameCache:
    """Frames by index, each source read once and only as far as needed."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], tuple[Iterator[Frame], list[Frame]]] = {}

    def frame(self, source: str, index: int, fit: str) -> Frame:
        """The frame of that index. Raises `FrameError` where the source ends before."""
        if index < 0:
            raise FrameError(f"{source}: found index {index}, expected 0 or more")
        key = (source, fit)
        if key not in self._open:
            self._open[key] = (open_frames(source, fit=fit), [])
        rest, read = self._open[key]
        read.extend(islice(rest, max(index + 1 - len(read), 0)))
        if index >= len(read):
            raise FrameError(
                f"{source}: found {len(read)} frames, expected more than index {index}"
            )
        return read[index]
