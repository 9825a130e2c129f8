"""SP through the code of one function: its own frame, and how deep it stands at every call.

A walk follows every branch from the entry and carries what is known of the registers: SP at the
entry less n, a constant, an argument, a word of read-only memory. Where two ways meet, the deeper
one counts and registers that differ are forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from boardless.stack.jump_tables import CASE_HELPERS, added_to_pc, addresses, distances
from boardless.stack.ops import Action, Operation, operation
from boardless.stack.program import Code, Function, Program
from boardless.stack.registers import Known, Registers, met
from boardless.stack.scan import DirectCall, Fuel, IndirectCall, Scan
from boardless.stack.values import RegisterValue, What, agreed
from boardless_sim.elf.thumb import LR, PC, SP

_MAX_RAISES = 4
_MEETING, _ENTERING = 4, 20  # steps' worth of time
_ARGUMENTS = 12  # words of them that are followed


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
    """`_knows_registers`: the first walk of a function does without, for most never ask."""

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
        self._function = program.functions.get(entry) or Function(entry, 0, ())
        self._notes_arguments = notes_arguments
        self._conditional = 0
        fuel.steps -= _ENTERING
        self._code = _NO_CODE
        self._knows_registers = False
        self._asks = False
        self._start(hides_arguments=False)

    def _start(self, *, hides_arguments: bool) -> None:
        self._state = Registers(self._program, hides_arguments)
        self._scan = Scan(
            self._function.address, taken=self._state.taken, stored=self._state.stored
        )
        self._met: dict[int, Known] = {}
        self._raises: dict[int, int] = {}
        self._work: list[int] = []
        self._asks = False

    def run(self) -> Scan:
        """Without the registers at first; most functions never ask for them."""
        if not self._notes_arguments:
            self._walk()
            if not self._asks:
                return self._scan
        self._knows_registers = True
        self._start(hides_arguments=False)
        self._walk()
        if self._state.hides_arguments:
            self._start(hides_arguments=True)
            self._walk()
        self._scan.realigns = self._state.realigns
        return self._scan

    def _walk(self) -> None:
        self._meet(self._function.address)
        while self._work and not self._scan.exhausted and not self._asks:
            self._follow(self._work.pop())

    def _meet(self, address: int) -> bool:
        """Bring the present state to a leader; whether it says anything new there."""
        self._fuel.steps -= _MEETING
        new = self._state.known() if self._knows_registers else Known(self._state.depth, (), ())
        old = self._met.get(address)
        if old is None:
            self._met[address] = new
            self._work.append(address)
            return True
        if old == new:
            return False
        joined = met(self._deeper(address, old.depth, new.depth), old, new)
        if joined == old:
            return False
        self._met[address] = joined
        self._work.append(address)
        return True

    def _deeper(self, address: int, old: int, new: int) -> int:
        """The depth where two ways meet; one that grows each time round has no end."""
        if new <= old:
            return old
        raises = self._raises[address] = self._raises.get(address, 0) + 1
        if raises <= _MAX_RAISES:
            return new
        self._scan.grows_at = address
        return old

    def _follow(self, address: int) -> None:  # noqa: C901 - a call an instruction costs as much
        """Straight on from a leader until the path ends or meets another leader."""
        begin, state = self._met[address], self._state
        self._conditional, knows = 0, self._knows_registers
        if knows:
            state.set_to(begin)
        else:
            state.depth = begin.depth
        plain_until = Action.PLAIN if knows else Action.STORE_SOME
        registers, leaders, depths, depth = state.words, self._met, self._scan.depths, begin.depth
        operations = _OPERATIONS
        code = self._code_at(address)
        halfwords, low, limit = code.halfwords, code.start, self._program.run_from(address, code)
        start = address
        while address < limit and (address not in leaders or address == start):
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
                depth = state.depth
            address += size
        self._spend(address - start)
        if address in leaders and address != start:
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
                self._jump_register(address, self._state.result(address, found))
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

    # ---- SP ----

    def _assign(self, address: int, found: Operation, conditional: bool) -> None:
        if found.x != SP:
            self._state.assign(address, found, conditional)
            return
        value = self._state.result(address, found)
        if conditional and value is not None and value.what == What.SP:
            value = RegisterValue(What.SP, max(self._state.depth, value.number))
        self._set_sp(address, value)

    def _set_sp(self, address: int, value: RegisterValue | None) -> None:
        if value is not None and value.what == What.SP:
            self._deepen(value.number)
        elif value is not None and value.what == What.CONSTANT:
            self._state.depth = 0  # start-up code puts SP where the vector table does
        elif value is not None and value.what == What.SP_LESS_UNKNOWN:
            self._scan.dynamic_at = address
        elif self._scan.dynamic_at is None:
            self._switch(address, value)

    def _switch(self, address: int, value: RegisterValue | None) -> None:
        """SP gets a number from elsewhere: another stack's, where it cannot be this one's.

        A word of memory is what a scheduler saved; before a function has pushed anything, what it
        puts into SP is where it begins. Neither makes this stack deeper.
        """
        is_saved = value is not None and value.what == What.FIELD
        if is_saved or not self._state.depth:
            self._scan.switches_at = address
        else:
            self._scan.unknown_sp_at = address

    def _reach(self, found: Operation, conditional: bool) -> None:
        if found.action == Action.LOAD_TWO:
            self._state.load_two(found, conditional)
        else:
            self._state.store(found, conditional)

    def _deepen(self, depth: int) -> None:
        self._state.depth = depth
        if depth > self._scan.own_bytes:
            self._scan.own_bytes = depth

    def _move(self, found: Operation, conditional: bool) -> bool:
        """SP goes down or up, registers with it; whether the next instruction follows."""
        if found.action == Action.PUSH:
            self._deepen(self._state.depth + found.x)
            if self._knows_registers:
                self._state.save(found.y)
            return True
        returns = found.action == Action.POP and found.y >> PC & 1 == 1
        if found.action == Action.POP and self._knows_registers:
            self._state.restore(found.y)
        if found.x < 0 or not conditional:
            self._deepen(self._state.depth - found.x)
            self._state.slots.leave(self._state.depth)
        self._scan.returns |= returns
        return not returns

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
            value = self._state.value(found.x)
            if found.x == LR and (value is None or value.what != What.CONSTANT):
                value = RegisterValue(What.RETURN)  # whatever LR was loaded from, BX lr goes back
            self._jump_register(address, value)
            return False
        if action == Action.TABLE:
            self._table(address + 4, address + 4, found.x, False)
            return False
        if action == Action.ADD_TO_PC:
            self._add_to_pc(address)
            return False
        return False  # STOP

    def _branch(self, address: int, target: int) -> None:
        start = self._function.address
        inside = start <= target < self._function.end
        if not inside and (target in self._program.functions and target != start):
            self._tail(address, target)
        else:
            self._meet(target)

    def _tail(self, address: int, target: int) -> None:
        self._note(DirectCall(address, target, self._state.depth, True))
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

    def _argument(self, number: int) -> RegisterValue | None:
        return None if self._conditional else self._state.passed(number)

    def _call(self, address: int, target: int, size: int) -> bool:
        function = self._program.functions.get(target)
        if function is None and self._function.address < target < self._function.end:
            # ARMv6-M's far jump within a long function, or a local subroutine of assembly
            self._meet(target)
            self._forget()
            return True
        self._note(DirectCall(address, target, self._state.depth, False))
        if function is not None and function.name in CASE_HELPERS:
            width, has_sign = CASE_HELPERS[function.name]
            table = address + size if width < 4 else (address + size + 3) & ~3
            self._table(table, address + size, width, has_sign)
            return False
        self._forget()
        return target not in self._never_return

    def _forget(self) -> None:
        if self._knows_registers:
            self._state.forget()

    def _call_register(self, address: int, register: int) -> bool:
        value = self._state.value(register)
        if value is not None and value.what == What.CONSTANT and value.number & 1:
            return self._call(address, value.number & ~1, 2)
        self._note_indirect(IndirectCall(address, self._state.depth, False, value))
        self._forget()
        return True

    def _note_indirect(self, call: IndirectCall) -> None:
        old = self._scan.indirect.get(call.at)
        if old is not None:
            through = agreed(call.through, old.through)
            call = IndirectCall(call.at, max(call.depth, old.depth), call.is_tail, through)
        self._scan.indirect[call.at] = call

    def _jump_register(self, address: int, value: RegisterValue | None) -> None:
        if value is not None and value.what == What.RETURN:
            self._scan.returns = True
        elif value is not None and value.what == What.CONSTANT and value.number:
            self._branch(address, value.number & ~1)
        elif value is not None and value.what == What.CONSTANT:  # a weak function that is not there
            self._note_indirect(IndirectCall(address, self._state.depth, True, value))
        elif value is not None and value.what == What.TABLE and self._words(value.number):
            return
        else:
            self._note_indirect(IndirectCall(address, self._state.depth, True, value))
            self._scan.returns = True

    # ---- jump tables ----

    def _words(self, table: int) -> bool:
        """Jump through a table of addresses in the code; whether it was one."""
        return self._go_to(addresses(self._program, self._function, table, self._fuel))

    def _add_to_pc(self, address: int) -> None:
        width = added_to_pc(self._program, address)
        if width:
            self._table(address + 2, address + 4, width, False)
        else:
            self._jump_register(address, None)

    def _table(self, table: int, base: int, width: int, has_sign: bool) -> None:
        if self._program.code_at(table) is None:
            self._scan.lost_at = table
            return
        self._go_to(distances(self._program, table, base, width, has_sign, self._fuel))

    def _go_to(self, targets: Iterable[int]) -> bool:
        is_any = False
        for target in targets:
            is_any = True
            self._meet(target)
        return is_any
