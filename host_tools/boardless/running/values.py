"""A variable's bytes as C would write them, by its type in the debug information."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from boardless_sim.visible import visible

if TYPE_CHECKING:
    from elftools.dwarf.die import DIE

_BEHIND = frozenset(
    {"DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type", "DW_TAG_atomic_type"}
)
_RECORDS = frozenset({"DW_TAG_structure_type", "DW_TAG_class_type"})
_POINTERS = frozenset({"DW_TAG_pointer_type", "DW_TAG_reference_type"})
_MOST_NESTING = 24
_SHOWN_ITEMS = 6
_FLOATS = {4: "<f", 8: "<d"}
# DW_ATE_* of DWARF 5, 7.8.
_BOOLEAN, _FLOAT, _SIGNED, _SIGNED_CHAR, _UNSIGNED_CHAR = 2, 4, 5, 6, 8


def behind(kind: DIE | None) -> DIE | None:
    """The type that a typedef or a qualifier names."""
    for _ in range(_MOST_NESTING):
        if kind is None or kind.tag not in _BEHIND:
            return kind
        if "DW_AT_type" not in kind.attributes:
            return None
        kind = kind.get_DIE_from_attribute("DW_AT_type")
    return None


def size_of(kind: DIE | None) -> int:
    """Bytes of a value; 0 where the type does not say."""
    kind = behind(kind)
    if kind is None:
        return 0
    if kind.tag == "DW_TAG_array_type":
        return _count(kind) * size_of(kind.get_DIE_from_attribute("DW_AT_type"))
    size = kind.attributes.get("DW_AT_byte_size")
    if size is None:
        return 4 if kind.tag in _POINTERS else 0
    return int(size.value)


def as_text(kind: DIE | None, data: bytes, depth: int = 0) -> str:
    """The value; what has no end to it ends in an ellipsis."""
    kind = behind(kind)
    if kind is None or depth > 2:
        return "{…}"
    if kind.tag == "DW_TAG_base_type":
        return _scalar(kind, data)
    if kind.tag in _POINTERS:
        return f"{int.from_bytes(data[:4], 'little'):#010x}"
    if kind.tag == "DW_TAG_enumeration_type":
        return _enumerator(kind, data)
    if kind.tag == "DW_TAG_array_type":
        return _array(kind, data, depth)
    if kind.tag in _RECORDS:
        return _record(kind, data, depth)
    return f"{{{data[:16].hex(' ')}}}"


def _scalar(kind: DIE, data: bytes) -> str:
    encoding, size = kind.attributes["DW_AT_encoding"].value, size_of(kind)
    data = data[:size]
    if encoding == _FLOAT and size in _FLOATS:
        return f"{struct.unpack(_FLOATS[size], data)[0]:g}"
    signed = encoding in (_SIGNED, _SIGNED_CHAR)
    value = int.from_bytes(data, "little", signed=signed)
    if encoding == _BOOLEAN:
        return ("false", "true")[value] if value < 2 else str(value)
    if encoding in (_SIGNED_CHAR, _UNSIGNED_CHAR) and 0x20 <= value < 0x7F:
        return f"{value} '{chr(value)}'"
    return str(value)


def _enumerator(kind: DIE, data: bytes) -> str:
    value = int.from_bytes(data[: size_of(kind)], "little")
    for die in kind.iter_children():
        constant = die.attributes.get("DW_AT_const_value")
        if constant is not None and constant.value == value and "DW_AT_name" in die.attributes:
            return _name(die)
    return str(value)


def _array(kind: DIE, data: bytes, depth: int) -> str:
    item = kind.get_DIE_from_attribute("DW_AT_type")
    size = size_of(item)
    if not size:
        return "{…}"
    if size == 1 and 0 in data and all(0x20 <= c < 0x7F for c in data[: data.index(0)]):
        return f'"{visible(data[: data.index(0)].decode())}"'
    items = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
    shown = [as_text(item, each, depth + 1) for each in items[:_SHOWN_ITEMS]]
    return "{" + ", ".join(shown) + (", …" if _count(kind) > len(shown) else "") + "}"


def _record(kind: DIE, data: bytes, depth: int) -> str:
    shown: list[str] = []
    for die in kind.iter_children():
        at = die.attributes.get("DW_AT_data_member_location")
        if die.tag != "DW_TAG_member" or at is None or "DW_AT_name" not in die.attributes:
            continue
        if len(shown) == _SHOWN_ITEMS:
            return "{" + ", ".join(shown) + ", …}"
        member = die.get_DIE_from_attribute("DW_AT_type")
        part = data[at.value : at.value + size_of(member)]
        shown.append(f"{_name(die)} = {as_text(member, part, depth + 1)}")
    return "{" + ", ".join(shown) + "}"


def _count(kind: DIE) -> int:
    """Of an array with several dimensions, all of them."""
    count = 1
    for die in kind.iter_children():
        bound = die.attributes.get("DW_AT_upper_bound") or die.attributes.get("DW_AT_count")
        if bound is None or not isinstance(bound.value, int):
            return 0
        count *= bound.value + (1 if "DW_AT_upper_bound" in die.attributes else 0)
    return count


def _name(die: DIE) -> str:
    return str(die.attributes["DW_AT_name"].value.decode("utf-8", "backslashreplace"))
