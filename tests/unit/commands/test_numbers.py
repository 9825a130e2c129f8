"""Every number of a command line is finite and bounded where it enters."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from boardless import cli
from boardless.commands.options import LARGEST, Finite, Whole


def options(command: click.Command, name: str) -> Iterator[tuple[str, click.Option]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from options(found, f"{name} {each}")
    for one in command.params:
        if isinstance(one, click.Option):
            yield f"{name} {one.opts[0]}", one


@pytest.mark.parametrize("name", sorted(cli.cli.list_commands(click.Context(cli.cli))))
def test_no_option_takes_a_number_without_a_bound(name: str) -> None:
    command = cli.cli.get_command(click.Context(cli.cli), name)
    assert command is not None
    numbers = (click.IntRange, click.FloatRange, type(click.INT), type(click.FLOAT))
    loose = [
        where
        for where, one in options(command, name)
        if isinstance(one.type, numbers) and not isinstance(one.type, Finite | Whole)
    ]
    assert loose == []


@pytest.mark.parametrize("kind", [Finite(min=0), Whole(min=0)])
@pytest.mark.parametrize("text", ["9" * 17, "9" * 400, "9" * 5000])
def test_a_number_that_is_too_large_is_said_shortly(kind: Finite | Whole, text: str) -> None:
    with pytest.raises(click.BadParameter) as raised:
        kind.convert(text, None, None)
    assert "expected" in str(raised.value) or len(raised.value.message) < 6000
    assert kind.convert(str(LARGEST), None, None) == LARGEST
