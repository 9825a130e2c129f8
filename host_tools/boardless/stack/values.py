"""What is known of a register on a way through the code, and arithmetic on it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeGuard

_MAX_STEPS = 6


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
    ARGUMENT = "the n-th word of the arguments"
    OTHER = "what no one knows, where an argument was"


class RegisterValue(NamedTuple):
    """A register's value. A FIELD of a constant address knows it; one behind a FIELD is `nested`.

    `of`: what pointed to the object that a FIELD or an INSIDE is of, where that is known. SHIFTED
    has its shift in `address`.
    """

    what: What
    number: int = 0
    address: int | None = None
    nested: bool = False
    of: RegisterValue | None = None


def agreed(one: RegisterValue | None, other: RegisterValue | None) -> RegisterValue | None:
    """What holds on two ways that meet."""
    if one == other:
        return one
    if one is None or other is None:
        return None
    one, other = one._replace(of=None), other._replace(of=None)
    return one if one == other and one.what in (What.FIELD, What.INSIDE) else None


def depth_of(value: RegisterValue | None) -> int:
    """How many objects were gone through to get there."""
    steps = 0
    while value is not None and steps < _MAX_STEPS:
        value, steps = value.of, steps + 1
    return steps


def plus(value: RegisterValue | None, number: int) -> RegisterValue | None:
    """A value and a number."""
    if number == 0:
        return value
    if value is None or value.what in (What.FIELD, What.ARGUMENT):
        nested = value is not None and value.what == What.FIELD
        return RegisterValue(What.INSIDE, number, nested=nested, of=value)
    if value.what == What.SP:
        return RegisterValue(What.SP, value.number - number)
    if value.what == What.INSIDE:
        return value._replace(number=value.number + number)
    if value.what in (What.CONSTANT, What.ELEMENT):
        return RegisterValue(value.what, value.number + number & 0xFFFFFFFF)
    return value if value.what == What.SP_LESS_UNKNOWN else None


def plus_register(
    left: RegisterValue | None, right: RegisterValue | None, sign: int
) -> RegisterValue | None:
    """Two registers' sum, or with `sign` -1 their difference."""
    movable = (What.SP, What.SP_LESS_UNKNOWN, *((What.CONSTANT,) if left is None else ()))
    if sign == 1 and right is not None and right.what in movable:
        left, right = right, left
    if left is None:
        return None
    if right is not None and right.what == What.CONSTANT:
        number = right.number - (1 << 32) if right.number >> 31 else right.number
        return plus(left, sign * number)
    if left.what in (What.SP, What.SP_LESS_UNKNOWN):
        return RegisterValue(What.SP_LESS_UNKNOWN)
    if left.what == What.CONSTANT and sign == 1 and right is None:
        return RegisterValue(What.ELEMENT, left.number)
    return None


def is_sp(value: RegisterValue | None) -> TypeGuard[RegisterValue]:
    """Whether it is an address of the stack, at a known distance."""
    return value is not None and value.what == What.SP
