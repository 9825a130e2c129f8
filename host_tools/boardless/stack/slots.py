"""The words of a frame: what was put there, and whether it is still so.

A word is named by how deep it lies below SP at the function's entry. At 0 and above stand the
arguments that the caller left on the stack; they are the function's own, to overwrite as it likes.
"""

from __future__ import annotations

from boardless.stack.values import RegisterValue, What

IN_REGISTERS = 4  # words of arguments, in r0 to r3
_OWN = (What.SP, What.RETURN)  # what only the function itself can have put there
_KEPT = (*_OWN, What.CONSTANT, What.ARGUMENT)

Saved = tuple[tuple[int, RegisterValue], ...]


class Slots:
    """The words of one frame at one place in the code."""

    def __init__(self, saved: Saved = ()) -> None:
        self._words = dict(saved)

    def saved(self) -> Saved:
        """All of them, to begin again from."""
        return tuple(self._words.items())

    def get(self, slot: int) -> RegisterValue | None:
        """What lies there: what was put there, or an argument of the caller's."""
        found = self._words.get(slot)
        if found is not None:
            return found if found.what != What.OTHER else None
        if slot > 0 or slot % 4:
            return None
        return RegisterValue(What.ARGUMENT, IN_REGISTERS - slot // 4)

    def put(self, slot: int, value: RegisterValue | None) -> None:
        """A word is stored; None: nobody knows which."""
        self._words.pop(slot, None)
        if value is not None and value.what in _KEPT:
            self._words[slot] = value
        elif slot <= 0:
            self._words[slot] = RegisterValue(What.OTHER)

    def blur(self, slot: int) -> None:
        """Something is stored from there up: an array's element, a structure.

        No object reaches from the frame into the arguments.
        """
        for place in [
            place for place in self._words if place <= slot and (place > 0) == (slot > 0)
        ]:
            if self._words[place].what not in _OWN:
                self.put(place, None)

    def forget(self) -> None:
        """A call or a store through a pointer: variables of the frame may be others now."""
        self.leave(0)

    def leave(self, depth: int) -> None:
        """SP goes up: what lies below it is no longer of the frame."""
        words = self._words
        for slot in [slot for slot in words if slot > depth and words[slot].what not in _OWN]:
            del words[slot]


def joined(old: Saved, new: Saved) -> Saved:
    """What two ways that meet agree on."""
    if old == new:
        return old
    both = tuple(item for item in old if item in new)
    known = {slot for slot, _ in both}
    lost = {slot for slot, _ in (*old, *new) if slot <= 0} - known
    return both + tuple((slot, RegisterValue(What.OTHER)) for slot in sorted(lost))
