"""The sensor's lines on the board: into the capture interface, and onto pins to be watched."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boardless_sim.boards.pins import Pin, Pins
from boardless_sim.camera.parallel import ParallelPins
from boardless_sim.foreseen import LinesAhead
from boardless_sim.peripherals.dcmi import Dcmi
from boardless_sim.peripherals.peripheral import Bus

_VSYNC, _HREF, _PIXCLK = "DCMI_VSYNC", "DCMI_HSYNC", "DCMI_PIXCK"


class CameraPort:
    """Implements `ParallelSink`. VSYNC, HREF and PIXCLK stand where the firmware looks for them.

    That is on the pins in their alternate functions, else on those that could be and are inputs. A
    line arrives as one piece, so HREF moves only for whoever watches: an EXTI line, or a program
    that polls the port.
    """

    def __init__(
        self, bus: Bus, dcmi: Dcmi, pins: Pins, interrupts_on: Callable[[Pin], bool]
    ) -> None:
        self._bus, self._dcmi, self._wires = bus, dcmi, pins
        self._interrupts_on = interrupts_on
        self._levels: dict[str, bool] = {}
        self._href_valid_high = True
        self._pclk_hz = 0

    @property
    def on_frame(self) -> Callable[[bool], None]:
        """Called when a frame's capture ended."""
        return self._dcmi.on_frame

    @on_frame.setter
    def on_frame(self, called: Callable[[bool], None]) -> None:
        self._dcmi.on_frame = called

    @property
    def listening(self) -> bool:
        """Whether lines make any difference."""
        return self._dcmi.listening or self.watches_href

    @property
    def capturing(self) -> bool:
        """Whether the frame in progress is being captured."""
        return self._dcmi.capturing

    @property
    def filled(self) -> bool:
        """Whether the frame that ended filled the window of the capture interface."""
        return self._dcmi.filled

    @property
    def watches_href(self) -> bool:
        """Whether somebody looks at HREF beside the capture interface."""
        return any(self._interrupts_on(pin) or pin[0].polled for pin in self._wires.lines_of(_HREF))

    def configure(self, pins: ParallelPins) -> None:
        """The pins as the sensor drives them from now on."""
        self._dcmi.configure(pins)
        self._href_valid_high = pins.href_valid_high
        self._drive(_HREF, not pins.href_valid_high)
        self._pclk_hz = pins.pclk_hz
        for gpio, pin in self._wires.lines_of(_PIXCLK):
            gpio.follow(pin, self._pixclk_level)

    def vsync(self, high: bool) -> None:
        """The level of VSYNC changed."""
        self._drive(_VSYNC, high)
        self._dcmi.vsync(high)

    def href(self, valid: bool) -> None:
        """HREF moves, for whoever watches it."""
        self._drive(_HREF, valid is self._href_valid_high)

    def line(self, data: bytes, blanking: bytes) -> None:
        """One line."""
        self._dcmi.line(data, blanking)

    def foresee(self, lines: Sequence[bytes | None]) -> LinesAhead | None:
        """What the next lines would do, where HREF moves for nobody else."""
        return None if self.watches_href else self._dcmi.foresee(lines)

    def pins_changed(self) -> None:
        """Another pin carries the lines now: it takes their levels."""
        for signal, level in self._levels.items():
            self._drive(signal, level)

    def _drive(self, signal: str, high: bool) -> None:
        self._levels[signal] = high
        for gpio, pin in self._wires.lines_of(signal):
            gpio.set_input(pin, high)

    def _pixclk_level(self) -> bool:
        """PIXCLK never stops; its level follows from the time."""
        halves = 2 * self._pclk_hz * self._bus.now() // self._bus.clocks().hclk_hz
        return bool(halves & 1)
