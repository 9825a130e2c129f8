"""The worst-case stack of an ELF, as a verdict needs it."""

from __future__ import annotations

from functools import lru_cache

from boardless.gate.bound import StackBound
from boardless.gate.stack_diff import StackFrame, StackPath, Stacks
from boardless.project.annotations import StackAnnotations
from boardless.project.config import Config
from boardless.size.measure import Measurement
from boardless.stack import SUPPOSED, Confidence, StackReport, analyse
from boardless_sim.elf.file import ElfFile
from boardless_sim.errors import BoardlessError


def stack_bound(measurement: Measurement, config: Config) -> StackBound:
    """The bound. An analysis that fails is no error but a reason: sizes are reported all the same.

    It is the project's own mistake where that annotates the stack.
    """
    try:
        report = stack_report(measurement, config)
    except BoardlessError as error:
        is_wrong = config.stack != StackAnnotations()
        return StackBound(None, Confidence.UNBOUNDED, reason=str(error), is_wrong=is_wrong)
    return _as_bound(report, measurement, config.budgets.max_of("stack.bound"))


def stack_report(measurement: Measurement, config: Config) -> StackReport:
    """The whole analysis, for `--why` and `--suggest`. Raises `BoardlessError`."""
    return _analysed(measurement.layout.elf, config.stack)


@lru_cache(maxsize=1)
def _analysed(elf: ElfFile, annotations: StackAnnotations) -> StackReport:
    return analyse(elf, annotations)


def _as_bound(report: StackReport, measurement: Measurement, maximum: int | None) -> StackBound:
    reason = next(iter(report.reasons), "no reason is known")
    more = f", and {len(report.reasons) - 1} more reasons" if len(report.reasons) > 1 else ""
    is_bounded, is_kept = report.bound_bytes is not None, _is_kept(report, maximum)
    return StackBound(
        bytes=report.bound_bytes,
        grade=report.grade,
        cold_bytes=report.cold_bytes,
        reason="" if is_bounded else f"unbounded: {reason}{more}",
        report=report,
        stacks=_stacks(report),
        where=None if is_kept else _entry_line(report, measurement),
    )


def _stacks(report: StackReport) -> Stacks:
    """Of several functions of one name the deepest."""
    paths = {"main": StackPath(report.entry, report.thread_bytes)}
    for level in report.interrupts.levels:
        name = level.handler if level.name == SUPPOSED else level.name
        paths[f"interrupt {name}"] = StackPath(level.handler, level.bound_bytes)
    for task in report.tasks:
        paths[f"task {task.name}"] = StackPath(task.entry, task.bound_bytes, task.reserve_bytes)
    functions = {
        found.name: StackFrame(
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
