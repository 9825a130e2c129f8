"""Writes docs/reference/faults.md: every fault, and what became of the reference firmware under it.

Usage: tools/faults.py [--check]    --check writes nothing and fails where the page is out of date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from boardless.report.faults import curve_lines, fault_table
from boardless.running.fault_trial import try_board_fault, try_sensor_fault
from boardless.running.session import BoardSetup
from boardless_sim.elf.image import load_image
from boardless_sim.faults.catalog import BOARD_FAULTS, SENSOR_FAULTS

ELF, PAGE = Path("build/firmware/boardless.elf"), Path("docs/reference/faults.md")
CURVES = Path("docs/data/accuracy/optics-fashion-mnist.json")
NOTE = "<!-- Written by tools/faults.py from runs of the firmware. Do not edit. -->"
INTRODUCTION = """# Faults

What can go wrong, by the names that `Break Camera` and `Break Board` take, and what became of the
reference firmware under it: one frame of the sensor spoilt, or the time of more than one wait for a
frame. *Detectable* says whether firmware can tell from what its chip says. Of a fault that it can
tell it makes an error and no class; the next good frame is used at most two frames after the end of
the fault (`tests/firmware/test_faults.py` holds it to that). *Recovered after* counts frames of the
sensor, *class for a bad frame* the results of spoilt ones.
"""


def page() -> str:
    """The page as the firmware that is built makes it."""
    setup, image = BoardSetup(ELF), load_image(ELF)
    sensor = fault_table(try_sensor_fault(name, setup, image) for name in SENSOR_FAULTS)
    board = fault_table(try_board_fault(name, setup, image) for name in BOARD_FAULTS)
    found = json.loads(CURVES.read_text("utf-8"))
    curves = curve_lines(found["severities"], found["accuracy"])
    return f"""{NOTE}
{INTRODUCTION}
## The sensor

{sensor}
## The board

{board}
## Optics

What is before the lens changes pictures and breaks nothing. Accuracy in percent of
{found["frames"]} frames of Fashion-MNIST, over severity (`boardless optics`, seed {found["seed"]}):

{curves}"""


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text("utf-8") == text:
            return 0
        print(f"{PAGE}: out of date, expected what tools/faults.py writes", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
