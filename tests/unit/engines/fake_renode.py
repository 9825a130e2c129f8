"""A Renode that is none: a script with the manners of its Monitor, good or bad."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

_PROGRAM = """#!{python}
import os, signal, subprocess, sys

HOW, CHILD = {how!r}, {child!r}
if CHILD:
    open(CHILD, "w").write(str(subprocess.Popen(["sleep", "600"]).pid))
if HOW == "dies":
    sys.exit("Fatal error: no runtime")
if HOW == "silent":
    signal.pause()
if HOW == "floods":
    while True:
        os.write(1, b"#" * 65536)
if HOW == "garbage":
    os.write(1, bytes(range(128, 256)) * 9)
    sys.exit(0)
os.write(1, b"Renode, ver")
os.write(1, b"sion {version} (0123abcd-202601010000)\\r\\n\\r(monitor) ")
shown = time_ns = 0
for line in sys.stdin:
    os.write(1, b"\\r(board) " + line.encode())  # the Monitor repeats what it was told
    words = line.split()
    if words[:1] == ["quit"]:
        break
    if words[:1] == ["logFile"] and HOW == "aborts":
        with open(words[1][1:], "w") as log:
            log.write("05:23:43.7036 [ERROR] cpu: CPU abort [PC=0x40000000]: no code\\n")
    if words[:1] != ["bench"]:
        continue
    call, number = words[1], words[2]
    if HOW in ("hangs at " + call, "aborts" * (call == "Run")):
        signal.pause()
    if HOW == "dies at " + call:
        sys.exit(3)
    if HOW == "refuses " + call:
        print(f"\\nbench {{number}} error Recoverable: no memory at 0x30000000", flush=True)
        continue
    shown += call == "Show"
    time_ns += int(words[3]) * 1000 if call == "Run" and HOW != "stands still" else 0
    seen = "-1,2,1200" if HOW != "babbles" else "many"
    answer = {{
        "Begin": "",
        "Show": " frame=0",
        "Run": f" time={{time_ns}}" + " captured=0,1,900" * bool(shown) + f" captured={{seen}}"
        " line=USART2,1500,6d2d206869 line=USART2,2500,722d",
        "Read": " bytes=00ff",
        "Register": " value=3",
        "Send": "",
        "Break": "",
    }}[call]
    print(f"\\nbench {{number}} ok{{answer}}\\r", flush=True)
"""


def write(
    folder: Path, how: str = "answers", version: str = "1.16.1", child: Path | None = None
) -> Path:
    """The program; `child` names a file for the process id of a process that it starts."""
    path = folder / "renode"
    text = _PROGRAM.format(python=sys.executable, how=how, version=version, child=str(child or ""))
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
