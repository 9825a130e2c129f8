"""The report's words for a person: why a bound is what it is, and what to annotate."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from boardless.stack.report import Confidence, FunctionStack, IndirectSite, StackReport
from boardless_sim.errors import ConfigError

_MAX_CANDIDATES = 12


def explain(report: StackReport, symbol: str, measured: Mapping[str, int] | None = None) -> str:
    """The worst path of a function, frame by frame. Raises `ConfigError` for an unknown name.

    `measured`: how deep a run had the main stack in each function; it stands beside the main path.
    """
    found = report.find(symbol)
    if not found:
        names = [name for function in report.functions for name in function.names]
        near = difflib.get_close_matches(symbol, names, n=1)
        hint = f"expected {near[0]!r}?" if near else "expected the name of one of its functions"
        raise ConfigError(f"{report.elf}: no function {symbol!r}, {hint}")
    return "\n\n".join("\n".join(_explain(report, function, measured)) for function in found)


def _explain(
    report: StackReport, function: FunctionStack, measured: Mapping[str, int] | None
) -> Iterator[str]:
    yield f"{function.name} at {function.address:#010x}: {_figure(function)}"
    is_main = measured is not None and function.name == report.entry
    below = 0
    yield f"  {'at':>8} {'depth':>8} {'to':>8}{_column('measured', is_main)}  function"
    for step in function.path:
        said = f"{step.function}{_own_frame(report, step.function)}"
        run = str((measured or {}).get(step.function, "-"))
        to = below + step.depth
        yield f"  {below:>8} {step.depth:>8} {to:>8}{_column(run, is_main)}  {said}"
        below = to
    if function.cold_bytes != function.bound_bytes:
        cold = "unbounded" if function.cold_bytes is None else f"{function.cold_bytes} bytes"
        yield f"  with calls that never return: {cold}"
    for reason in function.reasons:
        yield f"  unbounded: {reason}"


def _column(text: str, is_there: bool) -> str:
    return f" {text:>8}" if is_there else ""


def _figure(function: FunctionStack) -> str:
    if function.bound_bytes is None:
        return f"unbounded, at least {function.at_least_bytes} bytes"
    return f"{function.bound_bytes} bytes ({function.grade})"


def _own_frame(report: StackReport, name: str) -> str:
    own = next((found for found in report.functions if found.name == name), None)
    return f" (own frame {own.own_bytes})" if own is not None else ""


def suggest(report: StackReport) -> str:
    """TOML for every call through a pointer that rests on an assumption, with candidates' costs.

    To be cut down to what the program really calls; as it stands it says what was supposed.
    """
    lines = [*_rings(report), *_calls(report), *_recursion(report), *_frames(report)]
    return "\n".join(lines) + "\n" if lines else ""


def _rings(report: StackReport) -> Iterator[str]:
    """One annotation instead of many, where calls through pointers close rings."""
    callers = {site.caller for site in report.indirect}
    if any(cycle.depth is None and callers & set(cycle.functions) for cycle in report.cycles):
        yield "[budget.stack]"
        yield "# no call through a pointer comes back to itself while it is under way:"
        yield "# pointer-recursion = 1\n"


def _calls(report: StackReport) -> Iterator[str]:
    open_sites = [
        site for site in report.indirect if site.grade in (Confidence.ASSUMED, Confidence.UNBOUNDED)
    ]
    if not open_sites:
        return
    yield "[budget.stack.calls]"
    by_key: dict[str, list[IndirectSite]] = {}
    for site in open_sites:
        by_key.setdefault(site.key or site.place, []).append(site)
    for key, sites in by_key.items():
        yield from _sites(key, sites)


def _sites(key: str, sites: Sequence[IndirectSite]) -> Iterator[str]:
    """All calls that one name means, with everybody whom any of them may reach."""
    costs = {candidate.name: candidate for site in sites for candidate in site.candidates}
    if not costs:
        yield f"{_key(key)} = []  # no function of the ELF has its address taken"
        return
    deepest = max(sites, key=lambda site: site.depth)
    count = f"{len(sites)} calls, " if len(sites) > 1 else ""
    yield f"# {count}by {deepest.chosen_by}, SP stands {deepest.depth} bytes deep"
    yield f"{_key(key)} = ["
    candidates = sorted(costs.values(), key=lambda one: (-one.at_least_bytes, one.name))
    for candidate in candidates[:_MAX_CANDIDATES]:
        cost = candidate.bound_bytes
        text = (
            f"unbounded, at least {candidate.at_least_bytes}" if cost is None else f"{cost} bytes"
        )
        yield f"    {_key(candidate.name)},  # {text}"
    rest = len(candidates) - _MAX_CANDIDATES
    if rest > 0:
        yield f"    # and {rest} more, none deeper"
    yield "]"


def _recursion(report: StackReport) -> Iterator[str]:
    rings = [cycle for cycle in report.cycles if cycle.depth is None]
    if rings:
        yield "\n[budget.stack.recursion]"
    for cycle in rings:
        names = ", ".join(cycle.functions[:4]) + (", ..." if len(cycle.functions) > 4 else "")
        yield f"# {names}: {cycle.round_bytes} bytes a round; how many activations at once?"
        yield f"# {_key(cycle.functions[0])} = 1"


def _frames(report: StackReport) -> Iterator[str]:
    dynamic = [function for function in report.functions if function.is_dynamic]
    if dynamic:
        yield "\n[budget.stack.frames]"
    for function in dynamic:
        yield f"# alloca or a VLA on top of {function.own_bytes} bytes; how many in all?"
        yield f"# {_key(function.name)} = {function.own_bytes}"


def _key(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
