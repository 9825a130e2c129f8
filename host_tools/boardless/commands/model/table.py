"""`boardless model table`: every stage as a table, as JSON, or as a plot."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from boardless.commands.options import PATH
from boardless.report.console import console
from boardless_models.graph.stage_table import NEAR_PERCENT, StageRow, rows_of
from boardless_sim.errors import ModelError
from boardless_sim.files import write_file, write_text
from boardless_sim.timing_basis import ERROR_PERCENT, ESTIMATED_CYCLES

SCHEMA = 1
UNKNOWN = "-"
HEADINGS = ("artifact", "stage", "bytes", "MACs", "RAM", "cycles", "validation", "test")


@click.command("table")
@click.argument("folder", type=PATH, default=Path("models/artifacts"))
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write the table as JSON.")
@click.option("--plot", type=PATH, metavar="FILE", help="Accuracy over bytes, as PNG.")
def command(folder: Path, json_path: Path | None, plot: Path | None) -> None:
    """Show every stage of the artifacts in FOLDER: bytes all-in, MACs, RAM, cycles, accuracy.

    Cycles are estimated from the layers; `boardless run` measures them in emulation.
    """
    rows = rows_of(folder)
    if json_path is not None:
        body = {
            "schema": SCHEMA,
            "cycles": {
                "basis": f"from the layers, within {NEAR_PERCENT} % of emulation",
                "error_percent": ERROR_PERCENT,
            },
            "stages": [asdict(row) for row in rows],
        }
        write_text(json_path, json.dumps(body, indent=2) + "\n")
    if plot is not None:
        draw(rows, plot)
    console().print(stage_table(rows))
    click.echo(f"cycles: from the layers, within {NEAR_PERCENT} % of emulation: {ESTIMATED_CYCLES}")


def stage_table(rows: tuple[StageRow, ...]) -> Table:
    """One line a stage."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="left" if at < 2 else "right", no_wrap=True)
    for row in rows:
        counts = (row.model_bytes, row.macs, row.ram_bytes, row.cycles)
        numbers = [UNKNOWN if count is None else f"{count:,}" for count in counts]
        shares = [UNKNOWN if share is None else f"{share:.2%}" for share in shares_of(row)]
        table.add_row(row.artifact, row.stage, *numbers, *shares)
    return table


def shares_of(row: StageRow) -> tuple[float | None, float | None]:
    """Accuracy on the validation and on the test frames."""
    return row.validation, row.test


def draw(rows: tuple[StageRow, ...], path: Path) -> None:
    """Test accuracy over bytes, each artifact's stages joined. Raises `ModelError`."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as cause:
        raise ModelError("--plot needs matplotlib: pip install 'boardless[model]'") from cause
    figure = Figure(figsize=(6.4, 4.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name in dict.fromkeys(row.artifact for row in rows):
        known = [row for row in rows if row.artifact == name and row.test is not None]
        places = [(row.model_bytes, 100.0 * (row.test or 0.0)) for row in known]
        if places:
            axes.plot(*zip(*places, strict=True), marker="o", label=name)
        for row, place in zip(known, places, strict=True):
            axes.annotate(row.stage, place, textcoords="offset points", xytext=(6, 6))
    axes.plot([12_600], [93.22], "x", color="grey", label="µNAS (arXiv 2010.14246)")
    axes.axvline(8_192, color="grey", linestyle=":", label="budget 8,192")
    axes.set_xscale("log")
    axes.set_xlabel("bytes, everything included (float: weights and biases alone)")
    axes.set_ylabel("Fashion-MNIST test accuracy, %")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="best")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    write_file(path, drawn.getvalue())
