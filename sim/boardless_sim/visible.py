"""Text of others, made safe to print: firmware, file names and ELFs may hold control characters."""

from __future__ import annotations

_MOST, _END = 2_000, 400


def visible(text: str) -> str:
    """The text with every control character escaped, tabs too: it cannot move a cursor.

    C0, DEL and C1 are controls (ECMA-48); U+2028 and the bidirectional overrides reorder a line.
    """
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """A message as one line of bounded length; how it ends says what is wrong."""
    line = visible(text.replace("\n", " "))
    if len(line) <= _MOST:
        return line
    return f"{line[: _MOST - _END]}… ({len(line):,} characters) …{line[-_END:]}"


def _shown(character: str) -> str:
    code = ord(character)
    if code < 0x20 or 0x7F <= code < 0xA0:
        return f"\\x{code:02x}"
    if 0xD800 <= code < 0xE000 or code in _REORDER:
        return f"\\u{code:04x}"
    return character


_REORDER = frozenset([0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
