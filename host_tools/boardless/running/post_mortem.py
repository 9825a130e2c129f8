"""Where a run stood that ended without its result: what the core was at, and how it came there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from boardless.running.arguments import Arguments, Variable
from boardless.running.instruction import in_words
from boardless.running.unwind import EXCEPTION, CallLevel, Unwinder
from boardless_sim.chips.families import family_at, family_by
from boardless_sim.core.names import EXCEPTION_NAMES
from boardless_sim.engines.engine import Activity, Capability, Engine, FaultInfo
from boardless_sim.errors import EngineError
from boardless_sim.finding import Check

_IPSR = 0x1FF
_FIRST_INTERRUPT = 16
_REFUSED = 1 << 12 | 1 << 4  # CFSR.STKERR, MSTKERR (DDI 0403E, B3.2.15)
_NEAR_BYTES = 4096  # how far from SP a function's own frame is touched
_RECURSES = 3
_SHOWN_CALLS, _SHOWN_TEXT = 16, 200
_SHOWN_FRAMES, _SHOWN_ENTERED = 5, 4


@dataclass(frozen=True)
class CallFrame:
    """A call that has not returned: its source line, as `file:line`, and what it works on."""

    function: str
    place: str
    variables: tuple[Variable, ...]

    def __str__(self) -> str:
        what = ", ".join(map(str, self.variables))
        return f"{self.function}{f' ({self.place})' if self.place else ''}" + (
            f": {what}" if what else ""
        )


@dataclass(frozen=True)
class PostMortem:
    """One stopped core. `calls`: innermost first, `<exception>` between a handler and its victim.

    `handler_share` and what follows it are None or empty where the engine does not know.
    `instruction` and `address`: what the fault was at, and whose the address is. `frames`: the
    innermost calls, recursion once. `entered`: the last exceptions, with their times in µs.
    """

    pc: int
    function: str
    calls: tuple[str, ...]
    exception: str = ""
    handler: CallLevel | None = None
    handler_share: float | None = None
    handler_us: float | None = None
    is_asleep: bool | None = None
    polled: tuple[str, ...] = ()
    unmodelled: tuple[str, ...] = ()
    last_text: str = ""
    fault: str = ""
    overflow: str = ""
    other_chip: str = ""
    instruction: str = ""
    address: str = ""
    frames: tuple[CallFrame, ...] = ()
    entered: tuple[tuple[str, float], ...] = ()


def examine(engine: Engine, *, with_frames: bool = True) -> PostMortem | None:
    """The core as it stands; None where the engine gives no registers, or no longer.

    `with_frames`: also what the calls work on, which takes a look at all debug information.
    """
    if Capability.REGISTERS not in engine.capabilities:
        return None
    try:
        return _examine(engine, with_frames)
    except EngineError:  # the emulator has gone: what it said last is all there is
        return None


def _examine(engine: Engine, with_frames: bool) -> PostMortem:
    pc, fault = engine.read_register("pc"), engine.fault()
    number = engine.read_register("xpsr") & _IPSR
    levels = Unwinder(engine.image, engine).walk(fault)
    activity = engine.activity() if Capability.ACTIVITY in engine.capabilities else None
    return PostMortem(
        pc=pc,
        function=engine.image.function_at(pc),
        calls=tuple(level.function for level in levels),
        exception=_name(number) if number else "",
        handler=_handler(levels) if number else None,
        handler_share=None if activity is None else activity.handler_share,
        handler_us=None if activity is None else activity.handler_us,
        is_asleep=None if activity is None else activity.is_asleep,
        polled=() if activity is None else activity.polled,
        unmodelled=_unmodelled(engine),
        last_text=_last_text(engine, {} if activity is None else dict(activity.unfinished)),
        fault="" if fault is None else str(fault),
        overflow=_overflow(levels, fault),
        other_chip=_other_chip(fault, activity),
        instruction="" if fault is None else in_words(engine, fault),
        address=_address(engine, fault),
        frames=tuple(_frames(engine, levels)) if with_frames else (),
        entered=() if activity is None else activity.entered,
    )


def _other_chip(fault: FaultInfo | None, activity: Activity | None) -> str:
    """A firmware looks for its RCC first; another family has it elsewhere."""
    family = None
    if fault is not None and fault.address is not None:
        family = family_at(fault.address)
    elif activity is not None:
        family = family_by(activity.touched)
    return "" if family is None else f"it looks for the RCC of an {family}"


def _address(engine: Engine, fault: FaultInfo | None) -> str:
    if fault is None or fault.address is None:
        return ""
    owner = engine.place_of(fault.address)
    return f"{fault.address:#010x}: {owner}" if owner else f"{fault.address:#010x}"


def _frames(engine: Engine, levels: Sequence[CallLevel]) -> Iterator[CallFrame]:
    """Of the faulting code where there is a handler: nobody asks what a handler was working on."""
    below = levels[levels.index(EXCEPTION) + 1 :] if EXCEPTION in levels else levels
    firsts = [next(run) for _, run in groupby(below, key=lambda level: level.function)]
    arguments = Arguments(engine.image.raw, engine)
    for level in firsts[:_SHOWN_FRAMES]:
        if level.function != "?":
            yield CallFrame(level.function, _source(engine, level.pc), arguments.of(level))


def _source(engine: Engine, pc: int) -> str:
    elf = engine.image.elf
    found = None if elf is None else elf.lines.where(pc)
    return "" if found is None else f"{found[0]}:{found[1]}"


def in_short(found: PostMortem) -> str:
    """One line: function, PC, exception, share of time in handlers, overflow."""
    share = (
        "" if found.handler_share is None else f", {100 * found.handler_share:.1f} % in handlers"
    )
    overflow = "".join(f", {text}" for text in (found.overflow, found.other_chip) if text)
    mode = found.exception or "thread mode"
    return f"in {found.function} at pc {found.pc:#010x}, {mode}{share}{overflow}"


def in_lines(found: PostMortem) -> Iterator[str]:
    """For a person, one matter a line."""
    asleep = ", asleep" if found.is_asleep else ""
    yield f"stands in  {found.function} at {found.pc:#010x}{asleep}"
    if found.other_chip:
        yield f"chip       another one: {found.other_chip}"
    if found.overflow:
        yield f"stack      {found.overflow}"
    yield f"called by  {' < '.join(_shortened(found.calls))}"
    yield f"exception  {found.exception or 'none: thread mode'}"
    if found.handler_share is not None:
        yield f"handlers   {100 * found.handler_share:.1f} % of all time"
    yield from _fault_lines(found)
    if found.polled:
        yield f"polls      {', '.join(found.polled)}"
    for text in found.unmodelled:
        yield f"unmodelled {text}"
    yield f"UART       {found.last_text or 'silent'}"


def _fault_lines(found: PostMortem) -> Iterator[str]:
    if found.fault:
        yield f"fault      {found.fault}"
    if found.instruction:
        yield f"at         {found.instruction}"
    if found.address:
        yield f"address    {found.address}"
    for frame in found.frames:
        yield f"frame      {frame}"
    if found.entered:
        entered = (
            f"{name} {at_us / 1e3:.3f} ms" for name, at_us in found.entered[-_SHOWN_ENTERED:]
        )
        yield f"entered    {', '.join(entered)}"


def fault_lines(engine: Engine) -> tuple[str, ...]:
    """Where the core stands, if a fault brought it there: for what runs a firmware regardless."""
    found = None if engine.fault() is None else examine(engine)
    return () if found is None else tuple(in_lines(found))


def as_document(found: PostMortem) -> dict[str, object]:
    """The same for JSON; `calls` is whole."""
    return {
        "pc": found.pc,
        "function": found.function,
        "calls": list(found.calls),
        "exception": found.exception or None,
        "handler_share": found.handler_share,
        "handler_us": found.handler_us,
        "asleep": found.is_asleep,
        "polled": list(found.polled),
        "unmodelled": list(found.unmodelled),
        "last_text": found.last_text,
        "fault": found.fault or None,
        "stack_overflow": found.overflow or None,
        "other_chip": found.other_chip or None,
        "instruction": found.instruction or None,
        "address": found.address or None,
        "frames": [
            {
                "function": frame.function,
                "place": frame.place or None,
                "variables": {variable.name: variable.text for variable in frame.variables},
            }
            for frame in found.frames
        ],
        "entered": [{"exception": name, "at_us": at_us} for name, at_us in found.entered],
    }


def _name(exception: int) -> str:
    if exception >= _FIRST_INTERRUPT:
        return f"interrupt {exception - _FIRST_INTERRUPT}"
    return EXCEPTION_NAMES.get(exception, f"exception {exception}")


def _handler(levels: Sequence[CallLevel]) -> CallLevel | None:
    """The outermost function of the handler that runs."""
    inside = levels[: levels.index(EXCEPTION)] if EXCEPTION in levels else levels
    return inside[-1] if inside else None


def _overflow(levels: Sequence[CallLevel], fault: FaultInfo | None) -> str:
    """Which function's frames filled the stack, where a fault says that it was full."""
    if fault is None or not _at_the_stack(fault):
        return ""
    return overflow_of(levels)


def overflow_of(levels: Sequence[CallLevel]) -> str:
    """The same where it is known that the stack was full."""
    below = levels[levels.index(EXCEPTION) + 1 :] if EXCEPTION in levels else levels
    if not below:
        return "stack overflow"
    function, count = Counter(level.function for level in below).most_common(1)[0]
    if count < _RECURSES:
        return f"stack overflow in `{below[0].function}`"
    each = _bytes_each(below, function)
    return f"stack overflow: {count:,} frames of `{function}`" + (
        f", {each:,} bytes each" if each else ""
    )


def _bytes_each(levels: Sequence[CallLevel], function: str) -> int:
    """How far apart the frames of two calls of it are, most often; 0 where that is not known."""
    frames = [level.frame for level in levels if level.function == function and level.frame]
    apart = Counter(outer - inner for inner, outer in pairwise(frames))
    return apart.most_common(1)[0][0] if apart else 0


def _at_the_stack(fault: FaultInfo) -> bool:
    if fault.cfsr & _REFUSED:
        return True
    if fault.sp is None or fault.address is None:
        return False
    return abs(fault.address - fault.sp) <= _NEAR_BYTES


def _unmodelled(engine: Engine) -> tuple[str, ...]:
    if Capability.BOARD_CHECKS not in engine.capabilities:
        return ()
    found = engine.findings()
    return tuple(finding.text for finding in found if finding.kind == Check.UNMODELLED.value)


def _last_text(engine: Engine, unfinished: dict[str, str]) -> str:
    """What came last, a text without a line end before any line."""
    port = engine.contract.port
    if port is not None and port not in unfinished:
        unfinished = {}
    if unfinished:
        port = port or next(reversed(unfinished))
        return f"{unfinished[port][-_SHOWN_TEXT:]!r} on {port}, without a line end"
    lines = engine.uart_lines()
    return f"{lines[-1].text[:_SHOWN_TEXT]!r} on {lines[-1].port}" if lines else ""


def _shortened(calls: Sequence[str]) -> list[str]:
    """Recursion as a count, and no more calls than a person reads."""
    runs = [(name, sum(1 for _ in run)) for name, run in groupby(calls)]
    names = [name if count == 1 else f"{name} ({count:,} times)" for name, count in runs]
    if len(names) > _SHOWN_CALLS:
        left = len(names) - _SHOWN_CALLS
        names[_SHOWN_CALLS - 2 : -2] = [f"… {left} more"]
    return names
