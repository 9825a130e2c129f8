"""`boardless mcp`: the firmware's board as tools for a coding assistant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH
from boardless_sim.errors import BoardlessError


@click.command("mcp")
@click.option(
    "--root", type=PATH, default=Path(), metavar="DIR",
    help="The project: no path leads out of it.  [default: this folder]",
)  # fmt: skip
def command(root: Path) -> int:
    """Serve the Model Context Protocol over stdin and stdout: run, test, budget, a board to step.

    Needs the extra mcp. No port is opened.
    """
    from boardless.debug.assistant import TOOLS, Assistant

    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError as error:
        raise BoardlessError(
            f"mcp: {error.name} is not installed, expected it: pip install 'boardless[mcp]'"
        ) from None
    if not root.is_dir():
        raise BoardlessError(f"{root}: not found, expected the project's folder")
    with closing(Assistant(root)) as assistant:
        server = MCPServer("boardless", instructions="Firmware on a virtual STM32, step by step.")
        for name in TOOLS:
            server.tool(name)(_said(getattr(assistant, name), ToolError))
        server.run("stdio")
    return ExitCode.PASSED


def _said(tool: Callable[..., str], failure: type[Exception]) -> Callable[..., str]:
    """What is wrong is the tool's answer; an assistant can mend it."""

    @functools.wraps(tool)
    def answer(*arguments: object, **named: object) -> str:
        try:
            return tool(*arguments, **named)
        except (BoardlessError, OSError) as error:
            raise failure(str(error)) from None

    return answer
