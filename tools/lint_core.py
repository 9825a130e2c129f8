"""Holds the C core to its layout, and compiles it with every warning an error."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import unicorn

CORE = Path("sim/boardless_sim/core")
FLAGS = "-std=c11 -O2 -Wall -Wextra -Werror -Wshadow -Wundef -Wmissing-prototypes -fsyntax-only"


def main() -> int:
    """The compiler's exit code."""
    headers = Path(unicorn.__file__).parent / "include"
    sources = sorted(str(source) for source in CORE.glob("*.c"))
    if not sources:
        print(f"{CORE}: no *.c, expected the C core")
        return 1
    compiler = shlex.split(os.environ.get("CC", "cc"))
    command = [*compiler, *FLAGS.split(), f"-I{headers}", f"-I{CORE}", *sources]
    laid_out = ["clang-format", "--dry-run", "-Werror", *sources, *map(str, CORE.glob("*.h"))]
    codes = [subprocess.run(line, check=False).returncode for line in (laid_out, command)]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
