"""Keywords that let things go wrong: the sensor, what is before it, the rest of the board."""

from __future__ import annotations

from datetime import timedelta

from boardless.suites.keywords.area import Area, board_keyword
from boardless.suites.keywords.arguments import Number, microseconds
from boardless_sim.faults.catalog import make_board_fault, make_sensor_fault
from boardless_sim.faults.span import FOREVER, Span, Timed


class FaultKeywords(Area):
    """Each fault by its name, at an exact virtual time or frame, with an end."""

    @board_keyword
    def break_camera(
        self,
        /,
        fault: str,
        *,
        first_frame: int = 0,
        frames: int | None = None,
        at: timedelta = timedelta(0),
        lasting: timedelta | None = None,
        **values: str,
    ) -> None:
        """A fault of the sensor, by its name in the table of faults, and its values.

        It is there from ``first_frame`` of the sensor for so many ``frames``, or from ``at`` (since
        power-on) for the time of ``lasting``; without these, until `Repair Camera`. Frames count
        from 0 while the firmware listens. ``row`` and what else the fault takes is named.

        | Break Camera | stuck data line | bit=3 |
        | Break Camera | dropped line | row=60 | first_frame=5 | frames=1 |
        | Break Camera | dead sensor | at=200 ms | lasting=600 ms |
        """
        for_us = FOREVER if lasting is None else microseconds(lasting)
        span = Span(first_frame, frames, microseconds(at), for_us)
        self.rig.break_camera(Timed(make_sensor_fault(fault, values), span))

    @board_keyword
    def break_board(self, /, fault: str, *, at: timedelta | None = None, **values: str) -> None:
        """A fault beside the camera, at a virtual time since power-on, or now.

        | Break Board | dma error | at=100 ms |
        | Break Board | lost interrupt | irq=78 | for_us=40000 |
        | Break Board | uart noise | port=USART2 | chance=0.01 | for_us=1e6 | seed=7 |
        | Break Board | supply cut |
        """
        at_us = None if at is None else microseconds(at)
        self.rig.break_board(make_board_fault(fault, values), at_us)

    @board_keyword
    def disturb_optics(self, disturbance: str, severity: Number, seed: int = 1) -> None:
        """What every frame looks like that is shown from now on; 0 is clear, 1 is the worst.

        ``noise``, ``blur``, ``exposure drift``, ``flicker``, ``skew``, ``rotation``, ``shift``,
        ``dirt``, ``glare``, ``occlusion``, ``low light`` or ``jpeg``.

        | Disturb Optics | blur | 0.3 |
        | Classify Frames | t10k-images.gz | t10k-labels.gz | limit=100 |
        | Accuracy Should Be At Least | 0.70 |
        """
        self.rig.disturb_optics(disturbance, severity, seed)
