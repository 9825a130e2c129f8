"""Stops for a debugger: before an instruction, after a count of them, at an access to memory.

A stop costs no virtual time (`debug.h`): the run under stops is the run without. An IT block counts
as one instruction, as Unicorn cannot stop inside it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from unicorn.unicorn_const import UC_HOOK_CODE

from boardless_sim.core.cpu import NEVER, Cpu
from boardless_sim.core.library import Where
from boardless_sim.core.timing import analyse_block, instructions_of
from boardless_sim.errors import EngineError

WATCHES = 32  # CORE_WATCHES of debug.h
EVERY_LEVEL = 0xFFFF_FFFF  # more active exceptions than there can be


class WatchAccess(IntFlag):
    """What a watchpoint looks for (`WATCH_WRITE` and `WATCH_READ` of debug.h)."""

    WRITE = 1
    READ = 2


@dataclass(frozen=True)
class Watchpoint:
    """Accesses of the core to `size` bytes from `address`; a DMA's are none, as on the chip."""

    address: int
    size: int
    access: WatchAccess


class Position(NamedTuple):
    """A place in the run; later ones are greater.

    `instructions` were executed before the block that runs, `exceptions` taken. `asleep_at` is the
    cycle where the core sleeps, else `NEVER`. `step` stops came before this one in the block.
    """

    instructions: int
    exceptions: int
    asleep_at: int
    step: int


@dataclass(frozen=True)
class Hit:
    """The access that a watchpoint was waiting for."""

    address: int
    access: WatchAccess


class Stops:
    """A debugger's hold on a CPU; `close` gives it back, and nothing is slower again."""

    def __init__(self, cpu: Cpu) -> None:
        self._cpu = cpu
        self._breakpoints: dict[int, ctypes.c_size_t | None] = {}
        self._watches: list[Watchpoint | None] = [None] * WATCHES
        self._every: ctypes.c_size_t | None = None
        if cpu.library.core_attach(cpu.core):
            raise EngineError("native engine: no memory for breakpoints")

    def close(self) -> None:
        """Take every stop away."""
        for address in self.breakpoints:
            self.remove(address)
        self._hook_everything(False)
        self._cpu.library.core_detach(self._cpu.core)

    # ---- what to stop at ----

    @property
    def breakpoints(self) -> tuple[int, ...]:
        """Where the CPU stops before it executes."""
        return tuple(self._breakpoints)

    @property
    def watchpoints(self) -> tuple[Watchpoint, ...]:
        """The accesses that it stops before."""
        return tuple(watch for watch in self._watches if watch is not None)

    def add(self, address: int) -> None:
        """Stop before the instruction at an address, in Flash or RAM."""
        address &= ~1
        if address not in self._breakpoints:
            hook = self._hook(address) if self._every is None else None
            self._breakpoints[address] = hook
        self._cpu.library.core_break(self._cpu.core, address, 1)

    def remove(self, address: int) -> None:
        """Take a breakpoint away; harmless where none is."""
        address &= ~1
        hook = self._breakpoints.pop(address, None)
        self._cpu.library.core_break(self._cpu.core, address, 0)
        if hook is not None:
            self._unhook(hook)
            self._cpu.forget_translation(address, 2)

    def watch(self, watchpoint: Watchpoint) -> None:
        """Stop before an access. Raises `EngineError` when there are too many."""
        if watchpoint in self._watches:
            return
        if None not in self._watches:
            raise EngineError(f"watchpoint {WATCHES + 1}, expected at most {WATCHES}")
        slot = self._watches.index(None)
        self._watches[slot] = watchpoint
        self._set_watch(slot, watchpoint.address, watchpoint.size, watchpoint.access)

    def unwatch(self, watchpoint: Watchpoint) -> None:
        """Take a watchpoint away; harmless where none is."""
        if watchpoint in self._watches:
            slot = self._watches.index(watchpoint)
            self._watches[slot] = None
            self._set_watch(slot, 0, 0, WatchAccess(0))

    def _set_watch(self, slot: int, address: int, size: int, access: WatchAccess) -> None:
        self._cpu.library.core_watch_access(self._cpu.core, slot, address, size, int(access))

    def halt_at(self, instructions: int = NEVER) -> None:
        """Stop before the block that has the instruction after so many since power-on."""
        self._cpu.library.core_halt_at(self._cpu.core, instructions)

    # ---- going on ----

    def go_on(self, *, may_step_soon: bool = False) -> None:
        """The next run passes the instruction at which the CPU stands.

        `may_step_soon`: slower, but all code need not be translated anew for a step that follows.
        """
        self._hook_everything(any(self._watches) or (may_step_soon and self._every is not None))
        self._cpu.library.core_go_on(self._cpu.core)

    def step(
        self, count: int = 1, *, deepest: int = EVERY_LEVEL, within: tuple[int, int] = (0, 0)
    ) -> None:
        """The next run stops after `count` instructions.

        Those of handlers with more than `deepest` active exceptions are not counted, nor are those
        from `within[0]` up to `within[1]`.
        """
        self._hook_everything(True)
        self._cpu.library.core_step(self._cpu.core, count, deepest, *within)

    def settle(self) -> None:
        """The next run stops before the very next instruction, wherever that is.

        So that time is the same whatever brought the CPU to a stop there. For a CPU that does not
        stand inside a block.
        """
        self._hook_everything(True)
        self._cpu.library.core_settle(self._cpu.core)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Breakpoints, watchpoints and catches do not stop; steps and `halt_at` do."""
        self._cpu.library.core_mute(self._cpu.core, 1)
        try:
            yield
        finally:
            self._cpu.library.core_mute(self._cpu.core, 0)

    def catch(self, exceptions: Iterable[int]) -> None:
        """Stop where one of these system exceptions is entered, and at no other."""
        mask = sum(1 << number for number in exceptions)
        self._cpu.library.core_catch(self._cpu.core, mask)

    def caught(self) -> int:
        """The exception whose entry the last stop was for; 0 where it was not."""
        return self.where().caught

    def want_stop(self, wanted: bool = True) -> None:
        """Come back before the next slice of the run: the one call that any thread may make."""
        self._cpu.library.core_want_stop(self._cpu.core, int(wanted))

    # ---- where the CPU stands ----

    def where(self) -> Where:
        """The block in progress, and the watchpoint that was hit."""
        where = Where()
        self._cpu.library.core_get_where(self._cpu.core, ctypes.addressof(where))
        return where

    def position(self) -> Position:
        """Where the CPU stands in the run."""
        where = self.where()
        return Position(
            instructions=where.block_instructions,
            exceptions=where.exceptions_taken,
            asleep_at=shared.cycles if (shared := self._cpu.shared).sleeping else NEVER,
            step=len(list(self._stops_before(where))),
        )

    def cycles(self) -> int:
        """Virtual time in cycles before the instruction at which the CPU stands."""
        where = self.where()
        return where.block_cycles + self._so_far(where)[0]

    def hit(self) -> Hit | None:
        """The watchpoint that the last stop was for."""
        where = self.where()
        return Hit(where.watch_address, WatchAccess(where.watch_kind)) if where.watch_kind else None

    def is_hit(self) -> bool:
        """Whether a breakpoint or a watchpoint is what the CPU stands at."""
        return self._cpu.register("pc") in self._breakpoints or self.hit() is not None

    def depth(self) -> int:
        """How many exceptions are active."""
        return self.where().active_count

    def jump(self, address: int) -> None:
        """Go on elsewhere; what was counted of the block beyond this instruction is taken back."""
        where = self.where()
        if where.inside_block:
            cycles, instructions = self._so_far(where)
            self._cpu.library.core_leave_block(
                self._cpu.core,
                where.block_cycles + cycles,
                where.block_instructions + instructions,
            )
        self._cpu.set_register("pc", address)

    def _so_far(self, where: Where) -> tuple[int, int]:
        """Cycles and instructions of the block in progress before the one at which it stands."""
        size = self._cpu.register("pc") - where.block_address
        if not where.inside_block or size <= 0:
            return 0, 0
        facts = analyse_block(where.block_address, self._cpu.read(where.block_address, size))
        return facts.cycles, facts.instructions

    def _stops_before(self, where: Where) -> Iterator[int]:
        """Addresses in the block in progress before this one where the CPU could have stopped."""
        size = self._cpu.register("pc") - where.block_address
        if not where.inside_block or size <= 0:
            return
        conditional = 0
        code = self._cpu.read(where.block_address, size)
        for offset, _ in instructions_of(where.block_address, code):
            if conditional:
                conditional -= 1
                continue
            yield where.block_address + offset
            halfword = code[offset] | code[offset + 1] << 8
            if halfword & 0xFF00 == 0xBF00 and halfword & 0xF:  # IT (DDI 0403E, A7.7.38)
                conditional = 4 - ((halfword & -halfword).bit_length() - 1)

    # ---- hooks ----

    def _hook(self, first: int | None = None) -> ctypes.c_size_t:
        if first is None:
            hook = self._cpu.add_hook(UC_HOOK_CODE, "core_on_code")
        else:
            hook = self._cpu.add_hook(UC_HOOK_CODE, "core_on_code", first, first)
            self._cpu.forget_translation(first, 2)
        return hook

    def _unhook(self, hook: ctypes.c_size_t) -> None:
        self._cpu.remove_hook(hook)

    def _hook_everything(self, wanted: bool) -> None:
        """A hook on every instruction costs three times the speed: only to step and to watch."""
        if wanted == (self._every is not None):
            return
        if wanted:
            for address, hook in self._breakpoints.items():
                if hook is not None:
                    self._unhook(hook)
                self._breakpoints[address] = None
            self._every = self._hook()
        elif self._every is not None:
            self._unhook(self._every)
            self._every = None
            for address in self._breakpoints:
                self._breakpoints[address] = self._hook(address)
        self._cpu.forget_translations()
