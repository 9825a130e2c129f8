"""Every keyword of the Robot libraries, with arguments at their worst."""

from __future__ import annotations

import inspect
import random
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from robot.running import TestSuite  # type: ignore[import-untyped]

from boardless_sim.errors import BoardlessError
from tests.hostile.damage import WORDS
from tests.hostile.ending import MOST_SECONDS, Hung, bounded
from tests.hostile.file_trials import ELF, REPO

LIBRARIES = REPO / "robot" / "libraries"
_POWER_ON = {
    "Boardless": ("Power On Board", str(ELF)),
    "BoardlessDevice": ("Power On Device", str(ELF.with_name("command.elf"))),
}
_SOUND = {"timedelta": "1 ms", "Size": "8 KiB", "Number": "1", "int": "1", "float": "1"}
_SOUND |= {"bool": "True", "str": "pattern:bars", "Path": str(ELF)}
# What a keyword may say: that an argument is none, what the board or the file is, what was asked.
_NAMED = re.compile(r"([A-Za-z_.]*(?:Error|Exception|Hung|Exit)): ")


@dataclass(frozen=True)
class Keyword:
    """A keyword and what its arguments are by their annotation."""

    library: str
    name: str
    arguments: tuple[str, ...]
    every: int = 60

    def trial(self, draw: random.Random, folder: Path) -> tuple[bytes, str]:
        """One try: what was given, and what is wrong with how it ended."""
        given = [_SOUND.get(kind, "x") for kind in self.arguments]
        if given:
            given[draw.randrange(len(given))] = draw.choice(WORDS)
        given = given[: draw.choice((len(given), len(given), draw.randint(0, len(given) + 1)))]
        said = "\0".join([self.name, *given]).encode("utf-8", "surrogateescape")
        return said, said_of(self, given, folder)


def said_of(keyword: Keyword, given: list[str], folder: Path) -> str:
    """Run a test of two steps; what is wrong with its message, or nothing."""
    suite = TestSuite("Worst")
    suite.resource.imports.library(keyword.library)
    test = suite.tests.create(name="Worst")
    switch, elf = _POWER_ON[keyword.library]
    for name, arguments in ((switch, [elf]), (keyword.name, given)):
        test.body.create_keyword(name=name, args=[_literal(word) for word in arguments])
    sys.path.insert(0, str(LIBRARIES))
    try:
        with bounded():
            result = suite.run(
                output=None, console="none", outputdir=str(folder), variable=["HOST SECONDS:5"]
            )
    except Hung:
        return f"no end within {MOST_SECONDS} s"
    finally:
        sys.path.remove(str(LIBRARIES))
    message: str = result.suite.tests[0].message
    if "Hung" in message:
        return f"no end within {MOST_SECONDS} s"
    found = _NAMED.match(message)
    if found is None or found[1] in _expected() or message.startswith("ValueError: Argument"):
        return ""
    return message[:300]


def keyword_trials() -> list[Keyword]:
    """Every keyword of both libraries."""
    sys.path.insert(0, str(LIBRARIES))
    try:
        from Boardless import Boardless
        from BoardlessDevice import BoardlessDevice
    finally:
        sys.path.remove(str(LIBRARIES))
    found = []
    for library in (Boardless, BoardlessDevice):
        for name, method in inspect.getmembers(library, callable):
            if hasattr(method, "robot_name"):
                parameters = list(inspect.signature(method).parameters.values())[1:]
                kinds = tuple(str(one.annotation).partition(" ")[0] for one in parameters)
                found.append(Keyword(library.__name__, name.replace("_", " ").title(), kinds))
    return found


def _literal(word: str) -> str:
    """The word with Robot's backslashes as they are; its variables stay variables."""
    return word.replace("\\", "\\\\")


def _expected() -> set[str]:
    """The names of the errors that say what was found and expected."""
    names, left = set(), [BoardlessError]
    while left:
        kind = left.pop()
        names.add(kind.__name__)
        left += kind.__subclasses__()
    return names
