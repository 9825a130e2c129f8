"""The network in the firmware, in emulation: a checksum a layer against the reference."""

from __future__ import annotations

import re
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from boardless.model_hash import hash_in, require_model
from boardless.run import stop_detail
from boardless_models.artifact import load_artifact
from boardless_models.chain import graph_of_chain
from boardless_models.fusing import fused
from boardless_models.graph import Graph
from boardless_models.graph_artifact import is_graph, load_graph
from boardless_models.graph_reference import run_graph
from boardless_models.peers import Comparison, Mismatch
from boardless_sim.camera.frame import Frame
from boardless_sim.engines.engine import Engine, StopReason
from boardless_sim.engines.native import NativeEngine
from boardless_sim.errors import ModelError
from boardless_sim.image import load_image

LIMIT_US = 20e6
WINDOW = 8
LAYER = re.compile(r"l- layer=(\d+) bytes=(\d+) crc32=([0-9a-f]{8})")


def graph_in(network: Path) -> Graph:
    """The graph of an artifact of either kind, as the firmware runs it."""
    return fused(
        load_graph(network) if is_graph(network) else graph_of_chain(load_artifact(network))
    )


def compare_firmware(elf: Path, network: Path, frames: NDArray[np.uint8]) -> Comparison:
    """Frames through camera, DMA and firmware; the ELF must be nn_golden with this artifact."""
    if network.suffix != ".npz":
        raise ModelError(f"{network}: the firmware takes an artifact, expected .npz")
    image = load_image(elf)
    hash_in(image)
    require_model(elf, network)
    graph = graph_in(network)
    layers = run_graph(graph, frames)
    expected = [[layer[number].tobytes() for layer in layers] for number in range(len(frames))]
    engine = NativeEngine()
    engine.load(image)
    values = mismatches = 0
    first: Mismatch | None = None
    with closing(engine):
        shown = 0
        for number, outputs in enumerate(expected):
            while shown < min(len(frames), number + WINDOW):
                engine.show(Frame(f"frame {shown}", frames[shown, ..., 0]))
                shown += 1
            for layer, crc32 in enumerate(checksums(engine, len(outputs))):
                values += len(outputs[layer])
                wanted = zlib.crc32(outputs[layer])
                if crc32 != wanted:
                    mismatches += 1
                    first = first or Mismatch(f"frame {number}, layer {layer}", (), wanted, crc32)
    return Comparison(
        "firmware (CRC32 a layer)", graph.rounding, len(frames), values, mismatches, first
    )


def checksums(engine: Engine, count: int) -> list[int]:
    """The checksums of the next frame, one a layer."""
    before = len(engine.uart_lines())
    reason = engine.run(LIMIT_US, lambda line: line.text.startswith("r-"))
    if reason is not StopReason.RESULT:
        raise ModelError(f"firmware: {stop_detail(engine, reason, LIMIT_US)}")
    lines = [line.text for line in engine.uart_lines()[before:]]
    found = [int(match[3], 16) for line in lines if (match := LAYER.match(line))]
    if len(found) != count:
        raise ModelError(f"firmware: {len(found)} layers, expected {count} (an nn_golden.elf)")
    return found
