"""Owners of files, by the examples of GitHub's "About code owners"."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless.project.codeowners import load_codeowners, parse_codeowners

TEXT = """
*       @global-owner1 @global-owner2   # whatever else
*.js    @js-owner
/build/logs/ @doctocat
docs/*  docs@example.com
apps/   @octocat
/docs/  @doctor
/scripts/ @doctocat @octocat
**/logs @logs
/apps/github
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("a.c", "@global-owner1 @global-owner2"),
        ("deep/a.js", "@js-owner"),
        ("build/logs/a/b.txt", "@logs"),
        ("lib/apps/x.c", "@octocat"),
        ("docs/a.md", "@doctor"),
        ("scripts/a.sh", "@doctocat @octocat"),
        ("deeply/nested/logs/a", "@logs"),
        ("apps/github/x", ""),  # the last match names nobody
    ],
)
def test_the_last_pattern_that_matches_counts(path: str, owners: str) -> None:
    assert parse_codeowners(TEXT).of(path) == owners


def test_one_star_stays_in_its_folder() -> None:
    found = parse_codeowners("docs/* @docs")
    assert found.of("docs/getting-started.md") == "@docs"
    assert found.of("docs/build-app/troubleshooting.md") == ""
    assert found.of("lib/docs/a.md") == ""


def test_the_first_place_that_has_a_file_counts(tmp_path: Path) -> None:
    assert load_codeowners(tmp_path).of("a.c") == ""
    (tmp_path / "CODEOWNERS").write_text("* @root")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/CODEOWNERS").write_text("* @github")
    assert load_codeowners(tmp_path).of("a.c") == "@github"
