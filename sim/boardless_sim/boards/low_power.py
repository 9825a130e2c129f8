"""Stop and Standby: what stands still, what wakes, what the chip wakes up with (RM0090 5.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boardless_sim.peripherals.gpio import Gpio
from boardless_sim.peripherals.peripheral import Peripheral
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.rcc import Rcc

# Clocked by the LSI, by nothing, or by what comes in: they work on in Stop. In Standby only the
# watchdog does.
_ON_IN_STOP = frozenset({"EXTI", "IWDG", "RCC", "PWR"})
_ON_IN_STANDBY = frozenset({"IWDG", "RCC", "PWR"})
# Typical wake-up times of the data sheet (DS8626 table 25): regulator in main or low-power mode,
# Flash in Stop or in deep power-down.
_WAKE_NS = {(False, False): 13_000, (True, False): 17_000, (False, True): 105_000,
            (True, True): 110_000}  # fmt: skip


class LowPower:
    """The clocks go off with the core's deep sleep, and come back on HSI.

    `wake_from_standby` is called when the wake-up pin ends a Standby: the chip starts anew.
    """

    def __init__(self, devices: Mapping[str, Peripheral], pwr: Pwr, rcc: Rcc) -> None:
        self._devices, self._pwr, self._rcc = devices, pwr, rcc
        self._stopped: list[Peripheral] = []
        self._in_standby = self._is_dozing = False
        self.wake_from_standby: Callable[[], None] = lambda: None
        port = devices["GPIOA"]
        assert isinstance(port, Gpio)
        self._wake_up_port = port
        port.watchers.append(self._follow_wake_up_pin)

    def enter(self) -> None:
        """The core sleeps deeply: Stop, or Standby where PDDS is set."""
        self._in_standby = self._pwr.standby
        stay_on = _ON_IN_STANDBY if self._in_standby else _ON_IN_STOP
        for name, device in self._devices.items():
            if device.clocked and name not in stay_on:
                device.clock(False)
                self._stopped.append(device)
        self._rcc.stop()

    def doze(self) -> None:
        """The core sleeps: what LPENR leaves out has no clock until it wakes (section 6.3.15)."""
        for name, device in self._devices.items():
            if device.clocked and not self._rcc.clocked_asleep(name):
                device.clock(False)
                self._stopped.append(device)
        self._is_dozing = True

    def leave(self) -> int:
        """The core is awake: the clocks are back; how long that took, in nanoseconds."""
        was_dozing, self._is_dozing = self._is_dozing, False
        for device in self._stopped:
            device.clock(True)
        self._stopped.clear()
        if was_dozing:
            return 0
        self._in_standby = False
        self._rcc.wake()
        return _WAKE_NS[self._pwr.low_power_regulator, self._pwr.flash_powered_down]

    def forget(self) -> None:
        """The chip was reset: everything has its clock by its enable bit again."""
        for device in self._stopped:
            device.clocked = True
        self._stopped.clear()
        self._in_standby = self._is_dozing = False
        self._rcc.stopped = False

    def _follow_wake_up_pin(self) -> None:
        """WKUP is PA0, a rising edge with EWUP (section 5.3.6)."""
        if self._in_standby and self._pwr.wake_up_pin and self._wake_up_port.is_driven_high(0):
            self._in_standby = False
            self.wake_from_standby()
