"""Whether the wires of a board can all be soldered: what needs which pin of the chip.

Looks at the facts of the part alone, so that a mistake in a file is said before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from boardless_sim.boards.board import BY_HAND, HERTZ, CameraWiring
from boardless_sim.boards.plan import BoardPlan
from boardless_sim.chips.catalog import Facts, lines_with, load_facts
from boardless_sim.errors import BoardError

_PIN = re.compile(r"P([A-K](?:\d|1[0-5]))")
_I2C = re.compile(r"(I2C\d)(?::0X[0-9A-F]+)?")
_CAMERA_LINES = (
    "DCMI_PIXCK", "DCMI_HSYNC", "DCMI_VSYNC", *(f"DCMI_D{line}" for line in range(8))
)  # fmt: skip


def require_possible(plan: BoardPlan) -> None:
    """Raises `BoardError` for a wire that the part has no pin for, or two wires on one pin."""
    facts = load_facts(plan.chip)
    taken = _fixed_pins(plan)
    signals: list[tuple[str, str]] = []
    if plan.camera is not None:
        _require_bus(plan.camera.bus)
        if "DCMI" not in facts.devices:
            parts = ", ".join(lines_with("DCMI"))
            raise BoardError(f"{facts.part} has no DCMI, expected for a camera one of {parts}")
        signals += [("the camera", line) for line in _CAMERA_LINES]
        signals += _camera_signals(plan.camera)
    for attachment in plan.attached:
        signals += [(attachment.device, signal) for signal in _bus_signals(attachment.at)]
    signals += [("[console] port", f"{port}_TX") for port in plan.console_bauds]
    _require_pins(facts, taken, signals)


def _fixed_pins(plan: BoardPlan) -> dict[str, str]:
    """Who is soldered to a pin by its name."""
    taken: dict[str, str] = {}
    for name, who in _named_pins(plan):
        pin = _PIN.fullmatch(name)
        if pin is None:
            raise BoardError(f"{who}: pin {name!r}, expected one as PG9")
        if pin[1] in taken:
            raise BoardError(f"pin {name} has {taken[pin[1]]} and {who}, expected one of them")
        taken[pin[1]] = who
    return taken


def _named_pins(plan: BoardPlan) -> Iterator[tuple[str, str]]:
    camera = plan.camera
    if camera is not None:
        for name, who in ((camera.powerdown, "powerdown"), (camera.reset, "reset")):
            if name is not None:
                yield name, f"the camera's {who}"
        for name in _by_hand(camera.bus):
            yield name, "the camera's bus"
    for attachment in plan.attached:
        names = [attachment.at] if _PIN.fullmatch(attachment.at) else _by_hand(attachment.at)
        for name in names:
            yield name, attachment.device


def _require_bus(bus: str) -> None:
    if not _bus_signals(bus) and len(_by_hand(bus)) != 2:
        raise BoardError(f"bus {bus!r}, expected one as i2c1, or two pins as gpio:PB8,PB9")


def _by_hand(at: str) -> list[str]:
    return at.removeprefix(BY_HAND).split(",") if at.startswith(BY_HAND) else []


def _bus_signals(at: str) -> list[str]:
    match = _I2C.fullmatch(at.upper())
    return [] if match is None else [f"{match[1]}_SCL", f"{match[1]}_SDA"]


def _camera_signals(camera: CameraWiring) -> list[tuple[str, str]]:
    clock = [] if HERTZ.fullmatch(camera.xclk) else [("xclk", camera.xclk)]
    return [*clock, *(("the camera's bus", signal) for signal in _bus_signals(camera.bus))]


def _require_pins(facts: Facts, taken: dict[str, str], signals: list[tuple[str, str]]) -> None:
    pins: dict[str, list[str]] = {}
    for (pin, _), names in facts.alternates.items():
        for name in names:
            pins.setdefault(name, []).append(pin)
    for who, signal in signals:
        if signal not in pins:
            raise BoardError(f"{who}: {facts.part} has no {signal}, expected a signal of its pins")
        if all(pin in taken for pin in pins[signal]):
            places = ", ".join(f"P{pin} has {taken[pin]}" for pin in pins[signal])
            raise BoardError(f"{who}: no pin is left for {signal}: {places}")
