"""The command line: finds the commands, and catches what they raise.

A command is a module of `boardless.commands` with a public `command`; it is imported when it is
asked for, and its heavy imports stand inside the functions that need them: a run's first result
must not wait for a table that comes last.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Sequence
from importlib import import_module
from pkgutil import iter_modules
from types import FrameType
from typing import NoReturn

import click

from boardless import commands
from boardless.commands.exit_codes import ExitCode
from boardless.terminal import use_lasting_streams
from boardless_sim.errors import AnalyserError, BoardlessError
from boardless_sim.files import guarded_inputs, is_refusal, refusal
from boardless_sim.visible import one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. The only place that catches `BoardlessError`."""
    use_lasting_streams()
    # numpy starts a thread a core when it loads, for products of matrices that no command makes
    # large; starting them costs more than a frame.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What modules and a board are made of lasts: to look through it for garbage at every 700 new
    # objects, as Python does by itself, finds none.
    gc.set_threshold(20_000)
    try:
        with _ended_by_signals(), guarded_inputs():
            code = cli.main(args=arguments, prog_name="boardless", standalone_mode=False)
    except BoardlessError as error:
        click.echo(f"boardless: {one_line(str(error))}", err=True)
        return ExitCode.PROVEN_WRONG if isinstance(error, AnalyserError) else ExitCode.NOT_RUN
    except click.ClickException as error:
        _show(error)
        return ExitCode.NOT_RUN
    except _Ended as ended:
        click.echo(f"boardless: {ended.code.name.lower()}", err=True)
        return ended.code
    except (click.Abort, KeyboardInterrupt):
        click.echo("boardless: interrupted", err=True)
        return ExitCode.INTERRUPTED
    except OSError as error:
        # A name too long, a folder that may not be read, no descriptor left: no fault of ours.
        found = refusal(error) if is_refusal(error) else _reported(error)
        click.echo(f"boardless: {found}", err=True)
        return ExitCode.NOT_RUN
    except Exception as error:  # noqa: BLE001  # nobody expected it: 1 would mean a check failed
        click.echo(f"boardless: {_reported(error)}", err=True)
        return ExitCode.NOT_RUN
    return int(code or ExitCode.PASSED)


class _Ended(BaseException):
    """A signal. No KeyboardInterrupt: click answers that with a line and a code of its own."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(code)
        self.code = code


_SIGNALS = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}


# Until the core's C code is left that swallowed it.
_AGAIN_S = 0.01


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Both signals unwind what runs, so that children end and nothing half is left.

    One that comes at the first line of a callback from C is swallowed there: it comes once more,
    and the command's end is the signal's in any case.
    """
    swallowed: list[_Ended] = []

    def end(number: int, _frame: FrameType | None) -> NoReturn:
        raise _Ended(_SIGNALS[signal.Signals(number)])

    def end_again(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _Ended(swallowed[0].code)

    def note(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, _Ended):
            swallowed.append(unraisable.exc_value)
            signal.signal(signal.SIGALRM, end_again)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
        else:
            sys.__unraisablehook__(unraisable)

    if threading.current_thread() is not threading.main_thread():  # whoever runs us has its own
        yield
        return
    before = {number: signal.signal(number, end) for number in _SIGNALS}
    hook, sys.unraisablehook = sys.unraisablehook, note
    try:
        yield
    finally:
        if swallowed:
            signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
        if swallowed:
            raise _Ended(swallowed[0].code) from None


def _show(error: click.ClickException) -> None:
    """What the user typed wrong, in one line; click's own usage stands above it."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        click.echo(context.get_usage(), err=True)
    click.echo(f"boardless: {one_line(error.format_message())}", err=True)


def _reported(error: Exception) -> str:
    """One line for an exception that nobody expected; its traceback goes to a file."""
    handle, name = tempfile.mkstemp(prefix="boardless-traceback-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write("".join(traceback.format_exception(error)))
    what = one_line(f"{type(error).__name__}: {error}")
    return f"{what}: not expected, a fault of ours or of a device of yours; please report {name}"


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
