"""What is known of the registers and of the frame on one way through the code."""

from __future__ import annotations

from typing import NamedTuple

from boardless.stack.ops import Action, Operation
from boardless.stack.program import Program
from boardless.stack.slots import IN_REGISTERS, Saved, Slots, joined
from boardless.stack.values import RegisterValue, What, agreed, depth_of, is_sp, plus, plus_register
from boardless_sim.elf.thumb import LR, PC, SP

_POINTING = (What.FIELD, What.INSIDE, What.ARGUMENT)
_MAX_STEPS = 4  # objects that are gone through
_CLOBBERED = (0, 1, 2, 3, 12, LR)  # by a call (AAPCS32, 6.1.1)


class Known(NamedTuple):
    """What was known where a way began, to begin again from."""

    depth: int
    words: tuple[RegisterValue | None, ...]
    saved: Saved


class Registers:
    """The registers' values, the words of the frame, and how deep SP stands.

    `taken` collects functions whose address is made; `realigns` tells that SP was rounded.
    """

    def __init__(self, program: Program, hides_arguments: bool) -> None:
        self._program = program
        self.hides_arguments = hides_arguments  # a pointer to those on the stack exists
        self.depth = 0
        self.words: list[RegisterValue | None] = [None] * 16
        for number in range(IN_REGISTERS):
            self.words[number] = RegisterValue(What.ARGUMENT, number)
        self.words[LR] = RegisterValue(What.RETURN)
        self.slots = Slots()
        self.taken: set[int] = set()
        self.stored: list[tuple[RegisterValue | None, RegisterValue]] = []
        self.realigns = False

    def known(self) -> Known:
        """All of it."""
        return Known(self.depth, tuple(self.words), self.slots.saved())

    def set_to(self, known: Known) -> None:
        """Begin again from there."""
        self.depth, self.words, self.slots = known.depth, list(known.words), Slots(known.saved)

    def value(self, register: int) -> RegisterValue | None:
        """What is known of a register."""
        if register == SP:
            return RegisterValue(What.SP, self.depth)
        return None if register == PC else self.words[register]

    def object_in(self, register: int) -> RegisterValue | None:
        """As `value`, where it does not matter that it is an argument."""
        value = self.value(register)
        return None if value is not None and value.what == What.ARGUMENT else value

    def result(self, address: int, found: Operation) -> RegisterValue | None:
        """What an operation makes."""
        action, y, z = found.action, found.y, found.z
        if action == Action.ADD:
            return plus(self.value(y), z) if z else self.value(y)
        if action in (Action.ADD_REGISTER, Action.SUBTRACT_REGISTER):
            sign = 1 if action == Action.ADD_REGISTER else -1
            return plus_register(self.object_in(y), self.object_in(z), sign)
        if action == Action.CONSTANT:
            return RegisterValue(What.CONSTANT, y)
        if action == Action.TOP:
            return self._with_top(self.words[found.x] if found.x < PC else None, y)
        if action == Action.SHIFT_LEFT:
            return self._shifted(self.value(y), z)
        if action == Action.SHIFT_RIGHT:
            value = self.value(y)
            return value._replace(what=What.SHIFTED, address=z) if is_sp(value) else None
        if action == Action.ALIGN:
            return self._aligned(self.value(y), z)
        if action in (Action.ADDRESS, Action.LITERAL):
            at = ((address + 4) & ~3) + y
            return self._pointer(at) if action == Action.ADDRESS else self._constant_at(at)
        return self._loaded(self.value(y), z, action == Action.LOAD_INDEXED)

    def _with_top(self, low: RegisterValue | None, top: int) -> RegisterValue | None:
        if low is None or low.what != What.CONSTANT:
            return None
        return self._pointer(low.number & 0xFFFF | top << 16)

    def _shifted(self, value: RegisterValue | None, shift: int) -> RegisterValue | None:
        if value is not None and value.what == What.SHIFTED and value.address == shift:
            return self._aligned(RegisterValue(What.SP, value.number), 1 << shift)
        if value is None or value.what != What.CONSTANT:
            return None
        return RegisterValue(What.CONSTANT, value.number << shift & 0xFFFFFFFF)

    def _aligned(self, value: RegisterValue | None, multiple: int) -> RegisterValue | None:
        """The most that rounding down may take: SP is a multiple of 4 at every entry."""
        if value is None:
            return None
        if value.what == What.SP:
            self.realigns = True
            return RegisterValue(What.SP, value.number + max(multiple - 4, 0))
        return value if value.what == What.SP_LESS_UNKNOWN else None

    def _constant_at(self, address: int) -> RegisterValue | None:
        word = self._program.constant(address)
        return None if word is None else RegisterValue(What.CONSTANT, word)

    def _loaded(
        self, base: RegisterValue | None, offset: int, is_indexed: bool
    ) -> RegisterValue | None:
        if base is not None and base.what in (What.CONSTANT, What.ELEMENT):
            at = base.number + (0 if is_indexed else offset) & 0xFFFFFFFF
            is_indexed = is_indexed or base.what == What.ELEMENT
            word = self._program.constant(at)
            if is_indexed:
                return None if word is None else RegisterValue(What.TABLE, at)
            if word is not None:
                return RegisterValue(What.CONSTANT, word)
            return RegisterValue(What.FIELD, offset, at)
        if is_sp(base) and not is_indexed:
            return self._word(base.number - offset)
        if is_indexed or (base is not None and base.what not in _POINTING):
            return None
        of = base if depth_of(base) < _MAX_STEPS else None
        if base is not None and base.what == What.INSIDE:
            return RegisterValue(What.FIELD, base.number + offset, nested=base.nested, of=base.of)
        nested = base is not None and base.what != What.ARGUMENT
        return RegisterValue(What.FIELD, offset, nested=nested, of=of)

    def _word(self, slot: int) -> RegisterValue | None:
        return None if slot <= 0 and self.hides_arguments else self.slots.get(slot)

    def _pointer(self, number: int) -> RegisterValue:
        if number & 1 and number - 1 in self._program.functions:
            self.taken.add(number - 1)
        return RegisterValue(What.CONSTANT, number)

    # ---- what instructions do ----

    def assign(self, address: int, found: Operation, conditional: bool) -> None:
        """A register other than SP and PC gets what the operation makes."""
        value = self.result(address, found)
        if is_sp(value) and value.number <= 0:
            self.hides_arguments = True
        self.words[found.x] = value if not conditional else None

    def load_two(self, found: Operation, conditional: bool) -> None:
        """LDRD."""
        base = self.value(found.y)
        values = [self._loaded(base, found.z + more, False) for more in (0, 4)]
        for register, value in zip((found.x, found.w), values, strict=True):
            if register < SP:
                self.words[register] = None if conditional else value

    def store(self, found: Operation, conditional: bool) -> None:
        """What a store leaves in the frame, and what it may have changed there."""
        if found.action == Action.STORE:
            self._note_stored(found)
        base = self.object_in(found.y)
        if not is_sp(base):
            if base is None or base.what not in (What.CONSTANT, What.ELEMENT):
                self.slots.forget()
        elif found.action == Action.STORE_SOME:
            self.slots.blur(base.number)
        else:
            for more, register in ((0, found.x), (4, found.w)):
                if register >= 0:
                    value = None if conditional else self.value(register)
                    self.slots.put(base.number - found.z - more, value)
        if found.action == Action.STORE_SOME and 0 <= found.x < SP:
            self.words[found.x] = None

    def _note_stored(self, found: Operation) -> None:
        """Where a function's address or an argument is put; on the stack it is the frame's."""
        base = self.value(found.y)
        for more, register in ((0, found.x), (4, found.w)):
            value = self.value(register) if register >= 0 else None
            if value is not None and not is_sp(base) and self._may_be_called(value):
                place = self._loaded(base, found.z + more, False)
                is_place = place is not None and place.what == What.FIELD
                self.stored.append((place if is_place else None, value))

    def _may_be_called(self, value: RegisterValue) -> bool:
        if value.what == What.CONSTANT:
            return value.number & 1 == 1 and value.number - 1 in self._program.functions
        return value.what == What.ARGUMENT

    def save(self, mask: int) -> None:
        """Remember what was pushed."""
        slot = self.depth
        for register in range(16):
            if mask >> register & 1:
                self.slots.put(slot, self.words[register])
                slot -= 4

    def restore(self, mask: int) -> None:
        """What was pushed comes back."""
        slot = self.depth
        for register in range(16):
            if mask >> register & 1:
                if register not in (SP, PC):
                    self.words[register] = self._word(slot)
                slot -= 4

    def forget(self) -> None:
        """A call: what it may overwrite."""
        for register in _CLOBBERED:
            self.words[register] = None
        self.slots.forget()

    def passed(self, number: int) -> RegisterValue | None:
        """The n-th word that a call here hands over (AAPCS32, 6.4)."""
        if number < IN_REGISTERS:
            return self.words[number]
        return self.slots.get(self.depth - 4 * (number - IN_REGISTERS))


def met(depth: int, old: Known, new: Known) -> Known:
    """What two ways that meet agree on, at a depth."""
    words = old.words
    if words != new.words:
        words = tuple(map(agreed, words, new.words))
    return Known(depth, words, joined(old.saved, new.saved))
