"""The worst-case stack of an ELF, as a verdict needs it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from boardless.gate.decide import Bound, TaskBound
from boardless.gate.stack_diff import Frame, StackPath, Stacks
from boardless.project.config import Config
from boardless.size.measure import Measurement
from boardless.stack import SUPPOSED, StackAnnotations, StackReport, analyse, from_table
from boardless.stack.report import Disagreement
from boardless_sim.elf.file import ElfFile
from boardless_sim.errors import BoardlessError

_REASONS = 20


def stack_bound(measurement: Measurement, config: Config) -> Bound:
    """The bound. Where a project budgets no stack, an analysis that fails is no error but a reason.

    Raises `BoardlessError` where a stack is budgeted or annotated and cannot be analysed.
    """
    annotations = annotations_of(config)
    try:
        report = _analysed(measurement.layout.elf, annotations)
    except BoardlessError as error:
        if annotations != StackAnnotations():
            raise
        return Bound(None, "unbounded", str(error))
    return _as_bound(report, measurement, config.budgets.stack_max)


def annotations_of(config: Config) -> StackAnnotations:
    """What `[budget.stack]` says. Raises `ConfigError`."""
    table = config.stack_table
    return from_table(table) if table is not None and table.given else StackAnnotations()


def stack_report(measurement: Measurement, config: Config) -> StackReport:
    """The whole analysis, for `--why` and `--suggest`."""
    return _analysed(measurement.layout.elf, annotations_of(config))


@lru_cache(maxsize=1)
def _analysed(elf: ElfFile, annotations: StackAnnotations) -> StackReport:
    return analyse(elf, annotations)


def _as_bound(report: StackReport, measurement: Measurement, maximum: int | None) -> Bound:
    reason = next(iter(report.reasons), "no reason is known")
    more = f", and {len(report.reasons) - 1} more reasons" if len(report.reasons) > 1 else ""
    return Bound(
        report.bound_bytes,
        str(report.grade),
        f"unbounded: {reason}{more}" if report.bound_bytes is None else "",
        _stacks(report),
        None if _is_kept(report, maximum) else _entry_line(report, measurement),
        _document(report),
        report.cold_bytes,
        tuple(
            TaskBound(task.name, task.bound_bytes, task.max_bytes, str(task.grade))
            for task in report.tasks
        ),
        tuple(_disagreement(report.disagreements)),
    )


def _disagreement(found: Sequence[Disagreement]) -> Iterator[str]:
    if found:
        first = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield (
            f"frames: {first.source} gives {first.function} {first.found_bytes:,} bytes, its code "
            f"takes {first.expected_bytes:,}{more}; the code is followed"
        )


def _stacks(report: StackReport) -> Stacks:
    """Of several functions of one name the deepest."""
    paths = {"main": StackPath(report.entry, report.thread_bytes)}
    for level in report.interrupts.levels:
        name = level.handler if level.name == SUPPOSED else level.name
        paths[f"interrupt {name}"] = StackPath(level.handler, level.bound_bytes)
    for task in report.tasks:
        paths[f"task {task.name}"] = StackPath(task.entry, task.bound_bytes)
    functions = {
        found.name: Frame(
            found.own_bytes,
            found.bound_bytes,
            found.path[1].function if len(found.path) > 1 else "",
            str(found.grade),
        )
        for found in sorted(report.functions, key=lambda found: found.at_least_bytes)
    }
    return Stacks(paths, functions)


def _is_kept(report: StackReport, maximum: int | None) -> bool:
    return maximum is None or (report.bound_bytes is not None and report.bound_bytes <= maximum)


def _entry_line(report: StackReport, measurement: Measurement) -> tuple[str, int] | None:
    """The source line of the entry; line tables take long, so only a failure asks for it."""
    entry = next(iter(report.find(report.entry)), None)
    return None if entry is None else measurement.lines.where(entry.address)


def _document(report: StackReport) -> dict[str, object]:
    return {
        "grade": str(report.grade),
        "entry": report.entry,
        "thread_bytes": report.thread_bytes,
        "cold_bytes": report.cold_bytes,
        "at_least_bytes": report.at_least_bytes,
        "path": [{"function": step.function, "bytes": step.depth} for step in report.path],
        "reasons": list(report.reasons[:_REASONS]),
        "interrupts": [
            {
                "level": level.name,
                "handler": level.handler,
                "bytes": level.bound_bytes,
                "grade": str(level.grade),
            }
            for level in report.interrupts.levels
        ],
        "dynamic": [function.name for function in report.functions if function.is_dynamic],
        "recursion": [
            {"functions": list(ring.functions), "depth": ring.depth, "bytes": ring.round_bytes}
            for ring in report.cycles
        ],
        "disagreements": [
            {
                "function": found.function,
                "source": found.source,
                "bytes": found.found_bytes,
                "code": found.expected_bytes,
            }
            for found in report.disagreements
        ],
    }
