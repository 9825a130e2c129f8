"""SP through the code of one function: its own frame, and how deep it stands at every call.

A walk follows every branch from the entry and carries what is known of the registers: SP at the
entry less n, a constant, a word of read-only memory. Where two ways meet, the deeper one counts and
registers that differ are forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeGuard

from boardless.budget.stack.ops import Action, Operation, operation
from boardless.budget.stack.program import Code, Program
from boardless_sim.thumb import LR, PC, SP

_MAX_RAISES = 4
_MEETING, _ENTERING = 4, 20  # steps' worth of time
_CLOBBERED = (0, 1, 2, 3, 12, LR)
_CASE_HELPERS = {
    "__gnu_thumb1_case_uqi": (1, False),
    "__gnu_thumb1_case_sqi": (1, True),
    "__gnu_thumb1_case_uhi": (2, False),
    "__gnu_thumb1_case_shi": (2, True),
    "__gnu_thumb1_case_si": (4, True),
}


class What(Enum):
    """What is known of a register."""

    SP = "SP at the entry less n"
    SP_LESS_UNKNOWN = "SP less a number that only a run knows"
    CONSTANT = "the number n"
    RETURN = "the return address"
    FIELD = "a word n bytes into an object"
    INSIDE = "n bytes into an object"
    TABLE = "a word of the read-only table at n"
    ELEMENT = "an address in a table at n"
    SHIFTED = "SP at the entry less n, shifted right"


class Value(NamedTuple):
    """A register's value. A FIELD of a constant address knows it; one behind a FIELD is `nested`.

    SHIFTED has its shift in `address`.
    """

    what: What
    number: int = 0
    address: int | None = None
    nested: bool = False


class DirectCall(NamedTuple):
    """A call or a tail call whose target the code states."""

    at: int
    target: int
    depth: int
    is_tail: bool


class IndirectCall(NamedTuple):
    """A call or a tail call through a register."""

    at: int
    depth: int
    is_tail: bool
    through: Value | None


@dataclass
class Scan:
    """What a walk through one function found. Depths are bytes below SP at its entry."""

    address: int
    own_bytes: int = 0
    calls: dict[tuple[int, int], DirectCall] = field(default_factory=dict)
    indirect: dict[int, IndirectCall] = field(default_factory=dict)
    depths: dict[int, int] = field(default_factory=dict)
    returns: bool = False
    dynamic_at: int | None = None
    unknown_sp_at: int | None = None
    grows_at: int | None = None
    lost_at: int | None = None
    exhausted: bool = False
    realigns: bool = False
    taken: set[int] = field(default_factory=set)


class _State(NamedTuple):
    depth: int
    registers: tuple[Value | None, ...]
    saved: tuple[tuple[int, Value], ...]  # what lies so deep on the stack


class Fuel:
    """A limit on instructions, so that no ELF can make the analysis run on."""

    def __init__(self, steps: int) -> None:
        self.steps = steps


def scan_function(program: Program, entry: int, never_return: set[int], fuel: Fuel) -> Scan:
    """Walk one function; calls of `never_return` end their path."""
    return _Walk(program, entry, never_return, fuel).run()


_known: dict[int, Operation] = {}
_NO_CODE = Code(0, 0, b"", memoryview(b"").cast("H"))


class _Walk:
    def __init__(self, program: Program, entry: int, never_return: set[int], fuel: Fuel) -> None:
        self._program = program
        self._never_return = never_return
        self._fuel = fuel
        self._entry = entry
        function = program.functions.get(entry)
        self._end = function.end if function is not None else entry
        self._scan = Scan(entry)
        start: list[Value | None] = [None] * 16
        start[LR] = Value(What.RETURN)
        self._met: dict[int, _State] = {}
        self._raises: dict[int, int] = {}
        self._work: list[int] = []
        self._depth = 0
        self._registers = start
        self._saved: dict[int, Value] = {}
        self._conditional = 0
        fuel.steps -= _ENTERING
        self._code = _NO_CODE
        self._plain_until: int = Action.PLAIN
        self._asks = False

    def run(self) -> Scan:
        """Without the registers at first; most functions never ask for them."""
        self._walk(plain_until=Action.LOAD_INDEXED)
        if self._asks:
            self._scan = Scan(self._entry)
            self._met.clear()
            self._raises.clear()
            self._work.clear()
            self._asks = False
            self._depth, self._registers = 0, [None] * 16
            self._registers[LR] = Value(What.RETURN)
            self._saved = {}
            self._walk(plain_until=Action.PLAIN)
        return self._scan

    def _walk(self, plain_until: int) -> None:
        self._plain_until = plain_until
        self._meet(self._entry)
        while self._work and not self._scan.exhausted and not self._asks:
            self._follow(self._work.pop())

    def _meet(self, address: int) -> bool:
        """Bring the present state to a leader; whether it says anything new there."""
        self._fuel.steps -= _MEETING
        new = _State(self._depth, tuple(self._registers), tuple(self._saved.items()))
        old = self._met.get(address)
        if old is None:
            self._met[address] = new
            self._work.append(address)
            return True
        if old == new:
            return False
        joined = self._joined(address, old, new)
        if joined == old:
            return False
        self._met[address] = joined
        self._work.append(address)
        return True

    def _joined(self, address: int, old: _State, new: _State) -> _State:
        depth = old.depth
        if new.depth > depth:
            raises = self._raises[address] = self._raises.get(address, 0) + 1
            if raises <= _MAX_RAISES:
                depth = new.depth
            else:
                self._scan.grows_at = address
        registers = tuple(
            a if a == b else None for a, b in zip(old.registers, new.registers, strict=True)
        )
        saved = tuple(item for item in old.saved if item in new.saved)
        return _State(depth, registers, saved)

    def _follow(self, address: int) -> None:
        """Straight on from a leader until the path ends or meets another leader."""
        state = self._met[address]
        self._depth, self._registers = state.depth, list(state.registers)
        self._saved, self._conditional = dict(state.saved), 0
        registers, met, depths = self._registers, self._met, self._scan.depths
        literals = self._program.literal_starts
        start, plain_until = address, self._plain_until
        while address == start or (address not in met and address not in literals):
            found = self._fetch(address)
            if found is None:
                return
            depths[address] = self._depth
            size, action, _, _, _, kills, asks = found
            if plain_until:
                if asks:
                    self._asks = True
                    return
            else:
                for register in kills:
                    registers[register] = None
            if action > plain_until or self._conditional:
                was_conditional = self._conditional > 0
                if was_conditional:
                    self._conditional -= 1
                if not self._do(address, found, was_conditional) and not was_conditional:
                    return
            address += size
        if address in met:
            self._meet(address)

    def _fetch(self, address: int) -> Operation | None:
        """The operation at an address; None where the ELF has no code for it, or too much."""
        code = self._code
        if not code.start <= address < code.end:
            found = self._program.code_at(address)
            if found is None:
                self._scan.lost_at = address
                return None
            self._code = code = found
        self._fuel.steps -= 1
        if self._fuel.steps < 0:
            self._scan.exhausted = True
            return None
        place = address - code.start >> 1
        key = code.halfwords[place]
        if key >= 0xE800:
            if address + 4 > code.end:
                self._scan.lost_at = address
                return None
            key = key << 16 | code.halfwords[place + 1]
        known = _known.get(key)
        if known is None:
            wide = key > 0xFFFF
            known = _known[key] = operation(key >> 16 if wide else key, key & 0xFFFF if wide else 0)
        return known

    def _do(self, address: int, found: Operation, conditional: bool) -> bool:
        """Carry out one operation; whether the next instruction follows."""
        action = found.action
        if action == Action.PLAIN:
            return True
        if action <= Action.LOAD_INDEXED:
            if found.x == PC:
                self._jump_register(address, self._result(address, found))
                return False
            self._assign(address, found, conditional)
            return True
        if action == Action.MOVE_SP:
            if found.x < 0 or not conditional:
                self._deepen(self._depth - found.x)
            return True
        if action in (Action.PUSH, Action.POP):
            return self._move(found, conditional)
        if action == Action.SP_UNKNOWN:
            self._set_sp(address, None)
            return True
        if action == Action.IT:
            self._conditional = found.x
            return True
        return self._control(address, found)

    # ---- registers ----

    def _value(self, register: int) -> Value | None:
        if register == SP:
            return Value(What.SP, self._depth)
        return None if register == PC else self._registers[register]

    def _assign(self, address: int, found: Operation, conditional: bool) -> None:
        target = found.x
        value = self._result(address, found)
        if target == SP:
            if found.action == Action.ALIGN and value is not None:
                self._scan.realigns = True
            if conditional and value is not None and value.what == What.SP:
                value = Value(What.SP, max(self._depth, value.number))
            self._set_sp(address, value)
        else:
            self._registers[target] = value if not conditional else None

    def _result(self, address: int, found: Operation) -> Value | None:
        action, y, z = found.action, found.y, found.z
        if action == Action.ADD:
            return _plus(self._value(y), z)
        if action in (Action.ADD_REGISTER, Action.SUBTRACT_REGISTER):
            sign = 1 if action == Action.ADD_REGISTER else -1
            return _plus_register(self._value(y), self._value(z), sign)
        if action == Action.CONSTANT:
            return Value(What.CONSTANT, y)
        if action == Action.TOP:
            return self._with_top(self._registers[found.x] if found.x < PC else None, y)
        if action == Action.SHIFT_LEFT:
            return self._shifted(self._value(y), z)
        if action == Action.SHIFT_RIGHT:
            value = self._value(y)
            return value._replace(what=What.SHIFTED, address=z) if _is_sp(value) else None
        if action == Action.ALIGN:
            return self._aligned(self._value(y), z)
        if action in (Action.ADDRESS, Action.LITERAL):
            at = ((address + 4) & ~3) + y
            return self._pointer(at) if action == Action.ADDRESS else self._constant_at(at)
        return self._loaded(self._value(y), z, action == Action.LOAD_INDEXED)

    def _pointer(self, number: int) -> Value:
        if number & 1 and number - 1 in self._program.functions:
            self._scan.taken.add(number - 1)
        return Value(What.CONSTANT, number)

    def _with_top(self, low: Value | None, top: int) -> Value | None:
        if low is None or low.what != What.CONSTANT:
            return None
        return self._pointer(low.number & 0xFFFF | top << 16)

    def _shifted(self, value: Value | None, shift: int) -> Value | None:
        if value is not None and value.what == What.SHIFTED and value.address == shift:
            return self._aligned(Value(What.SP, value.number), 1 << shift)
        if value is None or value.what != What.CONSTANT:
            return None
        return Value(What.CONSTANT, value.number << shift & 0xFFFFFFFF)

    def _aligned(self, value: Value | None, multiple: int) -> Value | None:
        """The most that rounding down may take: SP is a multiple of 4 at every entry."""
        if value is None:
            return None
        if value.what == What.SP:
            self._scan.realigns = True
            return Value(What.SP, value.number + max(multiple - 4, 0))
        return value if value.what == What.SP_LESS_UNKNOWN else None

    def _constant_at(self, address: int) -> Value | None:
        word = self._program.constant(address)
        return None if word is None else Value(What.CONSTANT, word)

    def _loaded(self, base: Value | None, offset: int, is_indexed: bool) -> Value | None:
        if base is not None and base.what in (What.CONSTANT, What.ELEMENT):
            at = base.number + (0 if is_indexed else offset) & 0xFFFFFFFF
            is_indexed = is_indexed or base.what == What.ELEMENT
            word = self._program.constant(at)
            if is_indexed:
                return None if word is None else Value(What.TABLE, at)
            if word is not None:
                return Value(What.CONSTANT, word)
            return Value(What.FIELD, offset, at)
        if is_indexed or (base is not None and base.what not in (What.FIELD, What.INSIDE)):
            return None
        if base is not None and base.what == What.INSIDE:
            return Value(What.FIELD, base.number + offset, nested=base.nested)
        return Value(What.FIELD, offset, nested=base is not None)

    def _set_sp(self, address: int, value: Value | None) -> None:
        if value is not None and value.what == What.SP:
            self._deepen(value.number)
        elif value is not None and value.what == What.CONSTANT:
            self._depth = 0  # start-up code puts SP where the vector table does
        elif value is not None and value.what == What.SP_LESS_UNKNOWN:
            self._scan.dynamic_at = address
        elif self._scan.dynamic_at is None:
            self._scan.unknown_sp_at = address

    # ---- the stack ----

    def _deepen(self, depth: int) -> None:
        self._depth = depth
        if depth > self._scan.own_bytes:
            self._scan.own_bytes = depth

    def _move(self, found: Operation, conditional: bool) -> bool:
        if found.action == Action.PUSH:
            self._deepen(self._depth + found.x)
            self._save(found.y)
            return True
        goes_on = True
        slot = self._depth
        for register in range(16):
            if not found.y >> register & 1:
                continue
            if register == PC:
                self._scan.returns = True
                goes_on = False
            elif register != SP:
                self._registers[register] = self._saved.get(slot)
            slot -= 4
        if not conditional:
            self._depth -= found.x
        return goes_on

    def _save(self, mask: int) -> None:
        """Remember where SP and the return address were pushed."""
        slot = self._depth
        for register in range(16):
            if not mask >> register & 1:
                continue
            value = self._registers[register]
            self._saved.pop(slot, None)
            if value is not None and value.what in (What.SP, What.RETURN):
                self._saved[slot] = value
            slot -= 4

    # ---- control ----

    def _control(self, address: int, found: Operation) -> bool:
        action = found.action
        if action == Action.CALL:
            return self._call(address, address + found.x & 0xFFFFFFFF, found.size)
        if action == Action.JUMP:
            self._branch(address, address + found.x & 0xFFFFFFFF)
            return False
        if action == Action.BRANCH:
            self._branch(address, address + found.x & 0xFFFFFFFF)
            return True
        if action == Action.CALL_REGISTER:
            return self._call_register(address, found.x)
        if action == Action.JUMP_REGISTER:
            value = self._value(found.x)
            if found.x == LR and (value is None or value.what != What.CONSTANT):
                value = Value(What.RETURN)  # whatever LR was loaded from, BX lr goes back
            self._jump_register(address, value)
            return False
        if action == Action.TABLE:
            self._table(address + 4, found.x, False)
            return False
        if action == Action.ADD_TO_PC:
            self._add_to_pc(address)
            return False
        return False  # STOP

    def _branch(self, address: int, target: int) -> None:
        inside = self._entry <= target < self._end
        if not inside and (target in self._program.functions and target != self._entry):
            self._tail(address, target)
        else:
            self._meet(target)

    def _tail(self, address: int, target: int) -> None:
        self._note(DirectCall(address, target, self._depth, True))
        if target not in self._never_return:
            self._scan.returns = True

    def _note(self, call: DirectCall) -> None:
        key = call.at, call.target
        old = self._scan.calls.get(key)
        if old is None or old.depth < call.depth:
            self._scan.calls[key] = call

    def _call(self, address: int, target: int, size: int) -> bool:
        function = self._program.functions.get(target)
        if function is None and self._entry < target < self._end:
            # ARMv6-M's far jump within a long function, or a local subroutine of assembly
            self._meet(target)
            self._forget()
            return True
        self._note(DirectCall(address, target, self._depth, False))
        if function is not None and function.name in _CASE_HELPERS:
            width, has_sign = _CASE_HELPERS[function.name]
            table = address + size if width < 4 else (address + size + 3) & ~3
            self._table(table, width, has_sign, address + size)
            return False
        self._forget()
        return target not in self._never_return

    def _forget(self) -> None:
        for register in _CLOBBERED:
            self._registers[register] = None

    def _call_register(self, address: int, register: int) -> bool:
        value = self._value(register)
        if value is not None and value.what == What.CONSTANT and value.number & 1:
            return self._call(address, value.number & ~1, 2)
        self._note_indirect(IndirectCall(address, self._depth, False, value))
        self._forget()
        return True

    def _note_indirect(self, call: IndirectCall) -> None:
        old = self._scan.indirect.get(call.at)
        if old is not None:
            through = call.through if call.through == old.through else None
            call = IndirectCall(call.at, max(call.depth, old.depth), call.is_tail, through)
        self._scan.indirect[call.at] = call

    def _jump_register(self, address: int, value: Value | None) -> None:
        if value is not None and value.what == What.RETURN:
            self._scan.returns = True
        elif value is not None and value.what == What.CONSTANT:
            self._branch(address, value.number & ~1)
        elif value is not None and value.what == What.TABLE and self._words(value.number):
            return
        else:
            self._note_indirect(IndirectCall(address, self._depth, True, value))
            self._scan.returns = True

    # ---- jump tables ----

    def _words(self, table: int) -> bool:
        """Jump through a table of addresses in the code; whether it was one."""
        limit, at, found = 1 << 32, table, False
        while at < limit and (word := self._program.constant(at)) is not None:
            target = word & ~1
            if not self._entry <= target < self._end:
                break
            found = True
            self._meet(target)
            limit = min(limit, target) if target > table else limit
            at += 4
            if self._fuel.steps < 0:
                break
            self._fuel.steps -= 1
        return found

    def _add_to_pc(self, address: int) -> None:
        """clang's jump table for ARMv6-M: LDRB or LDRH, LSLS, ADD pc, then the distances."""
        code = self._program.code_at(address - 4)
        load = code.halfwords[address - 4 - code.start >> 1] if code is not None else 0
        if load >> 11 == 0xF or load >> 9 == 0x2E:
            self._table(address + 2, 1, False, address + 4)
        elif load >> 11 == 0x11 or load >> 9 == 0x2D:
            self._table(address + 2, 2, False, address + 4)
        else:
            self._jump_register(address, None)

    def _table(self, table: int, width: int, has_sign: bool, base: int | None = None) -> None:
        """Distances behind the branch, up to the first target or to where code is marked again."""
        code = self._program.code_at(table)
        if code is None:
            self._scan.lost_at = table
            return
        base = table if base is None else base
        limit = min(self._program.next_code(table) or code.end, code.end)
        at = table
        while at + width <= limit and self._fuel.steps >= 0:
            self._fuel.steps -= 1
            place = at - code.start
            number = int.from_bytes(code.data[place : place + width], "little", signed=has_sign)
            target = base + number * (1 if width == 4 else 2)
            if not code.start <= target < code.end:
                break
            self._meet(target)
            if target > table:
                limit = min(limit, target)
            at += width


def _plus(value: Value | None, number: int) -> Value | None:
    if number == 0:
        return value
    if value is None or value.what == What.FIELD:
        return Value(What.INSIDE, number, nested=value is not None)
    if value.what == What.SP:
        return Value(What.SP, value.number - number)
    if value.what == What.INSIDE:
        return value._replace(number=value.number + number)
    if value.what in (What.CONSTANT, What.ELEMENT):
        return Value(value.what, value.number + number & 0xFFFFFFFF)
    return value if value.what == What.SP_LESS_UNKNOWN else None


def _plus_register(left: Value | None, right: Value | None, sign: int) -> Value | None:
    movable = (What.SP, What.SP_LESS_UNKNOWN, *((What.CONSTANT,) if left is None else ()))
    if sign == 1 and right is not None and right.what in movable:
        left, right = right, left
    if left is None:
        return None
    if right is not None and right.what == What.CONSTANT:
        number = right.number - (1 << 32) if right.number >> 31 else right.number
        return _plus(left, sign * number)
    if left.what in (What.SP, What.SP_LESS_UNKNOWN):
        return Value(What.SP_LESS_UNKNOWN)
    if left.what == What.CONSTANT and sign == 1 and right is None:
        return Value(What.ELEMENT, left.number)
    return None


def _is_sp(value: Value | None) -> TypeGuard[Value]:
    return value is not None and value.what == What.SP
