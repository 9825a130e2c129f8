"""Semihosting: BKPT 0xAB asks the host for something (Arm IHI 0100).

Only text output is answered; everything else fails with -1 and is named in the log.
"""

from __future__ import annotations

from collections.abc import Callable

from boardless_sim.core.cpu import Cpu

_BKPT_AB = b"\xab\xbe"
_SYS_WRITEC, _SYS_WRITE0 = 0x03, 0x04
_FAILED = 0xFFFF_FFFF
_MAX_TEXT_BYTES = 4096


class Semihosting:
    """Sends each byte of text to `on_output`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.on_output: Callable[[int], None] = lambda byte: None

    def call(self, cpu: Cpu) -> bool:
        """Answer the call at which the CPU stands. False: an ordinary breakpoint."""
        pc = cpu.register("pc")
        at = next((a for a in (pc, pc - 2) if cpu.read(a, 2) == _BKPT_AB), None)
        if at is None:
            return False
        operation, parameter = cpu.register("r0"), cpu.register("r1")
        if operation == _SYS_WRITEC:
            self.on_output(cpu.read(parameter, 1)[0])
        elif operation == _SYS_WRITE0:
            self._write_text(cpu, parameter)
        else:
            self._say(f"semihosting operation {operation:#x} is not modelled")
            cpu.set_register("r0", _FAILED)
        cpu.set_register("pc", at + 2)
        return True

    def _write_text(self, cpu: Cpu, address: int) -> None:
        for offset in range(_MAX_TEXT_BYTES):
            byte = cpu.read(address + offset, 1)[0]
            if byte == 0:
                return
            self.on_output(byte)
