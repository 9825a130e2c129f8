"""Single-steps a corpus program and notes SP at every instruction of every function."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from unicorn import UC_ARCH_ARM, UC_HOOK_CODE, UC_MODE_MCLASS, UC_MODE_THUMB, Uc
from unicorn.arm_const import UC_ARM_REG_LR, UC_ARM_REG_SP, UC_CPU_ARM_CORTEX_M4

from boardless.stack.calls import UNWINDING, CallGraph
from boardless.stack.program import Program

_FLASH, _RAM, _SYSTEM = (0, 512 << 10), (0x2000_0000, 256 << 10), (0xE000_0000, 1 << 20)
_CPACR = 0xE000_ED88
MAX_INSTRUCTIONS = 3_000_000


@dataclass
class Execution:
    """`depths`: function to instruction to the depths seen there; `total`: with all it calls."""

    depths: dict[int, dict[int, set[int]]] = field(default_factory=dict)
    total: dict[int, int] = field(default_factory=dict)
    instructions: int = 0
    deepest: int = 0
    finished: bool = False


def execute(program: Program, graph: CallGraph) -> Execution:
    """From the reset vector to `finish`."""
    machine = Uc(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS)
    machine.ctl_set_cpu_model(UC_CPU_ARM_CORTEX_M4)
    for start, size in (_FLASH, _RAM, _SYSTEM):
        machine.mem_map(start, size)
    for segment in program.elf.segments:
        data = program.elf.raw[segment.offset : segment.offset + segment.file_size]
        machine.mem_write(segment.load_address, data)
    machine.mem_write(_CPACR, struct.pack("<I", 0xF << 20))
    top, reset = struct.unpack("<II", bytes(machine.mem_read(0, 8)))
    machine.reg_write(UC_ARM_REG_SP, top)
    watch = _Watch(program, graph, top)
    machine.hook_add(UC_HOOK_CODE, watch.step)
    machine.emu_start(reset | 1, program.by_name["finish"][0], count=MAX_INSTRUCTIONS)
    watch.seen.finished = watch.seen.instructions < MAX_INSTRUCTIONS
    return watch.seen


class _Watch:
    """A shadow of the call stack: who was entered, and where SP stood then."""

    def __init__(self, program: Program, graph: CallGraph, top: int) -> None:
        self._functions = graph.functions
        self._unwinding = [
            graph.functions[a] for n in UNWINDING for a in program.by_name.get(n, ())
        ]
        self._frames: list[tuple[int, int, int]] = []
        self._top = top
        self.seen = Execution()

    def step(self, machine: Uc, address: int, _size: int, _data: object) -> None:
        sp = machine.reg_read(UC_ARM_REG_SP)
        seen, frames = self.seen, self._frames
        seen.instructions += 1
        seen.deepest = max(seen.deepest, self._top - sp)
        while frames and (sp > frames[-1][1] or (sp == frames[-1][1] and self._left(address))):
            frames.pop()
        if address in self._functions and not (frames and self._is_inside(address, sp)):
            frames.append((address, sp, machine.reg_read(UC_ARM_REG_LR) & ~1))
        if not frames or any(f.address <= address < f.end for f in self._unwinding):
            return
        function, start, _ = frames[-1]
        seen.depths.setdefault(function, {}).setdefault(address, set()).add(start - sp)
        for entered, at, _ in frames:
            if at - sp > seen.total.get(entered, 0):
                seen.total[entered] = at - sp

    def _left(self, address: int) -> bool:
        entered, _, back = self._frames[-1]
        function = self._functions[entered]
        return address == back or not function.address <= address < function.end

    def _is_inside(self, address: int, sp: int) -> bool:
        """A function's own loop back to its start, or a label inside it."""
        function, start, _ = self._frames[-1]
        if address == function:
            return sp == start
        return function < address < self._functions[function].end
