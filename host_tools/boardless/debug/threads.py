"""Tasks of FreeRTOS as GDB's threads: names, and registers of those that do not run.

Found by the kernel's own symbols, so that nothing is asked of the firmware; without them there is
one thread, the core. The lists and the control block are laid out as `list.h` and `tasks.c` have
done since V9 (a trace facility or the MPU wrapper changes what stands behind the name only).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from boardless_sim.elf.image import FirmwareImage
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError

CORE = 1  # the one thread where there is no kernel, or it has not started
_LISTS = (
    "xDelayedTaskList1", "xDelayedTaskList2", "xPendingReadyList", "xSuspendedTaskList",
    "xTasksWaitingTermination",
)  # fmt: skip
_LIST_BYTES, _LIST_END = 20, 8
_NEXT, _OWNER = 4, 12  # of a list item
_TOP_OF_STACK, _NAME = 0, 52  # of a task control block
_NAME_BYTES, _MOST_TASKS = 16, 256
_EXC_RETURN_MASK, _BASIC_FRAME = 0xFFFF_FF00, 1 << 4
_SOFTWARE_FRAME = ("r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11")
_HARDWARE_FRAME = ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "xpsr")
_FP_WORDS, _FP_FRAME_WORDS = 16, 18  # s16-s31; s0-s15, FPSCR and a gap (DDI 0403E, B1.5.7)
_ALIGNED = 1 << 9  # xPSR: the entry moved SP by 4


@dataclass(frozen=True)
class _Task:
    block: int
    name: str


class Threads:
    """What GDB sees of the tasks; `look` anew after every stop."""

    def __init__(self, engine: NativeEngine, image: FirmwareImage) -> None:
        self._engine, self._image = engine, image
        self._tasks: dict[int, _Task] = {}
        self._saved: dict[str, int] | None = None
        self.current = CORE
        self.look()

    @property
    def numbers(self) -> list[int]:
        """Every thread's number, the running one's first."""
        return [self.current, *(number for number in self._tasks if number != self.current)]

    @property
    def is_parked(self) -> bool:
        """Whether the chosen thread is one that does not run."""
        return self._saved is not None

    def has(self, number: int) -> bool:
        """Whether there is such a thread."""
        return number in self.numbers

    def name(self, number: int) -> str:
        """A task's name."""
        task = self._tasks.get(number)
        return task.name if task is not None else self._engine.machine.board.chip.name

    def look(self) -> None:
        """The tasks as they are now; the running one is chosen."""
        self._saved = None
        self.current, self._tasks = CORE, {}
        running = self._word_at("pxCurrentTCB")
        if not running:
            return
        try:
            blocks = dict.fromkeys([running, *self._listed()])
            tasks = [_Task(block, self._name_of(block)) for block in blocks]
        except EngineError:
            return  # the kernel is not started: its lists point nowhere yet
        self._tasks = {task.block: task for task in tasks}
        self.current = running

    def choose(self, number: int) -> None:
        """Whose registers are read from here on; 0 and -1 are whichever runs."""
        task = self._tasks.get(number)
        self._saved = None if task is None or number == self.current else self._registers(task)

    def saved(self, register: str) -> int | None:
        """A register of a task that does not run; None: ask the core."""
        return None if self._saved is None else self._saved.get(register, 0)

    def _word(self, address: int) -> int:
        return int.from_bytes(self._engine.read_memory(address, 4), "little")

    def _word_at(self, symbol: str) -> int:
        found = self._image.symbols.get(symbol)
        return 0 if found is None else self._word(found.address)

    def _listed(self) -> Iterator[int]:
        ready = self._image.symbols.get("pxReadyTasksLists")
        lists = [
            self._image.symbols[name].address for name in _LISTS if name in self._image.symbols
        ]
        if ready is not None:
            lists += range(ready.address, ready.address + ready.size, _LIST_BYTES)
        for address in lists:
            yield from self._members(address)

    def _members(self, address: int) -> Iterator[int]:
        count = min(self._word(address), _MOST_TASKS)
        item = address + _LIST_END
        for _ in range(count):
            item = self._word(item + _NEXT)
            if item == address + _LIST_END:
                return
            yield self._word(item + _OWNER)

    def _name_of(self, block: int) -> str:
        raw = self._engine.read_memory(block + _NAME, _NAME_BYTES)
        return raw.partition(b"\0")[0].decode("ascii", "replace")

    def _registers(self, task: _Task) -> dict[str, int]:
        """As PendSV left them on the task's stack, below what the exception's entry stacked."""
        at = self._word(task.block + _TOP_OF_STACK)
        found: dict[str, int] = {}
        at = self._pop(at, _SOFTWARE_FRAME, found)
        exc_return = self._word(at)
        extended = False
        if exc_return & _EXC_RETURN_MASK == _EXC_RETURN_MASK:  # ports with an FPU stack it as well
            at += 4
            extended = not exc_return & _BASIC_FRAME
            at += 4 * _FP_WORDS if extended else 0
        at = self._pop(at, _HARDWARE_FRAME, found)
        at += 4 * _FP_FRAME_WORDS if extended else 0
        found["sp"] = found["psp"] = at + (4 if found["xpsr"] & _ALIGNED else 0)
        return found

    def _pop(self, at: int, names: tuple[str, ...], found: dict[str, int]) -> int:
        for offset, name in enumerate(names):
            found[name] = self._word(at + 4 * offset)
        return at + 4 * len(names)
