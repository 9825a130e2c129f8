"""How files, words and arguments are damaged, by seed."""

from __future__ import annotations

import random

# What a number, a name or a nesting may be at worst.
_WORST: tuple[bytes, ...] = (
    *(
        b"9" * 5000,
        b"nan",
        b"inf",
        b"1e999",
        b"-1",
        b"[" * 5000,
        b"\0",
        b"\xff\xfe",
        b"%s",
        b"\x1b[",
    ),
    *(b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b'"' * 3, b"\n" * 50),
)
NO_NUMBERS = ("nan", "-nan", "inf", "-inf", "1e999", "-1e999", "infinity", "9" * 5000)
# A large number that can be is not among them: who asks for years of virtual time waits for them.
WORDS: tuple[str, ...] = (
    *(*NO_NUMBERS, "", " ", "-1", "0", "1e-320", "0x", "0b2", "1_0", "\u0663", "1" * 400, ","),
    *("nope", ".", "/dev/zero", "/dev/full", "/proc/self/mem", "x" * 5000, "a/" * 3000),
    *("%s%n", "{0}", "\x1b[31m", "\udcff", "pattern:", "pattern:nope", "a:b", "a:b@0", "\n", "*"),
    *("${X}", "@{X}", "%{HOME}", "\\", "..", "git:", "git:--all", "(" * 200, "[", "\u202e"),
)


def damaged(content: bytes, draw: random.Random) -> bytes:
    """The content with up to four wounds: bits, cuts, repeats, and what numbers are at worst."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(min(len(data), draw.choice((64, 512, 1 << 30))) or 1)
        wound = draw.randrange(5)
        if wound == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << draw.randrange(8)
        elif wound == 1:
            del data[at:]
        elif wound == 2:
            del data[at : at + draw.randint(1, 64)]
        elif wound == 3:
            data[at:at] = data[at : at + draw.randint(1, 512)]
        else:
            worst = draw.choice(_WORST)
            data[at : at + draw.choice((0, len(worst)))] = worst
    return bytes(data)
