"""`boardless budget trend`: the locks of the last commits as a table, CSV and a plot."""

from __future__ import annotations

from pathlib import Path

import click

from boardless.commands.options import Whole

_PATH = click.Path(path_type=Path)


@click.command("trend")
@click.option("--config", type=_PATH, metavar="FILE", help="The lock beside this file.")
@click.option(
    "--last",
    type=Whole(1, 1000),
    default=20,
    show_default=True,
    metavar="N",
    help="How many commits that changed the lock.",
)
@click.option("--target", default="", metavar="NAME", help="Which of several ELFs.")
@click.option("--csv", "csv_path", type=_PATH, metavar="FILE", help="Write every figure.")
@click.option("--plot", "svg_path", type=_PATH, metavar="FILE", help="Write an SVG.")
def command(
    config: Path | None, last: int, target: str, csv_path: Path | None, svg_path: Path | None
) -> int:
    """What every figure of budget.lock was, and what moved it."""
    from boardless.gate.trend import trend
    from boardless.project.config import find_config
    from boardless.report.console import console
    from boardless.report.trend import as_csv, as_svg, figures_line, table
    from boardless_sim.files import write_text

    path = config if config is not None else find_config(Path())
    steps = trend(path.parent, last, target)
    if csv_path is not None:
        write_text(csv_path, as_csv(steps))
    if svg_path is not None:
        write_text(svg_path, as_svg(steps))
    console().print(table(steps))
    console().print(figures_line(steps), markup=False)
    return 0
