"""Where Renode is on this machine, and the files that make a board of it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from boardless_sim.errors import EngineError, EngineMissing

INSTALL = "pip install git+https://github.com/antmicro/renode-run && renode-run download 1.16.1"
_CHECKOUT = Path(__file__).resolve().parents[2] / "renode"
_INSTALLED = Path(sys.prefix) / "share/boardless/renode"


def find_renode() -> list[str]:
    """The command that starts Renode: RENODE_PATH, `renode`, or what `renode-run` downloaded.

    Raises `EngineMissing` where there is none.
    """
    named = os.environ.get("RENODE_PATH")
    if named:
        path = Path(named)
        path = path / "renode" if path.is_dir() else path
        if not os.access(path, os.X_OK) or not path.is_file():
            raise EngineMissing(f"engine renode: RENODE_PATH {named!r}, expected an executable")
        return [str(path.resolve())]
    if (found := shutil.which("renode")) is not None:
        return [found]
    if (found := shutil.which("renode-run")) is not None:
        return [found, "exec", "--"]
    raise EngineMissing(
        "engine renode: not installed (RENODE_PATH, renode and renode-run looked for), "
        f"install it: {INSTALL}"
    )


def board_files() -> Path:
    """The folder of setup.resc: of the checkout, or where the wheel put it."""
    for place in (_CHECKOUT, _INSTALLED):
        if (place / "setup.resc").is_file():
            return place
    raise EngineError(f"engine renode: {_INSTALLED}: no setup.resc, expected the board for Renode")
