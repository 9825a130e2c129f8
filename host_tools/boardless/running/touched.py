"""Which devices a firmware touches in a short run, and how well each is known."""

from __future__ import annotations

from collections.abc import Mapping

from boardless.project.fidelity import DeviceRecord, known_of
from boardless.running.frame_stream import WINDOW
from boardless_sim.camera.source import open_frames
from boardless_sim.engines.native import NativeEngine

RUN_US = 200_000


def known_devices(
    engine: NativeEngine, ledger: Mapping[str, DeviceRecord]
) -> list[tuple[str, DeviceRecord]]:
    """Of a loaded board that has not run: the core, its devices, and the sensor if it is heard."""
    for frame in open_frames("pattern:bars", limit=WINDOW):
        engine.show(frame)
    engine.run(RUN_US)
    devices = ["core", *engine.machine.touched()]
    wiring = engine.machine.board.camera
    if wiring is not None and engine.captured():
        devices.append(wiring.sensor.upper())
    return known_of(devices, ledger)
