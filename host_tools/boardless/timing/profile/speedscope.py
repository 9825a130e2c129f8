"""Call stacks as a flame graph: the file format of speedscope (speedscope.app).

Its published schema is https://www.speedscope.app/file-format-schema.json; a "sampled" profile is a
list of stacks, each a list of frame numbers with the outermost first, and a weight for each stack.
"""

from __future__ import annotations

from boardless.timing.profile.recording import Profile

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def speedscope_document(profile: Profile) -> dict[str, object]:
    """One profile, stacks merged, weighed in microseconds of virtual time."""
    names = sorted({name for stack in profile.stacks for name in stack})
    number = {name: index for index, name in enumerate(names)}
    weights = [cycles * 1e6 / profile.hz for cycles in profile.stacks.values()]
    return {
        "$schema": SCHEMA,
        "name": profile.elf.name,
        "exporter": "boardless profile",
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": name} for name in names]},
        "profiles": [
            {
                "type": "sampled",
                "name": f"{profile.elf.name}, {profile.timing_basis}",
                "unit": "microseconds",
                "startValue": 0,
                "endValue": profile.cycles * 1e6 / profile.hz,
                "samples": [[number[name] for name in stack] for stack in profile.stacks],
                "weights": weights,
            }
        ],
    }
