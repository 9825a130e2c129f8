"""A trace as text, JSON lines, VCD (GTKWave) and the trace event format that Perfetto opens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count

from boardless.debug.trace import Happening, TraceKind

_PS_PER_NS = 1_000
_EXCEPTIONS = (TraceKind.ENTER, TraceKind.LEAVE)
_ACCESSES = (TraceKind.READ, TraceKind.WRITE)
_FIRST_CODE, _CODES = 33, 94  # VCD's identifiers are printable characters (IEEE 1364, 18.2.3)


def text(trace: Iterable[Happening]) -> Iterator[str]:
    """A line each."""
    for it in trace:
        what = f"{it.time_ps / 1e6:14.3f} us {it.kind.value:7} {it.device:12}"
        if it.kind in _ACCESSES:
            yield f"{what} {it.name:8} {it.value:#010x} {it.function}\n"
        elif it.kind is TraceKind.LINE:
            yield f"{what} {it.text!r}\n"
        else:
            yield f"{what} {it.function}".rstrip() + "\n"


def json_lines(trace: Iterable[Happening]) -> Iterator[str]:
    """An object each; what does not apply is left out."""
    for it in trace:
        found: dict[str, object] = {
            "time_us": it.time_ps / 1e6, "kind": it.kind.value, "device": it.device,
        }  # fmt: skip
        if it.kind in _ACCESSES:
            found |= {"register": it.name, "value": it.value, "size": it.size}
        if it.kind is TraceKind.CAPTURE:
            found["frame"] = it.value
        found |= {
            key: value for key, value in (("function", it.function), ("text", it.text)) if value
        }
        yield json.dumps(found) + "\n"


def vcd(trace: Iterable[Happening]) -> Iterator[str]:
    """Registers as vectors of 32 bits with what was last read or written, exceptions as wires."""
    happenings = [it for it in trace if it.kind in (*_ACCESSES, *_EXCEPTIONS)]
    names = dict.fromkeys(map(_signal, happenings))
    codes = dict(zip(names, _identifiers(), strict=False))  # there is always one more
    yield "$timescale 1ns $end\n$scope module board $end\n"
    for name, code in codes.items():
        width = 1 if name.startswith("exception.") else 32
        yield f"$var {'wire' if width == 1 else 'reg'} {width} {code} {_plain(name)} $end\n"
    yield "$upscope $end\n$enddefinitions $end\n"
    last = -1
    for it in happenings:
        now = it.time_ps // _PS_PER_NS
        if now != last:
            yield f"#{now}\n"
            last = now
        code = codes[_signal(it)]
        if it.kind in _EXCEPTIONS:
            yield f"{int(it.kind is TraceKind.ENTER)}{code}\n"
        else:
            yield f"b{it.value:b} {code}\n"


def _signal(it: Happening) -> str:
    if it.kind in _EXCEPTIONS:
        return f"exception.{it.device}"
    return f"{it.device}.{it.name}.{it.kind.value}"


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in "._" else "_" for c in name)


def _identifiers() -> Iterator[str]:
    for number in count():
        code = ""
        while True:
            number, digit = divmod(number, _CODES)
            code += chr(_FIRST_CODE + digit)
            if not number:
                break
            number -= 1
        yield code


def perfetto(trace: Iterable[Happening]) -> Iterator[str]:
    """Exceptions as slices of one track, accesses as instants on a track for each device."""
    tracks: dict[str, int] = {"exceptions": 1}
    events: list[dict[str, object]] = []
    for it in trace:
        track = "exceptions" if it.kind in _EXCEPTIONS else it.device
        base: dict[str, object] = {
            "ts": it.time_ps / 1e6, "pid": 1, "tid": tracks.setdefault(track, len(tracks) + 1),
        }  # fmt: skip
        if it.kind in _EXCEPTIONS:
            phase = "B" if it.kind is TraceKind.ENTER else "E"
            events.append({**base, "ph": phase, "name": it.device})
        else:
            name = f"{it.kind.value} {it.name or it.text}".strip()
            shown = {"value": f"{it.value:#x}", "function": it.function}
            events.append({**base, "ph": "i", "s": "t", "name": name, "args": shown})
    for name, number in tracks.items():
        names = {"ph": "M", "name": "thread_name", "pid": 1, "tid": number, "args": {"name": name}}
        events.append(dict(names))
    yield json.dumps({"traceEvents": events, "displayTimeUnit": "ns"}) + "\n"
