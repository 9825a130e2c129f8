"""A file that is measured is opened once: what was checked is what every figure comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opens import opens
from tests.unit.conftest import link

TOML = """
[budget.region.FLASH]
max = "448K"
[[budget.size]]
name = "kernels"
source = "small.c"
max = "1K"
[budget.stack]
max = 1
"""


@pytest.mark.parametrize("more", [[], ["--why", "main"], ["--suggest"]], ids=" ".join)
def test_the_elf_and_the_toml_are_opened_once(
    tmp_path: Path, config_file: Path, more: list[str]
) -> None:
    """Sizes, lines, symbols, the stack and the line of its entry are all asked for."""
    elf = link(tmp_path, "-g")
    config_file.write_text(TOML)
    files: list[str | Path] = ["budget", elf, "--config", config_file]
    command = [*files, "--json", tmp_path / "v.json", *more]
    assert opens(elf, *command) == "opened 1"
    assert opens(config_file, *command) == "opened 1"
