"""CODEOWNERS: who is asked about a file (GitHub's documentation, "About code owners").

Patterns as in .gitignore, without `!` and `[…]`; of several that match the last one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from boardless_sim.errors import ConfigError
from boardless_sim.files import read_text

_PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # the first one found counts
_MOST_BYTES = 3 << 20  # GitHub reads no larger one
_PARTS = re.compile(r"\*\*/|/\*\*|\*\*|\*|\?|[^*?/]+|/")
_MEANS = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@dataclass(frozen=True)
class CodeOwners:
    """The lines of a CODEOWNERS file."""

    lines: tuple[tuple[re.Pattern[str], str], ...] = ()

    def of(self, path: str) -> str:
        """The owners of a file of the repository, by its path from the root; empty: nobody."""
        return next((owners for form, owners in reversed(self.lines) if form.match(path)), "")


def load_codeowners(root: Path) -> CodeOwners:
    """A repository's owners. Raises `ConfigError` where its file cannot be read."""
    path = next((root / place for place in _PLACES if (root / place).exists()), None)
    if path is None:
        return CodeOwners()
    return parse_codeowners(read_text(path, "a CODEOWNERS file", ConfigError, _MOST_BYTES))


def parse_codeowners(text: str) -> CodeOwners:
    """The same of its text."""
    words = (line.partition("#")[0].split() for line in text.splitlines())
    return CodeOwners(tuple((_form(line[0]), " ".join(line[1:])) for line in words if line))


def _form(pattern: str) -> re.Pattern[str]:
    """A path that a pattern names, or one below it."""
    is_rooted = "/" in pattern.rstrip("/")
    body = pattern.strip("/")
    parts = (_MEANS.get(part) or re.escape(part) for part in _PARTS.findall(body))
    below = "/" if pattern.endswith("/") else "" if body.endswith("/*") else "(?:/|$)"
    end = "$" if body.endswith("/*") else ""  # `docs/*` owns no folder below docs
    return re.compile(("" if is_rooted else "(?:.*/)?") + "".join(parts) + below + end)
