"""A profile in the format of Callgrind, for KCachegrind (its manual, "Callgrind Format").

Cycles of a function's own stand at its source lines; what it called stands at line 0, as a sample
of the call stack does not know the line of the call. Counts of calls are counts of samples. An
exception's handler is called by nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from boardless.timing.profile.recording import Profile
from boardless.timing.profile.sampling import ASLEEP, SourceLine, Stack

_UNKNOWN = "???"  # KCachegrind's own name for it


def callgrind(profile: Profile) -> Iterator[str]:
    """Its lines."""
    yield "# callgrind format\nversion: 1\ncreator: boardless profile\n"
    yield f"cmd: {profile.elf.name}\ndesc: Timing: {profile.timing_basis}\n"
    yield "positions: line\nevents: Cycles\n"
    yield f"summary: {profile.cycles}\n"
    lines, calls = _own_lines(profile), _calls(profile.stacks)
    files = profile.files
    for name in sorted({*lines, *calls}):
        home = files.get(name, _UNKNOWN)
        yield f"\nfl={home}\nfn={name}\n"
        for at, cycles in sorted(lines.get(name, {}).items()):
            if at.file != home:  # of a function that was inlined
                yield f"fi={at.file}\n{at.line} {cycles}\nfe={home}\n"
            else:
                yield f"{at.line} {cycles}\n"
        for callee, cycles in sorted(calls.get(name, {}).items()):
            samples = max(cycles // profile.every_cycles, 1)
            yield f"cfi={files.get(callee, _UNKNOWN)}\ncfn={callee}\n"
            yield f"calls={samples} 0\n0 {cycles}\n"


def _own_lines(profile: Profile) -> dict[str, dict[SourceLine, int]]:
    """Cycles of each function's own by line; those asleep are a function of their own."""
    found: dict[str, dict[SourceLine, int]] = defaultdict(dict)
    for at, cycles in profile.lines.items():
        found[at.function][at] = found[at.function].get(at, 0) + cycles
    asleep = sum(cycles for stack, cycles in profile.stacks.items() if stack[-1] == ASLEEP)
    if asleep:
        found[ASLEEP][SourceLine(ASLEEP, _UNKNOWN, 0)] = asleep
    return found


def _calls(stacks: Mapping[Stack, int]) -> dict[str, Counter[str]]:
    """Cycles of what each function called, once for a stack however deep it recurses."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for stack, cycles in stacks.items():
        for caller, callee in {*pairwise(stack)}:
            if caller != callee:
                found[caller][callee] += cycles
    return found
