"""What this machine has, and the command that installs what it lacks."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from boardless.project.config import FILE_NAME, load_config
from boardless_sim.engines.renode.install import INSTALL as RENODE_INSTALL
from boardless_sim.engines.renode.install import find_renode
from boardless_sim.errors import BoardlessError, EngineError, EngineMissing

DATA_SET = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
OLDEST_PYTHON = (3, 11)
_TOOL_TIMEOUT_S = 10


@dataclass(frozen=True)
class Requirement:
    """One thing that Boardless needs: `found` says which, None that it is missing."""

    name: str
    found: str | None
    needed_for: str
    install: str

    @property
    def ok(self) -> bool:
        """Whether it is there."""
        return self.found is not None


def examine() -> list[Requirement]:
    """Every check, in the order in which a run needs them."""
    pip = f"{sys.executable} -m pip install"
    return [
        Requirement("python", _python(), "run", "apt-get install python3-venv"),
        Requirement("unicorn", _distribution("unicorn"), "run", f"{pip} unicorn==2.1.4"),
        Requirement(
            "C core",
            _c_core(),
            "run",
            f"apt-get install build-essential && {pip} --force-reinstall boardless",
        ),
        Requirement(
            "arm-none-eabi-gcc",
            _tool("arm-none-eabi-gcc"),
            "build",
            "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi",
        ),
        Requirement(
            "qemu-system-arm",
            _tool("qemu-system-arm"),
            "compare",
            "apt-get install qemu-system-arm",
        ),
        Requirement("renode", _renode(), "compare", RENODE_INSTALL),
        Requirement("data set", _data_set(), "demo", "apt-get install dataset-fashion-mnist"),
        Requirement("robot", _distribution("robotframework"), "test", f"{pip} robotframework"),
        Requirement(
            "pabot", _distribution("robotframework-pabot"), "test", f"{pip} robotframework-pabot"
        ),
    ]


def examine_project(folder: Path) -> list[Requirement]:
    """The files that `boardless init` writes, where the folder is a project's."""
    path = folder / FILE_NAME
    if not path.is_file():
        return []
    again = "boardless init ELF"
    suites = sorted((folder / "robot").rglob("*.robot"))
    found, elf = None, None
    try:
        config = load_config(path)
        found, elf = config.board.chip, config.elf
    except BoardlessError as error:
        again = str(error)
    return [
        Requirement(FILE_NAME, found, "run", again),
        Requirement(
            "firmware",
            str(elf) if elf is not None and elf.is_file() else None,
            "project",
            "build it" if elf is not None else "[project] elf",
        ),
        Requirement(
            "suites", f"{len(suites)} in robot" if suites else None, "project", "boardless init ELF"
        ),
    ]


def can_run(checks: list[Requirement]) -> bool:
    """Whether `boardless run` can work here, with the project's file where there is one."""
    return all(check.ok for check in checks if check.needed_for == "run")


def doctor_document(checks: list[Requirement]) -> dict[str, object]:
    """The checks as JSON, schema 1."""
    tools = [{**asdict(check), "ok": check.ok} for check in checks]
    return {"schema": 1, "can_run": can_run(checks), "tools": tools}


def _python() -> str | None:
    return platform.python_version() if sys.version_info >= OLDEST_PYTHON else None


def _distribution(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _c_core() -> str | None:
    try:
        from boardless_sim.engines.native.engine import NativeEngine

        with closing(NativeEngine()) as engine:
            return engine.name
    except (ImportError, OSError, EngineError):
        return None


def _renode() -> str | None:
    try:
        program = find_renode()
    except EngineMissing:
        return None
    version = _first_line([str(program), "--version"])
    return None if version is None else f"{version}, {program}"


def _tool(name: str) -> str | None:
    path = shutil.which(name)
    return None if path is None else _first_line([path, "--version"])


def _first_line(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TOOL_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    first = done.stdout.partition("\n")[0].strip()
    return first if done.returncode == 0 and first else None


def _data_set() -> str | None:
    return str(DATA_SET) if DATA_SET.is_file() else None
