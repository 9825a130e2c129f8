"""A verdict, or those of several ELFs, in every form that was asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from boardless.gate.many import Verdicts
from boardless.gate.verdict import Verdict
from boardless.project.config import Config

Held = tuple[Verdict, Config]


@dataclass(frozen=True)
class Outputs:
    """The files to write; None where one is not wanted."""

    json: Path | None = None
    markdown: Path | None = None
    sarif: Path | None = None
    junit: Path | None = None
    html: Path | None = None


def require_outputs(outputs: Outputs) -> None:
    """Raises `BoardlessError` where a file cannot be written, before anything is measured."""
    paths = [path for path in astuple(outputs) if path is not None]
    if paths:
        from boardless_sim.files import require_writable  # takes long, and nobody may ask

        for path in paths:
            require_writable(path)


def write_outputs(held: Sequence[Held], outputs: Outputs, *, are_targets: bool) -> None:
    """Write what was asked for. `are_targets`: a document of several, though it may be one."""
    for path, text in _texts(held, outputs, are_targets):
        from boardless_sim.files import write_text  # takes long, and nobody may ask

        write_text(path, text())


def _texts(
    held: Sequence[Held], outputs: Outputs, are_targets: bool
) -> Iterator[tuple[Path, Callable[[], str]]]:
    from boardless.report.verdict.html import html
    from boardless.report.verdict.junit import junit
    from boardless.report.verdict.markdown import markdown, markdown_of_many
    from boardless.report.verdict.sarif import sarif

    all_of_them = Verdicts(tuple(verdict for verdict, _ in held))
    one = all_of_them.each[0]
    document = all_of_them if are_targets else one
    if outputs.json is not None:
        yield outputs.json, lambda: json.dumps(document.as_json(), indent=2) + "\n"
    if outputs.markdown is not None:
        yield (
            outputs.markdown,
            lambda: markdown_of_many(all_of_them) if are_targets else markdown(one),
        )
    if outputs.sarif is not None:
        yield outputs.sarif, lambda: json.dumps(sarif(*held), indent=2) + "\n"
    if outputs.junit is not None:
        yield outputs.junit, lambda: junit(*all_of_them.each)
    if outputs.html is not None:
        yield outputs.html, lambda: html(*all_of_them.each, line=document.line)
