"""The network in the firmware, in emulation: every value of every layer against the reference."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless.project.model_hash import hash_in
from boardless.running.classify import stop_detail
from boardless_models.graph.artifact import Artifact
from boardless_models.graph.reference import Int8, run_graph
from boardless_models.tflite.peers import Comparison, Mismatch, first_mismatch
from boardless_sim.camera.frame import Frame
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import ModelError

LIMIT_US = 20e6
WINDOW = 8
# nn_golden's observer: nn_run calls it with a context, a layer's number, its output and its size.
OBSERVER = "layer_print"


class Observed:
    """What the firmware's layers put out, read from memory when its observer is called."""

    def __init__(self, elf: Path, artifact: Artifact) -> None:
        image = load_image(elf)
        found = hash_in(image)
        if found != artifact.sha256:
            expected = f"expected {artifact.sha256} ({artifact.path})"
            raise ModelError(f"{elf}: model {found}, {expected}")
        if OBSERVER not in image.symbols:
            raise ModelError(f"{elf}: no function {OBSERVER}, expected an nn_golden.elf")
        self.engine = NativeEngine()
        self.engine.load(image)
        self.outputs: list[Int8] = []
        self.engine.watch(image.symbol(OBSERVER).address & ~1, self._keep)

    def _keep(self) -> None:
        layer, address, size = (self.engine.read_register(name) for name in ("r1", "r2", "r3"))
        if layer != len(self.outputs):
            raise ModelError(f"firmware: layer {layer}, expected layer {len(self.outputs)}")
        self.outputs.append(np.frombuffer(self.engine.read_memory(address, size), np.int8))

    def next_frame(self) -> list[Int8]:
        """Every layer's output for the frame in view."""
        self.outputs = []
        reason = self.engine.run(LIMIT_US, lambda line: line.text.startswith("r-"))
        if reason is not StopReason.RESULT:
            raise ModelError(f"firmware: {stop_detail(self.engine, reason, LIMIT_US)}")
        return self.outputs


def compare_firmware(elf: Path, artifact: Artifact, frames: NDArray[np.uint8]) -> Comparison:
    """Frames through camera, DMA and firmware; the ELF must be nn_golden with this artifact."""
    graph = artifact.graph
    expected = run_graph(graph, frames)
    observed = Observed(elf, artifact)
    values = mismatches = 0
    first: Mismatch | None = None
    with closing(observed.engine) as engine:
        shown = 0
        for number in range(len(frames)):
            while shown < min(len(frames), number + WINDOW):
                engine.show(Frame(f"frame {shown}", frames[shown, ..., 0]))
                shown += 1
            outputs = observed.next_frame()
            if len(outputs) != len(expected):
                raise ModelError(f"firmware: {len(outputs)} layers, expected {len(expected)}")
            for layer, (found, reference) in enumerate(zip(outputs, expected, strict=True)):
                wanted = reference[number]
                if found.size != wanted.size:
                    sizes = f"{found.size} values, expected {wanted.size}"
                    raise ModelError(f"firmware: layer {layer}: {sizes}")
                differing = int((found.reshape(wanted.shape) != wanted).sum())
                values += wanted.size
                mismatches += differing
                if differing and first is None:
                    name = f"frame {number}, {graph.operators[layer].name}"
                    first = first_mismatch(name, wanted, found.reshape(wanted.shape))
    return Comparison("firmware", graph.rounding, len(frames), values, mismatches, first)
