"""What a failed test leaves beside its evidence: its firmware, and a script that runs it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from boardless_sim.files import write_file, write_text

ELF_FILE, REPLAY_FILE = REPLAY_FILES = ("firmware.elf", "replay.sh")


@dataclass(frozen=True)
class Replay:
    """A test that failed.

    `suite` as seen from `checkout`, where the run was started. `is_given`: the run was told which
    ELF, and so can be the replay; another one is named by the suite itself. `digest`: what its
    boards said, empty for an engine that is not the same twice.
    """

    suite: Path
    test: str
    checkout: Path
    elf: bytes
    is_given: bool
    engine: str
    digest: str


def save_replay(replay: Replay, folder: Path) -> None:
    """Both files, into a folder that is there."""
    write_file(folder / ELF_FILE, replay.elf)
    write_text(folder / REPLAY_FILE, replay_script(replay))
    (folder / REPLAY_FILE).chmod(0o755)


def clear_replay(folder: Path) -> None:
    """Remove what an earlier run saved there."""
    for name in REPLAY_FILES:
        (folder / name).unlink(missing_ok=True)


def replay_script(replay: Replay) -> str:
    """The script: exit 1 where the test fails again, as `boardless test` does."""
    options = ["--test", quote(replay.test), "--engine", quote(replay.engine)]
    if replay.is_given:
        options += ["--elf", f'"$here/{ELF_FILE}"']
    return f"""#!/bin/sh
# Runs the failed test again: replay.sh [CHECKOUT] [FOLDER FOR ITS REPORT]
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
out=${{2:-$here/replay}}
checkout={quote(str(replay.checkout))}
cd "${{1:-$checkout}}" || exit 2
boardless test {quote(replay.suite.as_posix())} {" ".join(options)} --out "$out"
status=$?
[ "$status" -eq 1 ] || exit "$status"
digest={quote(replay.digest)}
if [ -n "$digest" ] && grep -q "\\"digest\\": \\"$digest\\"" "$out"/fingerprints.jsonl; then
    echo "the boards said the same, to the cycle"
else
    echo "it failed again, and its boards did not say the same"
fi
exit 1
"""
