"""Where Renode is on this machine, and the files that make a board of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

from boardless_sim.errors import EngineError, EngineMissing

INSTALL = (
    "pip install git+https://github.com/antmicro/renode-run && "
    "renode-run install --version-override 1.16.1 "
    "https://builds.renode.io/renode-1.16.1.linux-portable-dotnet.tar.gz"
)
_RENODE_RUN = Path(".config/renode/renode-run.json")  # of a home folder; renode-run 0.5
_CHECKOUT = Path(__file__).resolve().parents[3] / "renode"
_INSTALLED = Path(sys.prefix) / "share/boardless/renode"


def find_renode() -> Path:
    """The program: RENODE_PATH, `renode` on PATH, or what `renode-run` installed.

    Raises `EngineMissing` where there is none.
    """
    named = os.environ.get("RENODE_PATH")
    if named:
        path = Path(named)
        path = path / "renode" if path.is_dir() else path
        if not _is_program(path):
            raise EngineMissing(f"engine renode: RENODE_PATH {named!r}, expected an executable")
        return path.resolve()
    if (found := shutil.which("renode")) is not None:
        return Path(found)
    if (installed := _installed_by_renode_run()) is not None:
        return installed
    raise EngineMissing(
        "engine renode: not installed (looked for: RENODE_PATH, renode on PATH, an installation of "
        f"renode-run), install it: {INSTALL}"
    )


def _installed_by_renode_run() -> Path | None:
    """Its default. The file is read: `renode-run` itself would download where nothing is."""
    try:
        defaults = json.loads((Path.home() / _RENODE_RUN).read_text("utf-8"))["default"]
        programs = [Path(folder) / "renode" for folder in defaults.values()]
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return next(filter(_is_program, programs), None)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def board_files() -> Path:
    """The folder of setup.resc: of the checkout, or where the wheel put it."""
    for place in (_CHECKOUT, _INSTALLED):
        if (place / "setup.resc").is_file():
            return place
    raise EngineError(f"engine renode: {_INSTALLED}: no setup.resc, expected the board for Renode")
