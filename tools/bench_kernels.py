"""Measures the network's layers on every back end of the kernels, in cycles of emulation.

The firmware is built once for each: m4, plain, and cmsis where CMSIS_NN_INC and CMSIS_NN_LIB name a
CMSIS-NN that somebody has built with the same compiler. Writes build/bench-kernels.json.

With --model FILE that network is measured, on one frame and without plain. Else exit code 1 where
m4 is not as many times faster as it should be: cycles are the same on every machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from boardless_models.graph.artifact import load_artifact

OUTPUT = Path("build/bench-kernels.json")
FRAMES = 3
LIMIT_US = "10000000"  # a large network on a slow back end
M4, PLAIN, CMSIS = "m4", "plain", "cmsis"
# How many times the cycles of m4 another back end must take: on 3x3 convolutions, on fully
# connected layers, and in all.
TARGETS = {
    ("conv2d 3×3", PLAIN): 3.16,
    ("dense", PLAIN): 2.73,
    ("all layers", CMSIS): 2.0,
}


@dataclass(frozen=True)
class Layer:
    """What a layer costs on one back end: cycles of one frame."""

    name: str
    kind: str
    kernel: str
    macs: int
    cycles: int


def profiled(backend: str, model: Path | None) -> list[Layer]:
    """Build the firmware with this back end, and with this artifact's network, and profile it."""
    folder = Path(f"build/kernels-{backend}{'-' + model.stem if model else ''}").absolute()
    document, source = folder / "profile.json", ["--limit", str(1 if model else FRAMES)]
    elf = folder / "boardless.elf"
    make = ["make", "-s", "-C", "firmware", f"BUILD={folder}", f"NN_BACKEND={backend}"]
    boardless = [sys.executable, "-m", "boardless"]
    if model is not None:
        export = [*boardless, "model", "export", str(model), str(folder / "root" / "generated")]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        make.append(f"MODEL_ROOT={folder / 'root'}")
        if "MODEL_INPUT_IS_PICTURE 0u" in (folder / "root/generated/model.h").read_text("utf-8"):
            elf = folder / "boardless-mailbox.elf"
            source += ["--tensors", str(noise(model, folder / "noise.npy"))]
    # The makefile's names are relative to it.
    target = os.path.relpath(elf, "firmware")
    subprocess.run([*make, target], check=True, stdout=subprocess.DEVNULL)
    profile = [*boardless, "profile", str(elf), *source, "--limit-us", LIMIT_US]
    subprocess.run([*profile, "--json", str(document)], check=True, stdout=subprocess.DEVNULL)
    found = json.loads(document.read_text("utf-8"))
    return [
        Layer(
            name=f"{row['layer']} {row['kind']}",
            kind=row["kind"],
            kernel=row["kernel"],
            macs=row["macs"],
            cycles=round(row["cycles"] / row["calls"]),
        )
        for row in found["layers"]
    ]


def noise(model: Path, path: Path) -> Path:
    """One input of this artifact's network, which is no picture."""
    graph = load_artifact(model).graph
    size = graph.values[graph.input].shape.size
    np.save(path, np.random.default_rng(1).integers(0, 256, (1, size), np.uint8))
    return path


def cycles_of(layers: list[Layer], kind: str) -> int:
    """The cycles of one kind of layer, or of all."""
    return sum(layer.cycles for layer in layers if kind in ("all layers", layer.kind))


def figures(cycles: int, macs: int, least: int) -> str:
    """Cycles, cycles a MAC, and how many times the cycles of m4."""
    each = f"{cycles / macs:5.2f}" if macs else "    -"
    return f"{cycles:,} {each} {cycles / least:4.1f}x"


def show(console: Console, measured: dict[str, list[Layer]]) -> None:
    """A row a layer, a column a back end."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer")
    for backend in measured:
        table.add_column(f"{backend}: cycles, a MAC", justify="right")
    for index, fastest in enumerate(measured[M4]):
        row = [layers[index] for layers in measured.values()]
        cells = [figures(layer.cycles, layer.macs, fastest.cycles) for layer in row]
        table.add_row(fastest.name, *cells)
    macs = sum(layer.macs for layer in measured[M4])
    least = cycles_of(measured[M4], "all layers")
    cells = [figures(cycles_of(layers, "all layers"), macs, least) for layers in measured.values()]
    table.add_row("all layers", *cells, style="bold")
    console.print(table)


def main() -> int:
    """Measure, write, show, and hold the ratios against what they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, metavar="FILE", help="an artifact (.npz)")
    model = parser.parse_args().model
    backends = [M4] if model else [M4, PLAIN]
    if os.environ.get("CMSIS_NN_INC") and os.environ.get("CMSIS_NN_LIB"):
        backends.append(CMSIS)
    measured = {backend: profiled(backend, model) for backend in backends}
    ratios = {
        f"{kind}, {backend} by {M4}": {
            "ratio": cycles_of(measured[backend], kind) / cycles_of(measured[M4], kind),
            "least": least,
        }
        for (kind, backend), least in TARGETS.items()
        if backend in measured and not model
    }
    layers = {backend: [asdict(layer) for layer in found] for backend, found in measured.items()}
    document = {"schema": 1, "frames": FRAMES, "layers": layers, "ratios": ratios}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    console = Console(width=100)
    show(console, measured)
    for name, row in ratios.items():
        console.print(f"{name}: {row['ratio']:.2f} times, at least {row['least']}")
    if CMSIS not in measured:
        console.print("cmsis: not measured (CMSIS_NN_INC, CMSIS_NN_LIB)")
    return int(any(row["ratio"] < row["least"] for row in ratios.values()))


if __name__ == "__main__":
    sys.exit(main())
