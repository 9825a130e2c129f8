"""Where functions' addresses are put: by code into variables and members, by the image into data.

A call through `ops.read` reaches whom somebody put into an `ops.read`. A function whose address
goes where it cannot be followed may be anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from boardless.stack.prototypes import Prototypes
from boardless.stack.scan import Scan
from boardless.stack.values import RegisterValue, What

_MAX_HANDS = 4  # calls that an address is handed on through


@dataclass
class _Places:
    """Where one function's address is put: members and variables by name, by address, by offset.

    `unnamed`: offsets into objects whose type is not known. `within`: how far from the beginning of
    such an object. `is_lost`: somewhere else too, or perhaps.
    """

    names: set[str] = field(default_factory=set)
    addresses: set[int] = field(default_factory=set)
    offsets: set[int] = field(default_factory=set)
    unnamed: set[int] = field(default_factory=set)
    within: set[int] = field(default_factory=set)
    is_lost: bool = False


class Stores:
    """The places of every function whose address is taken.

    `taken_in` gives the functions of the code that make an address, `held` the addresses in data
    that hold one and how far they lie in their object (None: in none that has a symbol); `walk`
    walks a function with its registers.
    """

    def __init__(
        self,
        types: Prototypes,
        taken_in: Iterable[tuple[int, int]],
        held: Iterable[tuple[int, int, int | None]],
        walk: Callable[[int], Scan],
    ) -> None:
        self._types = types
        self._walk = walk
        self._places: dict[int, _Places] = {}
        for function, address, distance in held:
            self._hold(self._of(function), address, distance)
        for function, caller in taken_in:
            value = RegisterValue(What.CONSTANT, function | 1)
            self._of(function).is_lost |= not self._follow(function, caller, value, _MAX_HANDS)

    def may_hold(
        self, caller: int, through: RegisterValue, functions: Iterable[int]
    ) -> tuple[int, ...]:
        """Those of some functions that may lie where a call's pointer comes from."""
        place = self._types.place(caller, through)
        name = "" if place is None else place.name
        return tuple(function for function in functions if self._is_there(function, name, through))

    def are_put_into(self, functions: Iterable[int], owners: Collection[str]) -> tuple[int, ...]:
        """Those of some functions that a member of a structure of these names was given."""
        return tuple(
            function
            for function in functions
            if function in self._places
            and any(name.partition(".")[0] in owners for name in self._places[function].names)
        )

    def _hold(self, places: _Places, address: int, distance: int | None) -> None:
        """A word of the image holds the function."""
        places.addresses.add(address)
        name = self._types.variable_name(address)
        if name:
            places.names.add(name)
            places.offsets.update(self._types.distances(address))
        elif distance is not None:
            places.within.add(distance)
        else:
            places.is_lost = True

    def _of(self, function: int) -> _Places:
        return self._places.setdefault(function, _Places())

    def _is_there(self, function: int, name: str, through: RegisterValue) -> bool:
        places = self._places.get(function)
        if places is None or places.is_lost:
            return True
        if through.address is not None and through.address in places.addresses:
            return True
        # a pointer leads to an object's beginning or into it, so that what lies behind is nearer
        if any(through.number <= distance for distance in places.within):
            return True
        if name:
            return name in places.names or through.number in places.unnamed
        if through.address is not None:  # a store through a pointer may be one into this variable
            return bool(places.offsets)
        return through.number in places.offsets

    def _follow(self, function: int, caller: int, value: RegisterValue, hands: int) -> bool:
        """Note where a caller puts a value; False where it may have gone somewhere else."""
        scan = self._walk(caller)
        if scan.exhausted:
            return False
        settled = any(site.through == value for site in scan.indirect.values())
        settled |= value.what == What.CONSTANT and any(
            call.target == function for call in scan.calls.values()
        )
        for place, stored in scan.stored:
            if stored == value:
                settled = True
                self._put(function, caller, place)
        for target, number in _handed(scan, value):
            if not hands or not self._follow(
                function, target, RegisterValue(What.ARGUMENT, number), hands - 1
            ):
                return False
            settled = True
        return settled

    def _put(self, function: int, caller: int, place: RegisterValue | None) -> None:
        places = self._of(function)
        if place is None:
            places.is_lost = True
            return
        found = self._types.place(caller, place)
        if found is not None:
            places.names.add(found.name)
        if place.address is not None:
            places.addresses.add(place.address)
            return
        places.offsets.add(place.number)
        if found is None:
            places.unnamed.add(place.number)


def _handed(scan: Scan, value: RegisterValue) -> Iterator[tuple[int, int]]:
    """The callees that are given a value, and as which word."""
    for (_, target), words in scan.passed.items():
        for number, word in enumerate(words):
            if word == value:
                yield target, number
