"""A hundred thousand frames on one board: memory stays flat, the speed stays, time is exact.

Writes build/soak.json. Speed is a ratio of this process's CPU time between blocks of frames, so
that other work on the machine counts little. Exit code 1 where a figure is not met.
"""

from __future__ import annotations

import argparse
import gc
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from boardless.report.document import write_json
from boardless.running.frame_stream import FrameResult, FrameStream
from boardless.running.session import BoardSetup
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import StopReason

ELF = Path("build/firmware/boardless.elf")
OUTPUT = Path("build/soak.json")
FRAMES, BLOCK, PICTURES = 100_000, 1_000, 50
FAR = 1_000_000
_PAGE = resource.getpagesize()
# After the first blocks only what grows for ever grows: caches are full by then.
_SETTLED = 5
MOST_GROWTH, MOST_SLOWER = 1 << 20, 1.05
# The time of a capture is known to a cycle of the core.
MOST_UNEVEN_US = 0.02


@dataclass(frozen=True)
class Block:
    """What was measured after so many frames."""

    frames: int
    cpu_s: float
    resident_bytes: int
    clocked: int  # frames that the sensor clocked out
    virtual_us: float  # when the last of them was captured


@dataclass(frozen=True)
class Soak:
    """The whole run, and what it says of a longer one."""

    frames: int
    stop_reason: str
    bytes_a_frame: float
    growth_bytes: int
    growth_bytes_of_a_million: float
    slower: float
    uneven_us: float
    wrong: int
    blocks: tuple[Block, ...]

    @property
    def complaints(self) -> list[str]:
        """What is not met."""
        found = []
        if self.stop_reason != StopReason.RESULT.value:
            found.append(f"ended by {self.stop_reason}, expected a result for each frame")
        if self.growth_bytes > MOST_GROWTH:
            found.append(f"memory grew by {self.growth_bytes:,} bytes, expected {MOST_GROWTH:,}")
        if self.slower > MOST_SLOWER:
            found.append(f"{self.slower:.3f} times the CPU of the first thousand")
        if self.uneven_us > MOST_UNEVEN_US:
            found.append(f"a thousand frames were {self.uneven_us:.3f} us off the first thousand")
        if self.wrong:
            found.append(f"{self.wrong} results differ from the picture's first one")
        return found


def main() -> int:
    """Exit code 0 where every figure is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=FRAMES)
    frames = parser.parse_args().frames
    if frames < 2 * _SETTLED * BLOCK:
        parser.error(f"--frames {frames}, expected {2 * _SETTLED * BLOCK} or more")
    soak = measured(frames)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    write_json(OUTPUT, asdict(soak))
    sys.stdout.write(
        f"{soak.frames:,} frames: memory {soak.growth_bytes:+,} bytes after the first "
        f"{_SETTLED * BLOCK:,} ({soak.bytes_a_frame:+.2f} a frame; extrapolated to {FAR:,} frames "
        f"{soak.growth_bytes_of_a_million / 2**20:+.1f} MiB), CPU {soak.slower:.3f} times the "
        f"first thousand's, virtual time {soak.uneven_us:.6f} us uneven a thousand\n"
    )
    for complaint in soak.complaints:
        sys.stdout.write(f"FAILED  {complaint}\n")
    return int(bool(soak.complaints))


def measured(frames: int) -> Soak:
    """Show that many frames to one board."""
    blocks: list[Block] = []
    watch = _Watch()
    with closing(BoardSetup(ELF).power_on()) as engine:
        stream = FrameStream(engine, _pictures(frames), 1e6, forgets=True)
        count, before_s = 0, time.process_time()
        for count, result in enumerate(stream, start=1):
            watch.see(result)
            if count % BLOCK == 0:
                gc.collect()
                now_s = time.process_time()
                blocks.append(_block(count, now_s - before_s, result))
                before_s = time.process_time()
    return _judged(count, stream.reason, watch, blocks)


def _judged(count: int, reason: StopReason, watch: _Watch, blocks: list[Block]) -> Soak:
    settled = blocks[_SETTLED - 1 :]
    growth = settled[-1].resident_bytes - settled[0].resident_bytes
    places = [block.frames for block in settled]
    slope = float(np.polyfit(places, [block.resident_bytes for block in settled], 1)[0])
    # The median block of the last tenth: one is the noise of whatever else runs.
    late = sorted(block.cpu_s for block in blocks[-max(len(blocks) // 10, 3) :])
    return Soak(
        frames=count,
        stop_reason=reason.value,
        bytes_a_frame=slope,
        growth_bytes=growth,
        growth_bytes_of_a_million=slope * FAR,
        slower=late[len(late) // 2] / blocks[0].cpu_s,
        uneven_us=_uneven_us(blocks),
        wrong=watch.wrong,
        blocks=tuple(blocks),
    )


class _Watch:
    """Every picture has the same answer each time; when and as which frame it was captured."""

    def __init__(self) -> None:
        self.wrong = 0
        self._answers: dict[str, tuple[int | None, float | None]] = {}

    def see(self, result: FrameResult) -> None:
        """The next one."""
        answer = result.class_index, result.score
        self.wrong += self._answers.setdefault(result.name, answer) != answer


def _uneven_us(blocks: list[Block]) -> float:
    """How far any block's virtual time is off the first whole one's, frame by sensor frame."""
    periods = [
        (after.virtual_us - before.virtual_us) / (after.clocked - before.clocked)
        for before, after in pairwise(blocks)
    ]
    return max(abs(period - periods[0]) for period in periods) * BLOCK


def _pictures(frames: int) -> Iterator[Frame]:
    pixels = np.random.default_rng(1).integers(0, 256, (PICTURES, 28, 28), dtype=np.uint8)
    for number in range(frames):
        which = number % PICTURES
        yield Frame(f"noise {which}", pixels[which])


def _block(count: int, cpu_s: float, last: FrameResult) -> Block:
    assert last.capture is not None
    return Block(count, cpu_s, _resident(), last.capture.number, last.capture.time_us)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE


if __name__ == "__main__":
    sys.exit(main())
