"""Writes the clip of `make demo-device`: one object that enters, turns, jumps, stands and leaves.

Usage: tools/demo_clip.py FILE.mp4
"""

from __future__ import annotations

import sys
from pathlib import Path

from boardless.gateway.clip import RATE, make_clip
from boardless.gateway.event import EventKind
from boardless.gateway.video import write_video

_MOST_SEEDS = 1000


def main() -> None:
    """The first clip in which everything happens."""
    for seed in range(_MOST_SEEDS):
        clip = make_clip(seed)
        if {label.kind for label in clip.labels} == set(EventKind):
            write_video(Path(sys.argv[1]), clip.pictures, RATE)
            return
    raise SystemExit("no clip has every kind of event")


if __name__ == "__main__":
    main()
