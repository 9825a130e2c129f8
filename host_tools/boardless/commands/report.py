"""`boardless report`: one account of what the other commands wrote of a firmware."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boardless.commands.exit_codes import ExitCode
from boardless.commands.options import PATH

if TYPE_CHECKING:
    from boardless.gate.parts import Account

_Given = tuple[Path, ...]


def _files(name: str, text: str) -> Callable[[Callable[..., int]], Callable[..., int]]:
    return click.option(name, type=PATH, multiple=True, metavar="FILE", help=text)


@click.command("report")
@_files("--budget", "What `budget --json` wrote; may be given more than once, as the others.")
@_files("--run", "What `run --json` wrote: accuracy, latency, board checks.")
@_files("--suite", "JUnit XML, of `test`, `run --junit` or pytest.")
@_files("--coverage", "What `coverage --lcov` wrote.")
@click.option("--base", type=PATH, metavar="FILE", help="What an earlier `report --json` wrote.")
@click.option("--json", "json_path", type=PATH, metavar="FILE", help="Write it as JSON.")
@click.option("--markdown", type=PATH, metavar="FILE", help="For a summary or one comment.")
def command(
    budget: _Given,
    run: _Given,
    suite: _Given,
    coverage: _Given,
    base: Path | None,
    json_path: Path | None,
    markdown: Path | None,
) -> int:
    """Join size, stack, accuracy, latency, suites, coverage and board checks into one verdict.

    Measures nothing: it reads what other commands wrote. Exit codes: 0 passed, 1 a part failed or
    none was judged, 2 a file is not what it should be.
    """
    from boardless.gate.parts import against
    from boardless.report.pull_request import document, lines, passed
    from boardless.report.pull_request import markdown as as_markdown
    from boardless_sim.files import require_writable, write_text

    for path in (json_path, markdown):
        if path is not None:
            require_writable(path)
    parts = tuple(_parts(budget, run, suite, coverage))
    if not parts:
        raise click.UsageError("expected at least one of --budget, --run, --suite, --coverage")
    if base is not None:
        parts = against(parts, _document(base, "an earlier account"), str(base))
    if json_path is not None:
        write_text(json_path, json.dumps(document(parts), indent=2) + "\n")
    if markdown is not None:
        write_text(markdown, as_markdown(parts))
    for line in lines(parts):
        click.echo(line)
    return ExitCode.PASSED if passed(parts) else ExitCode.FAILED


def _parts(budget: _Given, run: _Given, suite: _Given, coverage: _Given) -> Iterator[Account]:
    from boardless.gate.parts import budget_parts, coverage_part, run_parts, suite_part
    from boardless_sim.errors import ConfigError
    from boardless_sim.files import read_text

    for path in budget:
        yield from budget_parts(_document(path, "a budget's verdict"), str(path))
    for path in run:
        yield from run_parts(_document(path, "a run's account"), str(path))
    for path in suite:
        yield suite_part(read_text(path, "JUnit XML", ConfigError), str(path))
    for path in coverage:
        yield coverage_part(read_text(path, "a tracefile of lcov's", ConfigError), str(path))


def _document(path: Path, expected: str) -> dict[str, Any]:
    from boardless_sim.errors import ConfigError
    from boardless_sim.files import read_text
    from boardless_sim.json_text import parse_json

    found = parse_json(read_text(path, expected, ConfigError), path, expected, ConfigError)
    if not isinstance(found, dict):
        raise ConfigError(f"{path}: no table, expected {expected}")
    return found
