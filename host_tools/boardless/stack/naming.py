"""Calls through pointers by names that last: what an edit of the source does not move.

    "scheduler"            every call of a function; "sched.c:scheduler" where the name is not alone
    "scheduler+0x1a"       the call at that place, until the next edit
    "nn_run(observer)"     through that parameter
    "ops.read"             through that member, whoever calls
    "hook"                 through that variable
    "poll.c: hook(n)"      on a line of that file with that text

A name that ends with "?" may fit nothing.
"""

from __future__ import annotations

import difflib
import linecache
import re
from collections.abc import Iterable, Iterator
from fnmatch import filter as matching
from typing import NamedTuple

from boardless.stack.program import Program
from boardless.stack.prototypes import Prototypes
from boardless.stack.scan import IndirectCall, Scan
from boardless.stack.values import RegisterValue, What
from boardless_sim.errors import ConfigError

_PLACE = re.compile(r"(?P<caller>.+?)(?:\+0x(?P<offset>[0-9a-f]{1,8})|\((?P<parameter>\w+)\))")
_LINE = re.compile(r"(?P<file>[^:]+): (?P<text>.+)")


class Site(NamedTuple):
    """A call through a pointer, by its function and its place."""

    caller: int
    at: int


class Naming:
    """Finds the calls that a name means, and the name that a call is best known by."""

    def __init__(self, program: Program, scans: dict[int, Scan], types: Prototypes) -> None:
        self._program = program
        self._scans = scans
        self._types = types

    def sites(self, name: str, where: str) -> tuple[int, list[Site]]:
        """How precise a name is, and its calls. Raises `ConfigError` where there are none."""
        line = _LINE.fullmatch(name)
        if line:
            found = [site for site in self._all() if self._is_on(site, line["file"], line["text"])]
            return 3, _some(found, f"{where} {name!r}: no call through a pointer on such a line")
        place = _PLACE.fullmatch(name)
        caller = place["caller"] if place else name
        if not place and not _find(self._program, name):
            found = [site for site in self._all() if self._pointer_name(site) == name]
            if found:
                return 1, found
        precise, found = 0, []
        for address in addresses_of(self._program, caller, where):
            calls = self._scans[address].indirect
            chosen = set(calls)
            if place and place["offset"]:
                precise, chosen = 4, {address + int(place["offset"], 16)} & calls.keys()
            elif place:
                precise, chosen = 2, self._through_parameter(address, place["parameter"])
            expected = _there(calls, address)
            complaint = f"{where} {name!r}: no call through a pointer there, expected {expected}"
            found += _some([Site(address, at) for at in sorted(chosen)], complaint)
        return precise, found

    def key(self, caller: int, call: IndirectCall) -> str:
        """What a call is best known by."""
        site = Site(caller, call.at)
        pointer = self._pointer_name(site)
        name = self._function(caller)
        if pointer and not _find(self._program, pointer):
            return pointer
        if call.through is not None and call.through.what == What.ARGUMENT:
            parameter = self._types.parameter_name(caller, call.through.number)
            if parameter:
                return f"{name}({parameter})"
        if len(self._scans[caller].indirect) == 1:
            return name
        return f"{name}+{call.at - caller:#x}"

    def _function(self, address: int) -> str:
        function = self._program.functions.get(address)
        name = f"sub_{address:08x}" if function is None else function.name
        if len(self._program.by_name.get(name, ())) > 1:
            file = self._program.file_of(address)
            return f"{file}:{name}" if file else name
        return name

    def _all(self) -> Iterator[Site]:
        for caller, scan in sorted(self._scans.items()):
            yield from (Site(caller, at) for at in sorted(scan.indirect))

    def _pointer_name(self, site: Site) -> str:
        """The member or the variable that a call goes through."""
        through = self._scans[site.caller].indirect[site.at].through
        if through is None or through.what != What.FIELD:
            return ""
        place = self._types.place(site.caller, through)
        if place is not None:
            return place.name
        return "" if through.address is None else self._program.object_name(through.address)

    def _through_parameter(self, caller: int, name: str) -> set[int]:
        number = self._types.parameter(caller, name)
        wanted = RegisterValue(What.ARGUMENT, number or 0)
        calls = self._scans[caller].indirect.values()
        return {call.at for call in calls if call.through == wanted and number is not None}

    def _is_on(self, site: Site, file: str, text: str) -> bool:
        where = self._program.elf.lines.where(site.at)
        if where is None or not f"/{where[0]}".endswith(f"/{file}"):
            return False
        return text in linecache.getline(*where)


def _some(found: list[Site], complaint: str) -> list[Site]:
    if not found:
        raise ConfigError(complaint)
    return found


def _there(sites: Iterable[int], caller: int) -> str:
    found = ", ".join(f"+{site - caller:#x}" for site in sorted(sites)[:8])
    return found or "a caller that has one"


def functions_of(program: Program, pattern: str, where: str) -> Iterator[int]:
    """The functions of a name, or of every name that a pattern means."""
    names = matching(program.by_name, pattern)
    if _find(program, pattern) or not names:
        yield from addresses_of(program, pattern, where)
        return
    yield from dict.fromkeys(address for name in names for address in program.by_name[name])


def _find(program: Program, name: str) -> list[int]:
    file, colon, function = name.rpartition(":")
    if name in program.by_name or not colon or file.endswith(":"):
        return program.by_name.get(name, [])
    return [
        address
        for address in program.by_name.get(function, ())
        if f"/{program.file_of(address)}".endswith(f"/{file}")
    ]


def addresses_of(program: Program, name: str, where: str) -> tuple[int, ...]:
    """A named function's addresses. Raises `ConfigError` with the nearest name there is."""
    found = _find(program, name)
    if not found:
        raise ConfigError(
            f"{where} no function {name!r} in the ELF{_nearest(name, program.by_name)}"
        )
    return tuple(found)


def _nearest(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f", expected {near[0]!r}?" if near else ", expected the name of one of its functions"
