"""ELF → measurement → budgets → verdict. `gate` is the whole line; its stages are its modules."""

from __future__ import annotations

from pathlib import Path

from boardless.budget.decide import decide
from boardless.budget.measure import Measurement, measure
from boardless.budget.table import render
from boardless.budget.verdict import Verdict
from boardless.config import find_config, load_config
from boardless_sim.engines.engine import StackMark

__all__ = ["Measurement", "Verdict", "decide", "gate", "measure", "render"]


def gate(elf: Path, config: Path | None = None, stack: StackMark | None = None) -> Verdict:
    """Measure an ELF and hold it to a project's budgets; without a file, to ./boardless.toml.

    Raises `BoardlessError` where nothing could be measured.
    """
    project = load_config(config if config is not None else find_config(Path()))
    return decide(measure(elf, project), project.budgets, stack)
