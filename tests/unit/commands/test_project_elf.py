"""`[project] elf` stands for the ELF that no command line names."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless import cli

COMMANDS = [
    ["run", "--frames", "pattern:bars"],
    ["profile"],
    ["compare", "--frames", "pattern:bars"],
    ["coverage", "--for-us", "1"],
    ["trace", "--for-us", "1"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_the_projects_elf_is_taken(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    assert "Missing argument 'ELF'" in capsys.readouterr().err
    Path("boardless.toml").write_text("[project]\nelf = 'out/app.elf'\n")
    assert cli.main(words) == 2
    assert "out/app.elf: No such file" in capsys.readouterr().err
    Path("boardless.toml").write_text("[project]\n")
    assert cli.main(words) == 2
    assert "no [project] elf, expected an ELF" in capsys.readouterr().err
