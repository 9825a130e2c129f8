"""The names that C++ and Rust sources have, from those that their symbols have.

Only names: `nn::Conv::run`, without parameters and template arguments, which is what a person
writes who means it. C++ by the Itanium C++ ABI (5.1, External Names), Rust by both of its schemes:
legacy, which is an Itanium name with a hash, and v0 (RFC 2603). What is not understood stays as it
is.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPECIAL = {
    "TV": "vtable for ",
    "TT": "VTT for ",
    "TI": "typeinfo for ",
    "TS": "typeinfo name for ",
    "GV": "guard variable for ",
}
_STD = {
    "a": "std::allocator",
    "b": "std::basic_string",
    "s": "std::string",
    "i": "std::istream",
    "o": "std::ostream",
    "d": "std::iostream",
}
_OPERATORS = {
    "nw": " new",
    "na": " new[]",
    "dl": " delete",
    "da": " delete[]",
    "cl": "()",
    "ix": "[]",
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "le": "<=",
    "ge": ">=",
    "aS": "=",
    "pl": "+",
    "mi": "-",
    "ml": "*",
    "dv": "/",
    "rm": "%",
    "pL": "+=",
    "mI": "-=",
    "mL": "*=",
    "ls": "<<",
    "rs": ">>",
    "aa": "&&",
    "oo": "||",
    "nt": "!",
    "pp": "++",
    "mm": "--",
    "an": "&",
    "or": "|",
    "eo": "^",
    "co": "~",
    "pt": "->",
    "ad": "&",
    "de": "*",
    "ng": "-",
}
_RUST_HASH = re.compile(r"h[0-9a-f]{16}")
_RUST_ESCAPE = re.compile(r"\$(u[0-9a-f]{1,6}|SP|BP|RF|LT|GT|LP|RP|C)\$")
_RUST_SIGNS = {
    "SP": "@",
    "BP": "*",
    "RF": "&",
    "LT": "<",
    "GT": ">",
    "LP": "(",
    "RP": ")",
    "C": ",",
}
_SEQUENCE = "_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # what a back reference goes on with
_MAX_NAME = 4_096
_MAX_NESTING = 64


@lru_cache(maxsize=1 << 17)
def demangled(symbol: str) -> str | None:
    """The source's name of a symbol; None where the symbol is no mangled one that is understood."""
    if len(symbol) > _MAX_NAME or not symbol.startswith(("_Z", "_R")):
        return None
    try:
        if symbol.startswith("_R"):
            return _V0(symbol.partition(".")[0][2:]).path()
        return _Itanium(symbol.partition(".")[0][2:]).whole()
    except (ValueError, IndexError, KeyError, RecursionError):
        return None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if self._peek(text):
            self._at += len(text)
            return True
        return False

    def _next(self) -> str:
        letter = self._text[self._at]
        self._at += 1
        return letter

    def _number(self) -> int:
        start = self._at
        while self._at < len(self._text) and self._text[self._at].isdecimal():
            self._at += 1
        return int(self._text[start : self._at])

    def _skip_to(self, end: str) -> None:
        self._at = self._text.index(end, self._at) + len(end)


class _Itanium(_Reader):
    """`_known`: what a substitution may stand for, until types were passed over that count too."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._known: list[str] = []
        self._is_sure = True

    def whole(self) -> str:
        for _ in range(2 if self._take("Tv") else 1 if self._take("Th") else 0):
            self._skip_to("_")  # a thunk's offsets
        for code, text in _SPECIAL.items():
            if self._take(code):
                return text + self._name()
        return self._name()

    def _name(self) -> str:
        if self._take("N"):
            return _without_hash(self._nested())
        if self._take("Z"):
            outer = self._name()
            self._pass_over("E")  # the outer function's parameters
            if self._take("s"):
                return outer
            return f"{outer}::{self._name()}"
        if self._take("St"):
            return f"std::{self._unqualified('')}"
        if self._peek("S"):
            return self._substitution()
        return self._unqualified("")

    def _nested(self) -> list[str]:
        while self._text[self._at] in "rVK" or self._text[self._at] in "RO":
            self._at += 1
        parts: list[str] = []
        while not self._take("E"):
            if self._take("I"):
                self._pass_over("E")
            elif self._take("St"):
                parts.append("std")
                continue
            elif self._peek("S"):
                parts = self._substitution().split("::")
                continue
            elif self._take("T"):
                self._skip_to("_")
            else:
                parts.append(self._unqualified(parts[-1] if parts else ""))
            self._known.append("::".join(parts))
        return parts

    def _substitution(self) -> str:
        self._at += 1
        letter = self._text[self._at]
        if letter in _STD:
            self._at += 1
            return _STD[letter]
        start = self._at
        self._skip_to("_")
        number = self._text[start : self._at - 1]
        if not self._is_sure:
            raise ValueError("a substitution behind types")
        return self._known[int(number, 36) + 1 if number else 0]

    def _unqualified(self, owner: str) -> str:
        self._take("L")  # internal linkage
        if self._text[self._at].isdecimal():
            found = self._source_name()
            while self._take("B"):  # an ABI tag
                self._source_name()
            return found
        if self._take("Ut"):
            self._skip_to("_")
            return "{unnamed}"
        if self._take("Ul"):
            self._pass_over("E")
            self._skip_to("_")
            return "{lambda}"
        code = self._next() + self._next()
        if code[0] == "C" and code[1] in "12345I":
            return owner
        if code[0] == "D" and code[1] in "012345":
            return f"~{owner}"
        return f"operator{_OPERATORS[code]}"

    def _source_name(self) -> str:
        size = self._number()
        found = self._text[self._at : self._at + size]
        if len(found) != size:
            raise ValueError(f"a name of {size} characters")
        self._at += size
        return "(anonymous namespace)" if found.startswith("_GLOBAL__N") else found

    def _pass_over(self, end: str) -> None:
        """Types and values up to the `end` that closes them: they open what an E closes."""
        depth, self._is_sure = 0, False
        while True:
            if not depth and self._take(end):
                return
            if self._text[self._at].isdecimal():
                self._source_name()
                continue
            letter = self._next()
            if letter == "E":
                depth -= 1
            elif letter == "L" and not self._peek("_Z"):
                self._literal()
            elif letter in "NIFXJL" or (letter == "U" and self._take("l")):
                depth += 1
            elif self._ends_with_line(letter):
                self._skip_to("_")
            elif letter in "SD":
                depth += self._next() in "tT" and letter == "D"

    def _ends_with_line(self, letter: str) -> bool:
        """An array's size, or a reference back: digits up to an underscore."""
        following = self._text[self._at]
        return (letter == "A" and following.isdecimal()) or (
            letter in "ST" and following in _SEQUENCE
        )

    def _literal(self) -> None:
        """A value of a type, as the `Li5E` of an array's size."""
        if self._text[self._at].isdecimal():
            self._source_name()
        elif self._take("N"):
            self._pass_over("E")
        self._skip_to("E")


def _without_hash(parts: list[str]) -> str:
    """Rust's legacy scheme ends with a hash and has escapes in its names."""
    if len(parts) > 1 and _RUST_HASH.fullmatch(parts[-1]):
        parts = [_unescaped(part) for part in parts[:-1]]
    return "::".join(parts)


def _unescaped(text: str) -> str:
    text = text.removeprefix("_") if text.startswith("_$") else text
    text = _RUST_ESCAPE.sub(lambda found: _sign(found[1]), text)
    return text.replace("..", "::")


def _sign(code: str) -> str:
    return _RUST_SIGNS.get(code) or chr(int(code[1:], 16))


class _V0(_Reader):
    """Rust's v0: a path of crates, modules and items, with references back into itself."""

    def path(self, nesting: int = 0) -> str:
        if nesting > _MAX_NESTING:
            raise ValueError("nested too deep")
        letter = self._next()
        if letter == "C":
            return self._identifier()
        if letter == "N":
            self._at += 1  # its namespace: a type, a value, a closure
            outer = self.path(nesting + 1)
            name = self._identifier()
            return f"{outer}::{name or '{closure}'}"
        if letter in "MX":
            self._disambiguator()
            self.path(nesting + 1)  # where the impl stands
            found = self._type(nesting + 1)
            if letter == "X":
                return f"<{found} as {self.path(nesting + 1)}>"
            return found
        if letter == "Y":
            return f"<{self._type(nesting + 1)} as {self.path(nesting + 1)}>"
        if letter == "I":
            found = self.path(nesting + 1)
            while not self._take("E"):
                self._type(nesting + 1)
            return found
        if letter == "B":
            return self._back(nesting)
        raise ValueError(f"a path that begins with {letter!r}")

    def _back(self, nesting: int) -> str:
        to, here = self._base62(), self._at
        if to >= here:
            raise ValueError("a reference forward")
        self._at = to
        found = self.path(nesting + 1) if self._text[to] in "CNMXYIB" else self._type(nesting + 1)
        self._at = here
        return found

    def _type(self, nesting: int) -> str:
        if nesting > _MAX_NESTING:
            raise ValueError("nested too deep")
        if self._text[self._at] in "CNMXYIB":
            return self.path(nesting)
        letter = self._next()
        if letter in "RQ" and self._take("L"):
            self._base62()
        if letter in "RQPOS":
            return self._type(nesting + 1)
        if letter in "ALKT":
            return self._of_several(letter, nesting)
        if letter.islower():
            return letter
        raise ValueError(f"a type that begins with {letter!r}")

    def _of_several(self, letter: str, nesting: int) -> str:
        """An array, a lifetime, a constant, a tuple."""
        if letter == "L":
            self._base62()
            return "'_"
        if letter == "T":
            while not self._take("E"):
                self._type(nesting + 1)
            return "()"
        found = self._type(nesting + 1) if letter == "A" else "_"
        self._constant()
        return found

    def _constant(self) -> None:
        if self._take("B"):
            self._base62()
        elif not self._take("p"):
            self._at += 1
            self._skip_to("_")

    def _identifier(self) -> str:
        self._disambiguator()
        is_punycode = self._take("u")
        size = self._number()
        self._take("_")
        found = self._text[self._at : self._at + size]
        if len(found) != size:
            raise ValueError(f"a name of {size} characters")
        self._at += size
        if is_punycode:
            head, _, tail = found.rpartition("_")
            return f"{head}-{tail}".removeprefix("-").encode().decode("punycode")
        return found

    def _disambiguator(self) -> None:
        if self._take("s"):
            self._base62()

    def _base62(self) -> int:
        start = self._at
        self._skip_to("_")
        text = self._text[start : self._at - 1]
        value = 0
        for letter in text:
            digit = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter)
            value = value * 62 + digit
        return value + 1 if text else 0
