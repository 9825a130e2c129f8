"""The network in the firmware, in emulation: every value of every layer against the reference."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless.project.model_hash import hash_in
from boardless.running.frame_stream import stop_detail
from boardless_models.graph.artifact import Artifact
from boardless_models.graph.reference import Int8, run_graph
from boardless_models.tflite.peers import Mismatch, PeerComparison, first_mismatch
from boardless_sim.camera.frame import Frame
from boardless_sim.camera.scene import SMALL
from boardless_sim.camera.tensor import InputTensor
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import Engine, StopReason
from boardless_sim.engines.mailbox.box import mailbox_of
from boardless_sim.engines.mailbox.fed import MailboxFed
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import ModelError

LIMIT_US = 20e6
WINDOW = 8
# nn_golden's observer: nn_run calls it with a context, a layer's number, its output and its size.
OBSERVER = "layer_print"
# It takes the input as its second argument.
RUN = "nn_run"
CAMERA_SIDE = 112


class Observed:
    """What the firmware's layers put out, read from memory when its observer is called."""

    def __init__(self, elf: Path, artifact: Artifact) -> None:
        image = load_image(elf)
        found = hash_in(image)
        if found != artifact.sha256:
            expected = f"expected {artifact.sha256} ({artifact.path})"
            raise ModelError(f"{elf}: model {found}, {expected}")
        for name in (OBSERVER, RUN):
            if name not in image.symbols:
                raise ModelError(f"{elf}: no function {name}, expected an nn_golden.elf")
        native = NativeEngine()
        self.takes_tensors = mailbox_of(image, native.contract) is not None
        self.engine: Engine = MailboxFed(native) if self.takes_tensors else native
        self.engine.load(image)
        self.shape = artifact.graph.values[artifact.graph.input].shape
        self.input = np.zeros(0, np.uint8)
        self.outputs: list[Int8] = []
        native.watch(image.symbol(RUN).address & ~1, self._keep_input)
        native.watch(image.symbol(OBSERVER).address & ~1, self._keep)

    def _keep_input(self) -> None:
        content = self.engine.read_memory(self.engine.read_register("r1"), self.shape.size)
        self.input = np.frombuffer(content, np.uint8)

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


def compare_firmware(elf: Path, artifact: Artifact, frames: NDArray[np.uint8]) -> PeerComparison:
    """Frames through the firmware; the ELF must be nn_golden with this artifact.

    Through a mailbox the network must see these very bytes, through camera and DMA those of the
    camera's own small frames. Of another size the camera shows noise, and the network is held to
    what preprocessing has made of it.
    """
    graph, observed = artifact.graph, Observed(elf, artifact)
    exact = observed.takes_tensors or frames.shape[1:] == (SMALL, SMALL, 1)
    given = shown_frames(frames, tensors=observed.takes_tensors, exact=exact)
    values = mismatches = 0
    first: Mismatch | None = None
    with closing(observed.engine) as engine:
        shown = 0
        for number in range(len(frames)):
            while shown < min(len(frames), number + WINDOW):
                engine.show(given[shown])
                shown += 1
            outputs = observed.next_frame()
            seen = frames[number : number + 1] if exact else observed.input[None]
            expected = [output[0] for output in run_graph(graph, seen)]
            for layer, (found, wanted) in enumerate(paired(outputs, expected)):
                differing = int((found != wanted).sum())
                values += wanted.size
                mismatches += differing
                if differing and first is None:
                    name = f"frame {number}, {graph.operators[layer].name}"
                    first = first_mismatch(name, wanted, found)
    return PeerComparison("firmware", graph.rounding, len(frames), values, mismatches, first)


def shown_frames(frames: NDArray[np.uint8], *, tensors: bool, exact: bool) -> list[Frame]:
    """What the firmware is given: the bytes themselves, small frames, or noise."""
    if tensors:
        rows = frames.reshape(len(frames), 1, -1)
        return [InputTensor(f"frame {number}", row) for number, row in enumerate(rows)]
    lumas = frames[..., 0] if exact else noise(len(frames))
    return [Frame(f"frame {number}", luma) for number, luma in enumerate(lumas)]


def noise(count: int) -> NDArray[np.uint8]:
    """Frames as large as the firmware captures."""
    random = np.random.default_rng(1)
    return random.integers(0, 256, (count, CAMERA_SIDE, CAMERA_SIDE), np.uint8)


def paired(outputs: list[Int8], expected: list[Int8]) -> list[tuple[Int8, Int8]]:
    """Every layer's output beside the reference's, in its shape."""
    if len(outputs) != len(expected):
        raise ModelError(f"firmware: {len(outputs)} layers, expected {len(expected)}")
    for layer, (found, wanted) in enumerate(zip(outputs, expected, strict=True)):
        if found.size != wanted.size:
            sizes = f"{found.size} values, expected {wanted.size}"
            raise ModelError(f"firmware: layer {layer}: {sizes}")
    pairs = zip(outputs, expected, strict=True)
    return [(found.reshape(wanted.shape), wanted) for found, wanted in pairs]
