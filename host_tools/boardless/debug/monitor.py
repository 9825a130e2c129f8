"""The `monitor` commands: what GDB has no packet for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boardless.debug.target import DebugTarget, Stop, Why
from boardless.running.post_mortem import examine, in_lines
from boardless_sim.core.names import EXCEPTION_NAMES
from boardless_sim.errors import BoardlessError
from boardless_sim.faults.catalog import SENSOR_FAULTS, make_sensor_fault
from boardless_sim.faults.sensor import SensorFault
from boardless_sim.peripherals.peripheral import Peripheral

_SAID = {
    Why.LOCKUP: "lockup: a fault inside HardFault or NMI, or stacking failed",
    Why.ASLEEP: "asleep for good: no interrupt is enabled that could wake the core",
    Why.CAUGHT: "a fault that was waited for",
    Why.STACK: "a stack went into variables",
    Why.BKPT: "BKPT",
}
_DEFAULT_PORT = "USART2"
_CATCHABLE = {name.lower(): number for number, name in EXCEPTION_NAMES.items() if number <= 6}


class MonitorCommands:
    """Answers in text; what is wrong with a command is said in the answer."""

    def __init__(self, target: DebugTarget) -> None:
        self._target = target
        self._commands: dict[str, tuple[str, Callable[[list[str]], str]]] = {
            "reset": ("reset [halt]: power on again, the Flash as it is", self._reset),
            "halt": ("halt: nothing, the board stands already", lambda words: ""),
            "time": ("time: virtual time, cycles, instructions", self._time),
            "frame": ("frame FILE: show pictures to the camera", self._frame),
            "uart": ("uart [PORT] TEXT: a line into a USART; alone, its last lines", self._uart),
            "fault": (
                "fault NAME [FIELD=VALUE...]|none: what is wrong with the sensor from here on",
                self._fault,
            ),
            "irq": ("irq: active and pending exceptions", self._irq),
            "step-irq": ("step-irq on|off: whether a step enters handlers", self._step_irq),
            "catch": ("catch NAME...|none: stop where a fault is entered", self._catch),
            "peripherals": (
                "peripherals [NAME]: registers, without reading them",
                self._peripherals,
            ),
            "help": ("help: this list", self._help),
        }

    def run(self, line: str) -> str:
        """The answer to a command, lines with their ends."""
        words = line.split()
        command = self._commands.get(words[0] if words else "help")
        if command is None:
            return f"{words[0]!r}, expected one of: {', '.join(self._commands)}\n"
        try:
            return command[1](words[1:])
        except (BoardlessError, OSError) as error:
            return f"{error}\n"

    def words_of(self, stop: Stop) -> str:
        """What GDB cannot say of a stop."""
        said = _SAID.get(stop.why)
        if said is None:
            return ""
        found = examine(self._target.engine)
        head = f"{said} at {self._target.engine.time_us() / 1e3:.3f} ms\n"
        return head + "".join(f"{line}\n" for line in in_lines(found)) if found else head

    def _help(self, words: list[str]) -> str:
        return "".join(f"{text}\n" for text, _ in self._commands.values())

    def _reset(self, words: list[str]) -> str:
        self._target.reset()
        return "powered on\n"

    def _time(self, words: list[str]) -> str:
        engine, cycles = self._target.engine, self._target.stops.cycles()
        us = engine.machine.ps_at(cycles) / 1e6
        where = self._target.stops.position()
        instructions = where.instructions + where.step
        return f"{us:.3f} us, {cycles} cycles, {instructions} instructions\n"

    def _frame(self, words: list[str]) -> str:
        from boardless_sim.camera.source import open_frames

        if len(words) != 1:
            return "frame FILE, expected one file, folder or pattern:NAME\n"
        source = words[0] if ":" in words[0] else str(Path(words[0]))
        frames = list(open_frames(source, limit=1000))
        for frame in frames:
            self._target.engine.show(frame)
        self._target.note_input()
        return f"{len(frames)} frames before the lens\n"

    def _fault(self, words: list[str]) -> str:
        camera = self._target.engine.machine.devices.camera
        if not words:
            said = [str(fault) for fault in camera.faults]
            known = ", ".join(SENSOR_FAULTS)
            return f"now: {', '.join(said) or 'none'}; expected none or one of: {known}\n"
        faults: list[SensorFault] = []
        if words != ["none"]:
            name = " ".join(word for word in words if "=" not in word)
            values = dict(word.partition("=")[::2] for word in words if "=" in word)
            faults = [*camera.faults, make_sensor_fault(name, values)]
        self._target.engine.set_camera_faults(faults)
        self._target.note_input()
        return f"{len(faults)} faults\n"

    def _uart(self, words: list[str]) -> str:
        engine = self._target.engine
        if not words:
            lines = engine.uart_lines()[-10:]
            return "".join(f"{li.time_us / 1e3:10.3f} ms {li.port}: {li.text}\n" for li in lines)
        port = words.pop(0) if words[0] in engine.machine.devices.usarts else _DEFAULT_PORT
        engine.uart_send(port, " ".join(words).encode() + b"\n")
        self._target.note_input()
        return f"{port} will receive it\n"

    def _irq(self, words: list[str]) -> str:
        cpu = self._target.engine.machine.cpu
        icsr = cpu.peek(0xE000_ED04) or 0  # ICSR (DDI 0403E, B3.2.4)
        active, pending = icsr & 0x1FF, icsr >> 12 & 0x1FF
        return (
            f"active {_name(active)}, pending {_name(pending)}, "
            f"{self._target.stops.depth()} nested, {'asleep' if cpu.shared.sleeping else 'awake'}\n"
        )

    def _step_irq(self, words: list[str]) -> str:
        if words not in (["on"], ["off"]):
            return "step-irq on|off, expected one of them\n"
        self._target.steps_enter_handlers = words == ["on"]
        return f"a step {'enters' if words == ['on'] else 'passes through'} handlers\n"

    def _catch(self, words: list[str]) -> str:
        names = [] if words == ["none"] else [word.lower() for word in words]
        unknown = [name for name in names if name not in _CATCHABLE]
        if unknown or not words:
            return f"catch {' '.join(words)}, expected none or of: {', '.join(_CATCHABLE)}\n"
        self._target.stops.catch(_CATCHABLE[name] for name in names)
        return f"catches {', '.join(names) or 'nothing'}\n"

    def _peripherals(self, words: list[str]) -> str:
        devices = dict(self._target.engine.machine.devices.by_name)
        if not words:
            return "".join(f"{base:#010x} {name}\n" for name, (base, _) in devices.items())
        found = devices.get(words[0].upper())
        if found is None:
            return f"{words[0]!r}, expected one of: {', '.join(devices)}\n"
        base, device = found
        lines = []
        for offset in sorted(_offsets(device)):
            name, value = device.register_name(offset), device.peek(offset, 4)
            lines.append(f"{base + offset:#010x} {name:16} {value:#010x}\n")
        return "".join(lines)


def _offsets(device: Peripheral) -> set[int]:
    return {offset & ~3 for offset in device.registers}


def _name(exception: int) -> str:
    if exception == 0:
        return "none"
    return EXCEPTION_NAMES.get(exception, f"IRQ{exception - 16}")
