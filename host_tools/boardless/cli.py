"""The command line: finds the commands, and catches what they raise.

A command is a module of `boardless.commands` with a public `command`; it is imported when it is
asked for, and its heavy imports stand inside the functions that need them: a run's first result
must not wait for a table that comes last.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules

import click

from boardless import commands
from boardless.commands.exit_codes import ExitCode
from boardless_sim.errors import AnalyserError, BoardlessError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. The only place that catches `BoardlessError`."""
    try:
        code = cli.main(args=arguments, prog_name="boardless", standalone_mode=False)
    except BoardlessError as error:
        click.echo(f"boardless: {error}", err=True)
        return ExitCode.PROVEN_WRONG if isinstance(error, AnalyserError) else ExitCode.NOT_RUN
    except click.ClickException as error:
        error.show()
        return ExitCode.NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("boardless: interrupted", err=True)
        return ExitCode.INTERRUPTED
    return int(code or ExitCode.PASSED)


class Commands(click.Group):
    """The modules of `boardless.commands`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = sorted(module.name for module in iter_modules(commands.__path__))
        return [name for name in names if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in {module.name for module in iter_modules(commands.__path__)}:
            return None
        command = getattr(import_module(f"{commands.__name__}.{cmd_name}"), "command", None)
        return command if isinstance(command, click.Command) else None


def _print_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("boardless")
    except PackageNotFoundError:
        found = "(not installed)"
    click.echo(f"boardless {found}")
    context.exit(ExitCode.PASSED)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Test STM32 camera firmware without the board.

    Exit codes: 0 passed, 1 a check failed, 2 the run could not be made, 3 our own measurement is
    proven wrong.
    """


if __name__ == "__main__":
    sys.exit(main())
