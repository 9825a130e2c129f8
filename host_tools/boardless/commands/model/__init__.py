"""`boardless model`: the steps of the model line, each imported when it is asked for.

PyTorch is needed by a few of them and imported by none before it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import click

from boardless_sim.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable

INSTALL_TRAIN = "pip install 'boardless[train]'"


@dataclass(frozen=True)
class Subcommand:
    """The module of this package that a step stands in, and what the list of steps says of it."""

    module: str
    help: str
    needs_torch: bool = False


STEPS = {
    "teacher": Subcommand("teacher", "Train what others distil from.", needs_torch=True),
    "train": Subcommand("train", "Train the float network.", needs_torch=True),
    "prune": Subcommand("prune", "Make a trained network smaller.", needs_torch=True),
    "qat": Subcommand("qat", "Fine-tune it on its int8 grid.", needs_torch=True),
    "search": Subcommand("search", "Try networks within the budget.", needs_torch=True),
    "quantize": Subcommand("quantize", "Float weights to the int8 artifact."),
    "export": Subcommand("export", "The artifact as C, or as a .tflite."),
    # No module is named as a keyword of the language.
    "import": Subcommand("importing", "A full-int8 .tflite as an artifact."),
    "verify": Subcommand("verify", "Accuracy, or bit for bit against other kernels."),
    "table": Subcommand("table", "Every stage: bytes, MACs, RAM, cycles, accuracy."),
}


class Steps(click.Group):
    """Commands that are imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(STEPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        step = STEPS.get(cmd_name)
        if step is None:
            return None
        try:
            found = import_module(f"{__name__}.{step.module}").command
        except ImportError as cause:
            if step.needs_torch and (cause.name or "").split(".")[0] == "torch":
                return without_torch(cmd_name, step)
            raise ModelError(f"model {cmd_name}: {cause}") from cause
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(listed(STEPS.items()))


def listed(steps: Iterable[tuple[str, Subcommand]]) -> list[tuple[str, str]]:
    """Every step with its help, without importing one."""
    return [(name, step.help + (" (PyTorch)" if step.needs_torch else "")) for name, step in steps]


def without_torch(name: str, step: Subcommand) -> click.Command:
    """The step where PyTorch is missing: it says how to install it."""

    def refuse(arguments: tuple[str, ...]) -> None:
        raise ModelError(f"model {name} needs PyTorch, which is not installed: {INSTALL_TRAIN}")

    return click.Command(
        name,
        callback=refuse,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True},
        add_help_option=False,
        help=step.help,
    )


@click.group("model", cls=Steps)
def command() -> None:
    """The model line: one step, one file in, one file out.

    Training needs PyTorch (pip install 'boardless[train]'), comparing with other kernels needs
    theirs (pip install 'boardless[model]'); everything else needs numpy alone.
    """
