"""The first files of a project: what `boardless init` writes, as texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SUITE = Path("robot/first.robot")
WORKFLOW = Path(".github/workflows/boardless.yml")
LAUNCH, TASKS = Path(".vscode/launch.json"), Path(".vscode/tasks.json")
_PORT = 3333


@dataclass(frozen=True)
class Starter:
    """What is known of the project. `values`: by "table.key", with the reason of each."""

    elf: str
    values: Mapping[str, tuple[str, str]]
    port: str | None
    baud: int | None
    first_line: str
    has_camera: bool
    has_results: bool


def starter_files(starter: Starter) -> dict[Path, str]:
    """Every file by its place below the project's folder."""
    return {
        Path("boardless.toml"): _toml(starter),
        SUITE: _suite(starter),
        WORKFLOW: _workflow(starter),
        LAUNCH: _launch(starter),
        TASKS: _tasks(starter),
    }


def _toml(starter: Starter) -> str:
    asked = 'frames = "pattern:bars"' if starter.has_results else 'for = "500ms"'
    lines = ["[project]", f'elf = "{starter.elf}"', f"{asked}  # what `boardless run` does"]
    table = ""
    for name, (value, basis) in starter.values.items():
        this, _, key = name.partition(".")
        if this != table:
            lines += ["", f"[{this}]"]
            table = this
        lines.append(f'{key} = "{value}"  # {basis}')
    if starter.has_camera:
        lines += ['# powerdown = "PG9"  # the pins on PWDN and RESET#', '# reset = "PA7"']
    if starter.port is not None:
        lines += ["", "[console]", f'port = "{starter.port}"  # the first that said something']
        if starter.baud:
            lines.append(f"baud = {starter.baud}  # by its BRR")
        if starter.has_camera and not starter.has_results:
            lines.append("# result = 'class: (?P<class>\\w+) \\((?P<score>\\d+)%\\)'")
    return "\n".join(lines) + "\n"


def _suite(starter: Starter) -> str:
    steps = ["    Power On Board    ${FIRMWARE}"]
    if starter.has_results:
        steps += ["    Show Frame    pattern:bars", "    Run Until Result    limit=1 s"]
    elif starter.first_line:
        line = starter.first_line.replace("\\", "\\\\").replace("${", "\\${")
        steps += ["    Run For    500 ms", f"    Uart Should Contain    {line}"]
    else:
        steps += ["    Run For    500 ms", "    Stop Reason Should Be    limit"]
    return "\n".join(
        [
            "*** Settings ***",
            "Library             Boardless",
            "",
            "Test Teardown       Power Off Board",
            "",
            "",
            "*** Variables ***",
            f"${{FIRMWARE}}         {starter.elf}",
            "",
            "",
            "*** Test Cases ***",
            "It Starts",
            *steps,
            "    Board Should Not Have Faulted",
            "",
        ]
    )


def _workflow(starter: Starter) -> str:
    return f"""name: boardless
on: [push, pull_request]
jobs:
  board:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install boardless
      # Build {starter.elf} here, as you do it yourself.
      - run: boardless test {SUITE.parent.as_posix()} --elf {starter.elf}
"""


def _launch(starter: Starter) -> str:
    configuration = {
        "name": "boardless",
        "type": "cppdbg",
        "request": "launch",
        "program": f"${{workspaceFolder}}/{starter.elf}",
        "cwd": "${workspaceFolder}",
        "MIMode": "gdb",
        "miDebuggerPath": "gdb-multiarch",
        "miDebuggerServerAddress": f"127.0.0.1:{_PORT}",
        "stopAtConnect": True,
        "preLaunchTask": "boardless debug",
    }
    return _json({"version": "0.2.0", "configurations": [configuration]})


def _tasks(starter: Starter) -> str:
    task = {
        "label": "boardless debug",
        "type": "process",
        "command": "boardless",
        "args": ["debug", starter.elf, "--port", str(_PORT)],
        "isBackground": True,
        "problemMatcher": {
            "pattern": {"regexp": "^$"},
            "background": {"activeOnStart": True, "beginsPattern": ".", "endsPattern": "127.0.0.1"},
        },
    }
    return _json({"version": "2.0.0", "tasks": [task]})


def _json(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2) + "\n"
