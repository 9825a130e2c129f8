"""A run opens its ELF once, whatever is looked up in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.opens import opens

REPO = Path(__file__).parents[2]
BUILT = REPO / "build" / "firmware" / "boardless.elf"
ARTIFACT = REPO / "models" / "artifacts" / "fashion_mnist_8k.npz"


@pytest.mark.parametrize("command", [("run", "--frames"), ("profile", "--frames")])
def test_the_elf_is_opened_once(command: tuple[str, str]) -> None:
    name, frames = command
    arguments = (name, BUILT, frames, "pattern:bars", "--model", ARTIFACT)
    assert opens(BUILT, *arguments) == "opened 1"
