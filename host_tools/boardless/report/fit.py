"""What fits where, as tables for people and as a JSON document, schema 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from boardless.fit.need import CYCLE_ERROR_PERCENT, Need
from boardless.fit.part import PartTable
from boardless.fit.verdict import FitVerdict, LatencyEstimate, ResourceCheck

SCHEMA = 1
_SHOWN = 12
_VOLTS = 3.3
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def fit_tables(
    need: Need,
    verdicts: Sequence[FitVerdict],
    table: PartTable,
    every: bool,
    why: bool,
    current_ma: float | None,
) -> RenderableType:
    """The need, then a line a part; of all parts the smallest that fit and what fails how often."""
    parts: list[RenderableType] = [Text(line) for line in _need_lines(need)]
    shown = smallest_fitting(verdicts) if every else list(verdicts)
    if shown:
        parts += [Text(""), _part_table(shown, current_ma)]
    if every:
        parts += [Text(""), *(Text(line) for line in _count_lines(verdicts))]
    if why:
        parts += [Text(""), *(Text(line) for line in _why_lines(need, shown, table))]
    return Group(*parts)


def fit_document(
    need: Need, verdicts: Sequence[FitVerdict], table: PartTable, current_ma: float | None
) -> dict[str, object]:
    """Everything. Factors are what is needed over what there is."""
    return {
        "schema": SCHEMA,
        "table": {"source": table.source, "parts": len(table.parts)},
        "model": {**vars(need), "ram_bytes": need.ram_bytes, "error_percent": CYCLE_ERROR_PERCENT},
        "parts": [_part(verdict, current_ma) for verdict in verdicts],
    }


def smallest_fitting(verdicts: Sequence[FitVerdict]) -> list[FitVerdict]:
    """Of the parts that fit, those with the least Flash and RAM, one of each kind of memories."""
    kinds: dict[tuple[int, int, str], FitVerdict] = {}
    for verdict in verdicts:
        part = verdict.part
        if verdict.fits:
            kinds.setdefault((part.flash_bytes, part.ram_bytes, part.core), verdict)
    return [kinds[kind] for kind in sorted(kinds)][:_SHOWN]


def energy_mj(latency: LatencyEstimate, current_ma: float | None) -> float | None:
    """Of one inference at 3.3 V."""
    return None if current_ma is None else latency.at_least * current_ma * _VOLTS / 1e3


def amount(value: float, unit: str) -> str:
    """Such as "14 GB", "80.4 k"."""
    size, letter = next(((s, t) for s, t in _UNITS if value >= s), (1.0, ""))
    suffix = "B" if unit == "bytes" else f" {unit}" if unit else ""
    return f"{value / size:.4g} {letter}{suffix}".replace("  ", " ").rstrip()


def _need_lines(need: Need) -> Iterator[str]:
    yield f"model      {need.name}"
    yield f"Flash      {amount(need.flash_bytes, 'bytes')}"
    if need.ram_bytes is None:
        yield "RAM        not known: not checked (--activations)"
    else:
        work = f", {need.work_bytes} of them for kernels" if need.work_bytes else ""
        yield f"RAM        {amount(need.ram_bytes, 'bytes')}{work}"
    yield f"products   {'not known' if need.macs is None else amount(need.macs, '')}"
    if need.cycles is not None:
        band = f"estimate ±{CYCLE_ERROR_PERCENT} %"
        yield f"cycles     {amount(need.cycles, '')} on a Cortex-M4 ({band})"


def _part_table(verdicts: Sequence[FitVerdict], current_ma: float | None) -> RichTable:
    found = RichTable(box=None, pad_edge=False)
    columns = ["part", "core", "MHz", "Flash", "RAM", "inference"]
    columns += ["energy"] if current_ma is not None else []
    for column in columns:
        found.add_column(column, justify="left" if column in ("part", "core") else "right")
    found.add_column("verdict", overflow="fold")
    for verdict in verdicts:
        part = verdict.part
        row = [part.name, part.core, f"{part.clock_hz / 1e6:g}"]
        row += [amount(part.flash_bytes, "bytes"), amount(part.ram_bytes, "bytes")]
        row.append(_time(verdict.latency))
        energy = energy_mj(verdict.latency, current_ma)
        row += [] if energy is None else [f"{energy:.3g} mJ"]
        found.add_row(*row, _says(verdict.first_failure))
    return found


def _time(latency: LatencyEstimate) -> str:
    sign = "" if latency.estimate is not None else "≥ "
    value = latency.at_least
    return f"{sign}{value / 1e3:.3g} s" if value >= 1e3 else f"{sign}{value:.3g} ms"


def _says(failure: ResourceCheck | None) -> str:
    if failure is None:
        return "fits"
    return f"no: {failure.name}, {failure.factor:,.4g} times what there is"


def _count_lines(verdicts: Sequence[FitVerdict]) -> Iterator[str]:
    fitting = sum(verdict.fits for verdict in verdicts)
    yield f"fits       {fitting} of {len(verdicts)} parts"
    failures = Counter(v.first_failure.name for v in verdicts if v.first_failure is not None)
    for name, count in failures.most_common():
        yield f"           {count} lack {name}"
    if not fitting and verdicts:
        nearest = min(verdicts, key=lambda v: max(check.factor for check in v.checks))
        yield f"nearest    {nearest.part.name}: {_says(nearest.first_failure)}"


def _why_lines(need: Need, verdicts: Sequence[FitVerdict], table: PartTable) -> Iterator[str]:
    for verdict in verdicts:
        yield f"{verdict.part.name}:"
        for check in verdict.checks:
            word = "enough" if check.fits else "missing"
            sizes = f"{check.needed:,.6g} of {check.available:,.6g} {check.unit}"
            yield f"  {check.name:<17} {sizes}: {word}, factor {check.factor:,.4g}"
        bounds = verdict.latency
        yield f"  reading each weight once takes at least {bounds.read_bound:.4g} ms"
        if bounds.multiply_bound is not None:
            yield f"  multiplying takes at least {bounds.multiply_bound:.4g} ms"
    yield f"parts      {table.source}: {len(table.parts)} of {table.rows} rows"
    yield f"corrected  {sum(table.corrections.values())} parts with a wrong Flash in it"
    yield "clock      the highest that the part's Flash wait states are given for"
    if need.cycles is not None:
        yield f"cycles     Cortex-M4, kernels m4, estimate ±{CYCLE_ERROR_PERCENT} %"


def _part(verdict: FitVerdict, current_ma: float | None) -> dict[str, object]:
    part, first = verdict.part, verdict.first_failure
    return {
        "part": part.name,
        "core": part.core,
        "clock_hz": part.clock_hz,
        "fits": verdict.fits,
        "first": None if first is None else first.name,
        "checks": [{**vars(c), "factor": c.factor, "fits": c.fits} for c in verdict.checks],
        "ms": vars(verdict.latency),
        "energy_mj": energy_mj(verdict.latency, current_ma),
    }
