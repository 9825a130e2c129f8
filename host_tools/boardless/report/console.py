"""The terminal, as everything here writes to it."""

from __future__ import annotations

from rich.console import Console

WIDTH = 100


def console(stderr: bool = False) -> Console:
    """Plain text where nobody looks at it; never wider than a table may be."""
    found = Console(stderr=stderr, highlight=False, soft_wrap=False)
    found.width = min(found.width, WIDTH) if found.is_terminal else WIDTH
    return found
