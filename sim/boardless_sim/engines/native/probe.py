"""What each call of a function costs: cycles, instructions, sleep, stack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boardless_sim.engines.native.engine import NativeEngine

_THUMB = 1
_SPSEL = 2  # CONTROL: the process stack is in use (DDI 0403E, B1.4.4)


@dataclass(frozen=True)
class CallCost:
    """One call, from its first instruction to its return, interrupts in between included.

    `stack_bytes`: how far its stack went below where it stood at the call.
    """

    start_cycle: int
    cycles: int
    instructions: int
    sleep_cycles: int
    stack_bytes: int


@dataclass(frozen=True)
class _Entry:
    """Where a call began, and the stack marks of the probe around it."""

    returns_to: int
    sp: int
    on_process_stack: bool
    cycles: int
    instructions: int
    sleep_cycles: int
    outer_marks: tuple[int, int]


class CallProbe:
    """Watches a function. A call within a call of it counts as part of the outer one.

    `entered` is called where a call begins, its arguments in r0 to r3; `left` where it has
    returned, its result in r0.
    """

    def __init__(
        self,
        engine: NativeEngine,
        address: int,
        left: Callable[[CallCost], None],
        entered: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._left, self._entered = left, entered
        self._call: _Entry | None = None
        engine.watch(address, self._enter)

    def _enter(self) -> None:
        engine, shared = self._engine, self._engine.machine.cpu.shared
        sp = engine.read_register("sp")
        if self._call is not None:
            if sp < self._call.sp:
                return
            self._end(self._call)  # it never returned: a longjmp, or a reset of the board
        call = self._call = _Entry(
            returns_to=engine.read_register("lr") & ~_THUMB,
            sp=sp,
            on_process_stack=bool(engine.read_register("control") & _SPSEL),
            cycles=engine.cycles(),
            instructions=engine.instructions(),
            sleep_cycles=engine.sleep_cycles(),
            outer_marks=(shared.probed_msp, shared.probed_psp),
        )
        if call.on_process_stack:
            shared.probed_psp = sp
        else:
            shared.probed_msp = sp
        engine.watch(call.returns_to, self._return)
        self._entered()

    def so_far(self) -> CallCost | None:
        """What the call in progress has cost until now; None where there is none."""
        return None if self._call is None else self._cost(self._call)

    def _return(self) -> None:
        call = self._call
        if call is None or self._engine.read_register("sp") != call.sp:
            return
        cost = self._cost(call)
        self._end(call)
        self._left(cost)

    def _cost(self, call: _Entry) -> CallCost:
        engine, shared = self._engine, self._engine.machine.cpu.shared
        lowest = shared.probed_psp if call.on_process_stack else shared.probed_msp
        return CallCost(
            start_cycle=call.cycles,
            cycles=engine.cycles() - call.cycles,
            instructions=engine.instructions() - call.instructions,
            sleep_cycles=engine.sleep_cycles() - call.sleep_cycles,
            stack_bytes=call.sp - lowest,
        )

    def _end(self, call: _Entry) -> None:
        """Give the marks back to the probe around this one."""
        shared = self._engine.machine.cpu.shared
        self._call = None
        self._engine.unwatch(call.returns_to, self._return)
        shared.probed_msp = min(shared.probed_msp, call.outer_marks[0])
        shared.probed_psp = min(shared.probed_psp, call.outer_marks[1])
