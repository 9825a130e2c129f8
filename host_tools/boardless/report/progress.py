"""A progress bar on stderr, only for somebody who looks at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(
    what: str, total: int | None, time_left: bool = False
) -> Iterator[Callable[[object], None] | None]:
    """A callback for each finished piece; None where there is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from boardless.report.console import console

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TimeRemainingColumn(),) if time_left else ()
    with Progress(*columns, *left, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda _piece: bar.advance(task)
