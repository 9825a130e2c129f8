"""Virtual time: the same on every run, and the same whether polling is executed or skipped."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.firmware.conftest import REPO, Runner

PROGRAMS = [
    ("selftest", "t- done"),
    ("periph_test", "t- done"),
    ("poll", "t- done"),
    ("boardless", "r- frame=3"),
]


@pytest.mark.parametrize(("name", "last"), PROGRAMS)
def test_fast_forward_changes_nothing(run_program: Runner, name: str, last: str) -> None:
    skipped = run_program(name, last)
    executed = run_program(name, last, fast_forward=False)
    assert skipped.lines == executed.lines
    assert skipped.times_us == executed.times_us
    assert (skipped.cycles, skipped.instructions) == (executed.cycles, executed.instructions)
    assert executed.skipped_cycles == 0


def test_polling_is_really_skipped(run_program: Runner) -> None:
    transcript = run_program("poll", "t- done")
    assert transcript.skipped_cycles > transcript.cycles * 0.5


_PROGRAM = """
import json, sys
from pathlib import Path
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.elf.image import load_image
engine = NativeEngine()
engine.load(load_image(Path(sys.argv[1])))
engine.run(1e6, lambda line: line.text.startswith("r- frame=2"))
lines = [(line.text, line.time_us) for line in engine.uart_lines()]
print(json.dumps([lines, engine.machine.cpu.shared.cycles]))
"""


def _in_a_process_of_its_own(elf: Path, seed: str) -> object:
    finished = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(elf)],
        check=True,
        capture_output=True,
        timeout=120,
        env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPO / "sim")},
    )
    return json.loads(finished.stdout)


def test_every_process_gives_the_same_bytes_at_the_same_time() -> None:
    elf = REPO / "build" / "firmware" / "boardless.elf"
    first, *others = (_in_a_process_of_its_own(elf, seed) for seed in ("0", "1", "407"))
    assert others == [first, first]


def test_a_second_image_in_the_same_engine_starts_from_nothing(run_program: Runner) -> None:
    assert run_program("boardless", "r- frame=1") == run_program("boardless", "r- frame=1")
