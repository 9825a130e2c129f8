"""SP through the code of one function: its own frame, and how deep it stands at every call.

A walk follows every branch from the entry and carries what is known of the registers: SP at the
entry less n, a constant, an argument, a word of read-only memory. Where two ways meet, the deeper
one counts and registers that differ are forgotten.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from boardless.stack.ops import Action, Operation, operation
from boardless.stack.program import Code, Program
from boardless.stack.slots import IN_REGISTERS, Saved, Slots, joined
from boardless.stack.values import Value, What, is_sp, plus, plus_register
from boardless_sim.elf.thumb import LR, PC, SP

_MAX_RAISES = 4
_MEETING, _ENTERING = 4, 20  # steps' worth of time
_CLOBBERED = (0, 1, 2, 3, 12, LR)
_ARGUMENTS = 12  # words of them that are followed
_CASE_HELPERS = {
    "__gnu_thumb1_case_uqi": (1, False),
    "__gnu_thumb1_case_sqi": (1, True),
    "__gnu_thumb1_case_uhi": (2, False),
    "__gnu_thumb1_case_shi": (2, True),
    "__gnu_thumb1_case_si": (4, True),
}


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
    passed: dict[tuple[int, int], tuple[Value | None, ...]] = field(default_factory=dict)


class _State(NamedTuple):
    depth: int
    registers: tuple[Value | None, ...]
    saved: Saved


class Fuel:
    """A limit on instructions, so that no ELF can make the analysis run on."""

    def __init__(self, steps: int) -> None:
        self.steps = steps


def scan_function(program: Program, entry: int, never_return: Collection[int], fuel: Fuel) -> Scan:
    """Walk one function; calls of `never_return` end their path."""
    return _Walk(program, entry, never_return, fuel).run()


def scan_arguments(program: Program, entry: int, never_return: Collection[int], fuel: Fuel) -> Scan:
    """As `scan_function`; what every direct call hands over is in `passed`, by `calls`' keys."""
    return _Walk(program, entry, never_return, fuel, notes_arguments=True).run()


class _Operations(dict[int, Operation]):
    """The operation of a halfword, or of two; each is read once a process."""

    def __missing__(self, key: int) -> Operation:
        wide = key > 0xFFFF
        found = self[key] = operation(key >> 16, key & 0xFFFF) if wide else operation(key, 0)
        return found


_OPERATIONS = _Operations()
_NO_CODE = Code(0, 0, b"", memoryview(b"").cast("H"))


class _Walk:
    def __init__(
        self,
        program: Program,
        entry: int,
        never_return: Collection[int],
        fuel: Fuel,
        *,
        notes_arguments: bool = False,
    ) -> None:
        self._program = program
        self._never_return = never_return
        self._fuel = fuel
        self._entry = entry
        self._notes_arguments = notes_arguments
        function = program.functions.get(entry)
        self._end = function.end if function is not None else entry
        self._conditional = 0
        fuel.steps -= _ENTERING
        self._code = _NO_CODE
        self._knows_registers = False
        self._asks = False
        self._hides_arguments = False  # a pointer to those on the stack exists
        self._start()

    def _start(self) -> None:
        self._scan = Scan(self._entry)
        self._met: dict[int, _State] = {}
        self._raises: dict[int, int] = {}
        self._work: list[int] = []
        self._asks = False
        self._depth = 0
        self._registers: list[Value | None] = [None] * 16
        for number in range(IN_REGISTERS):
            self._registers[number] = Value(What.ARGUMENT, number)
        self._registers[LR] = Value(What.RETURN)
        self._slots = Slots()

    def run(self) -> Scan:
        """Without the registers at first; most functions never ask for them."""
        if not self._notes_arguments:
            self._walk()
            if not self._asks:
                return self._scan
        self._knows_registers = True
        self._start()
        self._walk()
        if self._hides_arguments:
            self._start()
            self._walk()
        return self._scan

    def _walk(self) -> None:
        self._meet(self._entry)
        while self._work and not self._scan.exhausted and not self._asks:
            self._follow(self._work.pop())

    def _meet(self, address: int) -> bool:
        """Bring the present state to a leader; whether it says anything new there."""
        self._fuel.steps -= _MEETING
        new = _State(self._depth, (), ())
        if self._knows_registers:
            new = _State(self._depth, tuple(self._registers), self._slots.saved())
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
        registers = old.registers
        if registers != new.registers:
            registers = tuple(
                [a if a == b else None for a, b in zip(registers, new.registers, strict=True)]
            )
        return _State(depth, registers, joined(old.saved, new.saved))

    def _follow(self, address: int) -> None:  # noqa: C901 - a call an instruction costs as much
        """Straight on from a leader until the path ends or meets another leader."""
        state = self._met[address]
        self._depth, self._conditional = state.depth, 0
        knows = self._knows_registers
        if knows:
            self._registers, self._slots = list(state.registers), Slots(state.saved)
        plain_until = Action.PLAIN if knows else Action.STORE_SOME
        registers, met, depths, depth = self._registers, self._met, self._scan.depths, state.depth
        operations = _OPERATIONS
        code = self._code_at(address)
        halfwords, low, limit = code.halfwords, code.start, self._program.run_from(address, code)
        start = address
        while address < limit and (address not in met or address == start):
            key = halfwords[address - low >> 1]
            if key >= 0xE800:
                if address + 4 > code.end:
                    break
                key = key << 16 | halfwords[(address - low >> 1) + 1]
            found = operations[key]
            depths[address] = depth
            size, action, _, _, _, kills, asks, _ = found
            if knows:
                for register in kills:
                    registers[register] = None
            elif asks:
                self._asks = True
                return
            if action > plain_until or self._conditional:
                was_conditional = self._conditional > 0
                if was_conditional:
                    self._conditional -= 1
                if not self._do(address, found, was_conditional) and not was_conditional:
                    self._spend(address + size - start)
                    return
                depth = self._depth
            address += size
        self._spend(address - start)
        if address in met and address != start:
            self._meet(address)
        elif address + 4 > code.end and address not in self._program.literal_starts:
            self._scan.lost_at = address

    def _code_at(self, address: int) -> Code:
        """The section of an address; one without a byte where the ELF has no code for it."""
        if not self._code.start <= address < self._code.end:
            self._code = self._program.code_at(address) or Code(
                address, address, b"", _NO_CODE.halfwords
            )
        return self._code

    def _spend(self, walked_bytes: int) -> None:
        self._fuel.steps -= walked_bytes // 2
        if self._fuel.steps < 0:
            self._scan.exhausted = True

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
        if action <= Action.STORE_SOME:
            self._reach(found, conditional)
            return True
        if action <= Action.POP:
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

    def _object(self, register: int) -> Value | None:
        """As `_value`, where it does not matter that it is an argument."""
        value = self._value(register)
        return None if value is not None and value.what == What.ARGUMENT else value

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
            if is_sp(value) and value.number <= 0 and not self._hides_arguments:
                self._hides_arguments = True
            self._registers[target] = value if not conditional else None

    def _result(self, address: int, found: Operation) -> Value | None:
        action, y, z = found.action, found.y, found.z
        if action == Action.ADD:
            return plus(self._object(y), z) if z else self._value(y)
        if action in (Action.ADD_REGISTER, Action.SUBTRACT_REGISTER):
            sign = 1 if action == Action.ADD_REGISTER else -1
            return plus_register(self._object(y), self._object(z), sign)
        if action == Action.CONSTANT:
            return Value(What.CONSTANT, y)
        if action == Action.TOP:
            return self._with_top(self._registers[found.x] if found.x < PC else None, y)
        if action == Action.SHIFT_LEFT:
            return self._shifted(self._value(y), z)
        if action == Action.SHIFT_RIGHT:
            value = self._value(y)
            return value._replace(what=What.SHIFTED, address=z) if is_sp(value) else None
        if action == Action.ALIGN:
            return self._aligned(self._value(y), z)
        if action in (Action.ADDRESS, Action.LITERAL):
            at = ((address + 4) & ~3) + y
            return self._pointer(at) if action == Action.ADDRESS else self._constant_at(at)
        return self._loaded(self._object(y), z, action == Action.LOAD_INDEXED)

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
        if is_sp(base) and not is_indexed:
            return self._word(base.number - offset)
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

    def _reach(self, found: Operation, conditional: bool) -> None:
        if found.action == Action.LOAD_TWO:
            self._load_two(found, conditional)
        else:
            self._store(found, conditional)

    def _word(self, slot: int) -> Value | None:
        return None if slot <= 0 and self._hides_arguments else self._slots.get(slot)

    def _load_two(self, found: Operation, conditional: bool) -> None:
        base = self._object(found.y)
        values = [self._loaded(base, found.z + more, False) for more in (0, 4)]
        for register, value in zip((found.x, found.w), values, strict=True):
            if register < SP:
                self._registers[register] = None if conditional else value

    def _store(self, found: Operation, conditional: bool) -> None:
        """What a store leaves in the frame, and what it may have changed there."""
        base = self._object(found.y)
        if not is_sp(base):
            if base is None or base.what not in (What.CONSTANT, What.ELEMENT):
                self._slots.forget()
        elif found.action == Action.STORE_SOME:
            self._slots.blur(base.number)
        else:
            for more, register in ((0, found.x), (4, found.w)):
                if register >= 0:
                    value = None if conditional else self._value(register)
                    self._slots.put(base.number - found.z - more, value)
        if found.action == Action.STORE_SOME and 0 <= found.x < SP:
            self._registers[found.x] = None

    def _deepen(self, depth: int) -> None:
        self._depth = depth
        if depth > self._scan.own_bytes:
            self._scan.own_bytes = depth

    def _move(self, found: Operation, conditional: bool) -> bool:
        """SP goes down or up, registers with it; whether the next instruction follows."""
        if found.action == Action.PUSH:
            self._deepen(self._depth + found.x)
            if self._knows_registers:
                self._save(found.y)
            return True
        returns = found.action == Action.POP and found.y >> PC & 1 == 1
        if found.action == Action.POP and self._knows_registers:
            self._restore(found.y)
        if found.x < 0 or not conditional:
            self._deepen(self._depth - found.x)
            self._slots.leave(self._depth)
        self._scan.returns |= returns
        return not returns

    def _save(self, mask: int) -> None:
        """Remember what was pushed."""
        slot = self._depth
        for register in range(16):
            if mask >> register & 1:
                self._slots.put(slot, self._registers[register])
                slot -= 4

    def _restore(self, mask: int) -> None:
        slot = self._depth
        for register in range(16):
            if mask >> register & 1:
                if register not in (SP, PC):
                    self._registers[register] = self._word(slot)
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
        if self._notes_arguments:
            now = tuple(self._argument(number) for number in range(_ARGUMENTS))
            before = self._scan.passed.get(key, now)
            self._scan.passed[key] = tuple(
                a if a == b else None for a, b in zip(before, now, strict=True)
            )

    def _argument(self, number: int) -> Value | None:
        if self._conditional:
            return None
        if number < IN_REGISTERS:
            return self._registers[number]
        return self._slots.get(self._depth - 4 * (number - IN_REGISTERS))

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
        if self._knows_registers:
            for register in _CLOBBERED:
                self._registers[register] = None
            self._slots.forget()

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
