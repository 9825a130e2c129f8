"""Every fault by its name, as "stuck data line", with its values as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import TypeVar, get_type_hints

from boardless_sim.errors import FaultError
from boardless_sim.faults import board, lines, sensor, wires
from boardless_sim.faults.board import BoardFault
from boardless_sim.faults.sensor import SensorFault

_Fault = TypeVar("_Fault", SensorFault, BoardFault)
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def _named(kinds: list[type[_Fault]]) -> dict[str, type[_Fault]]:
    return {re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower(): kind for kind in kinds}


SENSOR_FAULTS: Mapping[str, type[SensorFault]] = _named([
    sensor.DeadSensor, sensor.DroppedLine, lines.RepeatedLine, lines.ShortLine, lines.LongLine,
    lines.TornFrame, sensor.TruncatedFrame, wires.StuckVsync, lines.MissingHref, lines.SwappedBytes,
    wires.InvertedVsync, wires.InvertedHref, wires.InvertedPclk, lines.StuckDataLine,
    sensor.WrongPid, sensor.SccbNack, wires.ForgetfulRegister, wires.SensorBrownOut,
    lines.FrozenFrame, wires.RateDrift, wires.FrameJitter, lines.TestPatternLeftOn,
])  # fmt: skip
BOARD_FAULTS: Mapping[str, type[BoardFault]] = _named([
    board.DmaError, board.DmaStall, board.SpuriousInterrupt, board.LostInterrupt, board.UartNoise,
    board.UartLoss, board.SupplyCut, board.ChipReset, board.MemoryBitFlip, board.RegisterBitFlip,
])  # fmt: skip


def make_sensor_fault(name: str, values: Mapping[str, str]) -> SensorFault:
    """A fault of the sensor by its name. Raises `FaultError`."""
    return _make(SENSOR_FAULTS, name, values)


def make_board_fault(name: str, values: Mapping[str, str]) -> BoardFault:
    """A fault of the board by its name. Raises `FaultError`."""
    return _make(BOARD_FAULTS, name, values)


def _make(known: Mapping[str, type[_Fault]], name: str, values: Mapping[str, str]) -> _Fault:
    kind = known.get(name.lower().replace("_", " ").replace("-", " "))
    if kind is None:
        raise FaultError(f"fault {name!r}, expected one of: {', '.join(known)}")
    wanted = {one.name: one for one in fields(kind) if not one.name.startswith("_")}  # type: ignore[arg-type]
    stray = next((key for key in values if key not in wanted), None)
    missing = next((key for key, one in wanted.items() if _is_needed(one, values)), None)
    if stray is not None or missing is not None:
        found = f"value {stray!r}" if stray is not None else f"no {missing}"
        raise FaultError(f"{name}: found {found}, expected {', '.join(wanted) or 'no values'}")
    types = get_type_hints(kind)
    given = {key: _value(f"{name}: {key}", types[key], text) for key, text in values.items()}
    return kind(**given)


def _is_needed(one: Field[object], values: Mapping[str, str]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING and one.name not in values


def _value(what: str, kind: object, text: str) -> object:
    try:
        if kind is bool:
            return _TRUTHS[str(text).lower()]
        if kind is float:
            return float(text)
        return str(text) if kind is str else int(str(text), 0)
    except (ValueError, KeyError):
        raise FaultError(f"{what}: found {text!r}, expected {kind}") from None
