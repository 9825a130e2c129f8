"""A profile as tables for people, and as a JSON document, schema 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from boardless.report.console import WIDTH
from boardless.running.post_mortem import as_document, in_lines
from boardless.timing.profile.costs import FunctionCost, LayerCost
from boardless.timing.profile.recording import Profile

SCHEMA = 1
UNKNOWN = "-"
_GAP, _SHORTEST = 2, 10  # between two columns; a text
NO_LAYERS = "layers     none: no nn_backend_run (firmware/nn/nn_backend.h) has run to its end"
NO_CALLERS = (
    "callers    unknown: the ELF has no .debug_frame, expected one (-g); functions stand alone"
)


def profile_tables(profile: Profile, top: int) -> RenderableType:
    """Stages, layers, the `top` functions, and what the figures rest on."""
    parts: list[RenderableType] = []
    if profile.stages:
        parts += [_stage_table(profile), Text("")]
    if profile.layers:
        parts += [_layer_table(profile), Text("")]
    parts += [_function_table(profile, top), Text("")]
    return Group(*parts, *(Text(line) for line in _summary(profile)))


def profile_document(profile: Profile) -> dict[str, object]:
    """The whole profile. Costs are of all frames together."""
    basis = profile.timing_basis
    return {
        "schema": SCHEMA,
        "elf": str(profile.elf),
        "sha256": profile.sha256,
        "timing": {"basis": basis.name, "error_percent": basis.error_percent, "hz": profile.hz},
        "frames": profile.frames,
        "cycles": profile.cycles,
        "instructions": profile.instructions,
        "sleep_cycles": profile.sleep_cycles,
        "macs": profile.macs,
        "layers": [_layer(profile, layer) for layer in profile.layers],
        "stages": [
            {"stage": stage.name, "function": stage.function, **vars(stage.cost)}
            for stage in profile.stages
        ],
        "post_mortem": None if profile.stands is None else as_document(profile.stands),
        "every_cycles": profile.every_cycles,
        "samples": profile.samples,
        "functions": [
            {"function": f.name, "self_cycles": f.self_cycles, "total_cycles": f.total_cycles}
            for f in profile.functions
        ],
    }


def _layer(profile: Profile, found: LayerCost) -> dict[str, object]:
    layer = found.layer
    return {
        "layer": layer.index,
        "kind": str(layer),
        "kernel": profile.kernel(found),
        "input": list(layer.input),
        "output": list(layer.output),
        "bits": layer.bits,
        "macs": layer.macs,
        **vars(found.cost),
        "ram_bytes": found.ram_bytes,
        "work_bytes": found.work_bytes,
    }


def _table(headings: Sequence[str], left: int, rows: Sequence[Sequence[str]], whole: bool) -> Table:
    """The first `left` columns hold text, which is shortened where a number would be.

    `whole`: the last row sums up.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    for at in reversed(range(left)):
        excess = sum(widths) + _GAP * (len(widths) - 1) - WIDTH
        widths[at] -= max(0, min(excess, widths[at] - _SHORTEST))
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="left" if at < left else "right", no_wrap=True)
    for row in rows:
        cells = [
            cell if len(cell) <= width else f"{cell[: width - 1]}…"
            for cell, width in zip(row, widths, strict=True)
        ]
        table.add_row(*cells, style="bold" if whole and row is rows[-1] else None)
    return table


def _stage_table(profile: Profile) -> Table:
    headings = ("stage", "function", "cycles", "instr.", "asleep", "stack", "ms", "share")
    whole = FunctionCost(0, profile.cycles, profile.instructions, profile.sleep_cycles)
    rest, rows = whole, list[Sequence[str]]()
    for stage in profile.stages:
        cost = stage.cost
        rows.append([stage.name, stage.function, *_stage_cells(profile, cost)])
        rest = FunctionCost(
            0,
            rest.cycles - cost.cycles,
            rest.instructions - cost.instructions,
            rest.sleep_cycles - cost.sleep_cycles,
        )
    rows.append(["everything else", "", *_stage_cells(profile, rest)])
    name = "run" if profile.frames is None else "frame"
    rows.append([name, "", *_stage_cells(profile, whole)])
    return _table(headings, 2, rows, whole=True)


def _stage_cells(profile: Profile, cost: FunctionCost) -> list[str]:
    return [
        _each(profile, cost.cycles),
        _each(profile, cost.instructions),
        f"{100 * cost.sleep_cycles / cost.cycles:.1f} %" if cost.cycles else UNKNOWN,
        f"{cost.stack_bytes:,}" if cost.calls else "",
        _milliseconds(profile, cost.cycles),
        f"{100 * cost.cycles / profile.cycles:.1f} %" if profile.cycles else UNKNOWN,
    ]


def _layer_table(profile: Profile) -> Table:
    headings = ("layer", "kernel", "cycles", "instr.", "MACs", "c/MAC", "ms", "stack", "RAM")
    rows = [
        [
            f"{found.layer.index} {found.layer} → {'×'.join(map(str, found.layer.output))}",
            (profile.kernel(found) or UNKNOWN).removeprefix("nn_"),
            *_layer_cells(profile, [found]),
        ]
        for found in profile.layers
    ]
    rows.append(["all layers", "", *_layer_cells(profile, profile.layers)])
    return _table(headings, 2, rows, whole=True)


def _layer_cells(profile: Profile, layers: Sequence[LayerCost]) -> list[str]:
    """Sums; of stack and RAM the most."""
    cycles = sum(found.cost.cycles for found in layers)
    macs = sum(found.layer.macs * found.cost.calls for found in layers)
    return [
        _each(profile, cycles),
        _each(profile, sum(found.cost.instructions for found in layers)),
        f"{sum(found.layer.macs for found in layers):,}",
        f"{cycles / macs:.2f}" if macs else UNKNOWN,
        _milliseconds(profile, cycles),
        f"{max(found.cost.stack_bytes for found in layers):,}",
        f"{max(found.ram_bytes for found in layers):,}",
    ]


def _function_table(profile: Profile, top: int) -> Table:
    awake = profile.cycles - profile.sleep_cycles
    rows = [
        [
            function.name,
            _each(profile, function.self_cycles),
            f"{100 * function.self_cycles / awake:.1f} %",
            f"{100 * function.total_cycles / awake:.1f} %",
        ]
        for function in profile.functions[:top]
    ]
    return _table(("function", "self cycles", "self", "with callees"), 1, rows, whole=False)


def _summary(profile: Profile) -> Iterator[str]:
    per = "the whole run"
    if profile.frames is not None:
        per = "a frame" if profile.frames == 1 else f"a frame, mean of {profile.frames:,}"
    yield f"costs      {per}; interrupts in between included; stack is the most of any call"
    yield f"time       at {profile.hz / 1e6:g} MHz; basis: {profile.timing_basis}"
    yield (
        f"functions  {profile.samples:,} samples, one every {profile.every_cycles:,} cycles; "
        "shares are of the cycles awake"
    )
    if profile.stands is not None:
        yield from in_lines(profile.stands)
    if not profile.layers:
        yield NO_LAYERS
    if not profile.knows_callers:
        yield NO_CALLERS


def _each(profile: Profile, count: int) -> str:
    """Of one frame, or of the whole run where there are none."""
    return f"{count / (profile.frames or 1):,.0f}"


def _milliseconds(profile: Profile, cycles: int) -> str:
    return f"{1000 * cycles / profile.hz / (profile.frames or 1):.3f}"
