"""`boardless fit`: which STM32 a model fits on, and what is missing where it does not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH, Finite, Whole
from boardless_sim.errors import BoardlessError

if TYPE_CHECKING:
    from boardless.fit.need import Need
    from boardless.fit.part import Stm32Part

_ONE = Whole(min=0)


@click.command("fit")
@click.argument("model", type=PATH, required=False)
@click.option("--chip", "chips", multiple=True, metavar="NAME", help="As stm32f407vg. Repeatable.")
@click.option("--any", "every", is_flag=True, help="Every STM32 part; passes where one fits.")
@click.option("--parameters", metavar="N", help="Instead of MODEL: how many weights, as 14e9.")
@click.option("--bits", type=Whole(1, 64), default=8, show_default=True, metavar="N")
@click.option("--activations", metavar="BYTES", help="With --parameters: RAM of one inference.")
@click.option("--macs", metavar="N", help="With --parameters: multiplications of one inference.")
@click.option("--also-flash", type=_ONE, default=0, metavar="BYTES", help="What the rest takes.")
@click.option("--also-ram", type=_ONE, default=0, metavar="BYTES", help="What the rest takes.")
@click.option("--within-ms", type=Finite(min=0, min_open=True), metavar="MS", help="A limit.")
@click.option(
    "--current-ma",
    type=Finite(min=0, min_open=True),
    metavar="MA",
    help="The data sheet's current in Run mode: the energy of one inference at 3.3 V.",
)
@click.option("--why", is_flag=True, help="Every check, and what the figures rest on.")
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write all verdicts as JSON.")
@click.option("--plot", type=PATH, metavar="FILE", help="Flash and RAM of every part, as PNG.")
def command(
    model: Path | None,
    chips: tuple[str, ...],
    every: bool,
    parameters: str | None,
    bits: int,
    activations: str | None,
    macs: str | None,
    also_flash: int,
    also_ram: int,
    within_ms: float | None,
    current_ma: float | None,
    why: bool,
    json_path: Path | None,
    plot: Path | None,
) -> int:
    """Say whether MODEL (a .tflite, an artifact, an .onnx) or bare figures fit an STM32.

    Exit 0: it fits every --chip, or with --any at least one part. Exit 1: it does not; the first
    resource that is missing is named, and by what factor.
    """
    from boardless.fit.part import find, table
    from boardless.fit.verdict import Rest, judge_all
    from boardless.report.console import console
    from boardless.report.document import write_json
    from boardless.report.fit import fit_document, fit_tables
    from boardless_sim.files import require_writable

    if bool(chips) == every:
        raise click.UsageError("expected --chip NAME (repeatable) or --any")
    if json_path is not None:
        require_writable(json_path)
    if plot is not None:
        from boardless.report.latency_plot import require_matplotlib

        require_matplotlib()
        require_writable(plot)
    need = _need(model, parameters, bits, activations, macs)
    known = table()
    parts: list[Stm32Part] = list(known.parts) if every else [find(c, known.parts) for c in chips]
    verdicts = judge_all(need, parts, Rest(also_flash, also_ram, within_ms))
    if json_path is not None:
        write_json(json_path, fit_document(need, verdicts, known, current_ma))
    if plot is not None:
        from boardless.report.fit_plot import draw

        draw(need, verdicts, plot)
    console().print(fit_tables(need, verdicts, known, every, why, current_ma))
    passed = (any if every else all)(verdict.fits for verdict in verdicts)
    return ExitCode.PASSED if passed else ExitCode.FAILED


def _need(
    model: Path | None,
    parameters: str | None,
    bits: int,
    activations: str | None,
    macs: str | None,
) -> Need:
    from boardless.fit.need import figure, need_of_figures, need_of_file

    if (model is None) == (parameters is None):
        raise click.UsageError("expected MODEL or --parameters")
    if model is not None:
        if activations is not None or macs is not None:
            raise BoardlessError(f"{model}: has its own figures, expected no --activations, --macs")
        return need_of_file(model)
    return need_of_figures(
        figure(parameters or ""),
        bits,
        None if activations is None else figure(activations),
        None if macs is None else figure(macs),
    )
