"""What becomes of a firmware when something goes wrong: one run with one fault, looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from boardless.running.session import BoardSetup
from boardless_sim.camera.source import open_frames
from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.engine import StopReason, UartLine
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError
from boardless_sim.faults.board import BoardFault
from boardless_sim.faults.catalog import (
    BOARD_FAULTS,
    SENSOR_FAULTS,
    make_board_fault,
    make_sensor_fault,
)
from boardless_sim.faults.sensor import SensorFault
from boardless_sim.faults.span import Span, Timed

_FRAMES = 40
_AT_US = 150_000.0  # the firmware is at its third frame or so
_RECOVERY_US = 300_000.0  # what a firmware is given to go on in
_LONGER_THAN_A_WAIT_US = 600_000.0  # frame_capture.h gives a frame half a second
_FOURTH_FRAME = Span(first_frame=3, frames=1)
_LONG = Span(at_us=_AT_US, for_us=_LONGER_THAN_A_WAIT_US)
_EVER = Span()


@dataclass(frozen=True)
class Scenario:
    """The values of a fault of the sensor, and when it is there."""

    values: Mapping[str, str] = field(default_factory=dict)
    span: Span = _FOURTH_FRAME


SENSOR_SCENARIOS: Mapping[str, Scenario] = {
    **{name: Scenario() for name in SENSOR_FAULTS},
    **{name: Scenario(span=_LONG) for name in ("dead sensor", "stuck vsync", "inverted vsync")},
    **{name: Scenario(span=_EVER) for name in ("wrong pid", "sccb nack")},
    **{name: Scenario({"row": "60"}) for name in ("dropped line", "repeated line", "torn frame")},
    "short line": Scenario({"row": "60", "size": "200"}),
    "long line": Scenario({"row": "60", "size": "40"}),
    "truncated frame": Scenario({"rows": "60"}),
    "stuck data line": Scenario({"bit": "6"}),
    "forgetful register": Scenario({"address": "0x3e"}, _EVER),
    "sensor brown out": Scenario({"rows": "60"}),
    "rate drift": Scenario({"share": "0.2"}),
    "frame jitter": Scenario({"share": "0.2"}),
}
BOARD_SCENARIOS: Mapping[str, Mapping[str, str]] = {
    **{name: {} for name in BOARD_FAULTS},
    "dma stall": {"for_us": "2000"},
    "spurious interrupt": {"irq": "78"},  # DCMI (RM0090 table 62)
    "lost interrupt": {"irq": "78", "for_us": "600000"},
    "uart noise": {"port": "USART2", "chance": "0.2", "for_us": "30000"},
    "uart loss": {"port": "USART2", "chance": "0.2", "for_us": "30000"},
    "memory bit flip": {"address": "0x20000100", "bit": "3"},
    "register bit flip": {"register": "r4", "bit": "4"},
}


@dataclass(frozen=True)
class FaultTrial:
    """One fault and what came of it.

    `said`: the firmware's errors. `classes_of_bad`: results of frames that were spoilt.
    `recovered_after`: frames of the sensor from the fault's end to the first good result; None
    where none came. `refused`: the firmware stopped at start, as it should for a wrong board.
    """

    name: str
    detectable: bool
    reason: str
    said: tuple[str, ...]
    classes_of_bad: int
    recovered_after: int | None
    refused: bool
    crashed: bool


def try_sensor_fault(name: str, setup: BoardSetup, image: FirmwareImage) -> FaultTrial:
    """Run the firmware with a fault of the sensor in its scenario."""
    scenario = SENSOR_SCENARIOS[name]
    fault = make_sensor_fault(name, scenario.values)
    end_us = _LONG.at_us + _LONG.for_us if scenario.span is _LONG else _AT_US
    with closing(_powered(setup, image)) as engine:
        engine.set_camera_faults([Timed(fault, scenario.span)])
        return _looked_at(name, fault, engine, end_us)


def try_board_fault(name: str, setup: BoardSetup, image: FirmwareImage) -> FaultTrial:
    """Run the firmware with a fault of the board in its scenario."""
    values = BOARD_SCENARIOS[name]
    fault = make_board_fault(name, values)
    with closing(_powered(setup, image)) as engine:
        end_us = _AT_US + float(values.get("for_us", 0))
        engine.inject(fault, _AT_US)
        return _looked_at(name, fault, engine, end_us)


def _powered(setup: BoardSetup, image: FirmwareImage) -> NativeEngine:
    engine = setup.power_on(image)
    if not isinstance(engine, NativeEngine):
        engine.close()
        raise EngineError(f"engine {engine.name}: no trial of faults, expected native")
    for frame in open_frames("pattern:noise:1", limit=_FRAMES):
        engine.show(frame)
    return engine


def _looked_at(
    name: str, fault: SensorFault | BoardFault, engine: NativeEngine, end_us: float
) -> FaultTrial:
    camera = engine.machine.devices.camera
    engine.run(end_us)
    last_bad = camera.frames_clocked
    reason = engine.run(_RECOVERY_US)
    bad = set(camera.bad_frames)
    last_bad = max(bad, default=last_bad)
    lines = engine.uart_lines()
    answered = _answered(engine, lines)
    good = [number for number in answered if number > last_bad]
    return FaultTrial(
        name=name,
        detectable=fault.detectable,
        reason=fault.reason,
        said=tuple(dict.fromkeys(line.text for line in lines if line.text.startswith("e-"))),
        classes_of_bad=sum(number in bad for number in answered),
        recovered_after=min(good) - last_bad if good else None,
        refused=reason is StopReason.HALT and not answered,
        crashed=engine.fault() is not None,
    )


def _answered(engine: NativeEngine, lines: Sequence[UartLine]) -> list[int]:
    """The sensor's number of the frame of each result: the last that was whole before it."""
    results = [line.time_us for line in lines if engine.contract.is_result(line.port, line.text)]
    captures = engine.captures()
    return [
        max(one.number for one in captures if one.time_us < time_us)
        for time_us in results
        if captures and captures[0].time_us < time_us
    ]
