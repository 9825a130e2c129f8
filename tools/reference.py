"""Writes docs/reference/ from the code: the command line from click, the keywords from Libdoc.

Usage: tools/reference.py [--check]    --check writes nothing and fails where a page is out of date
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from robot.libdocpkg import LibraryDocumentation
from robot.libdocpkg.model import KeywordDoc

from boardless.cli import cli
from boardless.commands import bench, model
from boardless.commands.budget import trend

FOLDER = Path("docs/reference")
NOTE = "<!-- Written by tools/reference.py from the code. Do not edit. -->"
WIDTH = 90


def command_line() -> str:
    """Every command's help, as the terminal shows it."""
    context = click.Context(cli)
    pages = [help_of(cli, "boardless")]
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        pages.append(help_of(command, f"boardless {name}"))
    pages += [
        help_of(command, f"boardless bench {name}")
        for name, command in bench.command.commands.items()
    ]
    pages.append(help_of(trend.command, "boardless budget trend"))
    for name, step in model.STEPS.items():
        command = None if step.needs_torch else model.command.get_command(context, name)
        if command is not None:
            pages.append(help_of(command, f"boardless model {name}"))
    return "\n".join([NOTE, "", "# Command line", "", *pages])


def help_of(command: click.Command, name: str) -> str:
    """One command's help under its own heading."""
    context = click.Context(command, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)
    lines = [line.rstrip() for line in command.get_help(context).splitlines()]
    return "\n".join([f"## {name}", "", "```text", *lines, "```", ""])


def keywords(name: str) -> str:
    """Every keyword of the library: its arguments, what it does, an example."""
    library = LibraryDocumentation(name)
    lines = [NOTE, "", f"# Robot library `{name}`", "", *markdown(library.doc), ""]
    for keyword in library.keywords:
        lines += [*heading(keyword), *markdown(keyword.doc), ""]
    return "\n".join(lines)


def heading(keyword: KeywordDoc) -> Iterator[str]:
    """The keyword's name and its arguments with their types."""
    yield f"## {keyword.name}"
    yield ""
    arguments = [f"`{argument}`" for argument in keyword.args]
    if arguments:
        yield "Arguments: " + ", ".join(arguments)
        yield ""


def markdown(text: str) -> Iterator[str]:
    """Robot's own markup as Markdown: code, bold, and tables of examples."""
    inside = False
    for line in text.splitlines():
        is_example = line.startswith("|")
        if is_example != inside:
            yield "```robotframework" if is_example else "```"
            inside = is_example
        yield example(line) if is_example else prose(line)
    if inside:
        yield "```"


def example(line: str) -> str:
    """`| Show Frame | shoe.png |` as it stands in a suite; preformatted text as it is."""
    if not line.endswith("|"):
        return line[2:]
    return "    ".join(cell.strip() for cell in line.strip("|").split("|"))


def prose(line: str) -> str:
    """One line outside of examples."""
    return re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"**\1**", line.replace("``", "`"))


def main(arguments: list[str]) -> int:
    """Write both pages, or compare them."""
    pages = {
        "cli.md": command_line(),
        "Boardless.md": keywords("Boardless"),
        "BoardlessDevice.md": keywords("BoardlessDevice"),
    }
    stale = [
        FOLDER / name
        for name, text in pages.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text("utf-8") != text
    ]
    if arguments == ["--check"]:
        for page in stale:
            print(f"{page}: out of date, run tools/reference.py")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for page in stale:
        page.write_text(pages[page.name], "utf-8")
        print(f"{page}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
