"""Which sensors there are, by part number."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boardless_sim.camera.sensor import Sensor
from boardless_sim.errors import BoardError


def _ov2640() -> Sensor:
    from boardless_sim.camera.sensors.ov2640 import Ov2640

    return Ov2640()


def _ov7670() -> Sensor:
    from boardless_sim.camera.sensors.ov7670 import Ov7670

    return Ov7670()


# Each imports its module when it is asked for: a run has one sensor.
SENSORS: Mapping[str, Callable[[], Sensor]] = {
    "ov2640": _ov2640,
    "ov7670": _ov7670,
}


def make_sensor(part: str) -> Sensor:
    """A sensor by its part number, as "ov7670". Raises `BoardError`."""
    sensor = SENSORS.get(part.lower())
    if sensor is None:
        raise BoardError(f"sensor {part!r}, expected one of {', '.join(SENSORS)}")
    return sensor()
