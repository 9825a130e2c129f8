"""ELF → measurement → budgets → verdict. `gate` is the whole line; its stages are its modules.

May import size, stack, project and the ELF reader; knows no report.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boardless.gate.decide import decide
from boardless.gate.evidence import NO_RUN, VerdictBasis
from boardless.gate.verdict import Verdict
from boardless.project.config import Config, find_config, load_config
from boardless.size.measure import Measurement, measure
from boardless_sim.elf.file import ElfFile

if TYPE_CHECKING:
    from boardless_sim.engines.engine import StackMark

__all__ = ["Measurement", "Verdict", "decide", "gate", "measure"]


def gate(
    elf: Path | ElfFile,
    config: Path | Config | None = None,
    stack: StackMark | None = None,
    *,
    no_mark: str = NO_RUN,
    mark_note: str = "",
    mark_problem: str = "",
    base: str | None = None,
    linker_map: Path | None = None,
    today: datetime.date | None = None,
) -> Verdict:
    """Measure an ELF and hold it to a project's budgets; without a file, to ./boardless.toml.

    A file that is given is opened once, one that was read already not at all.

    Raises `BoardlessError` where nothing could be measured, `AnalyserError` where the measurement
    proves itself wrong.
    """
    from boardless.gate.base import load_base
    from boardless.gate.stack_bound import stack_bound

    if not isinstance(config, Config):
        config = load_config(config if config is not None else find_config(Path()))
    project = config
    measurement = measure(elf, project, linker_map)
    if linker_map is not None:
        measurement.require_map()  # it was named, even if no budget asks for it
    evidence = VerdictBasis(
        today=today if today is not None else datetime.datetime.now(tz=datetime.UTC).date(),
        mark=stack,
        no_mark=no_mark,
        mark_note=mark_note,
        mark_problem=mark_problem,
        bound=stack_bound(measurement, project),
        base=load_base(base, measurement.layout.path, project, measure),
    )
    verdict = decide(measurement, project.budgets, evidence)
    verdict = replace(verdict, target=project.target)
    if project.artifact is None:
        return verdict
    from boardless.gate.model_row import with_model
    from boardless_sim.elf.image import image_of

    return with_model(verdict, image_of(measurement.layout.elf), project.artifact)
