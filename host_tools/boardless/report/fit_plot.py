"""Every part as a point of Flash and RAM, and the corner that the model asks for."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from boardless.fit.need import Need
from boardless.fit.verdict import FitVerdict
from boardless_sim.files import write_file


def draw(need: Need, verdicts: Sequence[FitVerdict], path: Path) -> None:
    """Logarithmic in both, as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for fits, colour, label in ((True, "tab:green", "fits"), (False, "tab:red", "does not")):
        chosen = [verdict.part for verdict in verdicts if verdict.fits is fits]
        flash = [part.flash_bytes for part in chosen]
        ram = [part.block_bytes for part in chosen]
        axes.scatter(flash, ram, s=14, color=colour, label=f"{label}: {len(chosen)}")
    axes.axvline(max(need.flash_bytes, 1), color="black", linestyle="--", label=need.name)
    if need.ram_bytes:
        axes.axhline(need.ram_bytes, color="black", linestyle="--")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.set_xlabel("Flash, bytes")
    axes.set_ylabel("RAM in one block, bytes")
    figure.legend(loc="outside lower center", ncols=3, fontsize="small")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    write_file(path, drawn.getvalue())
