"""What .debug_frame and .su say otherwise, and who is right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from boardless.stack import StackAnnotations, analyse_stack
from boardless.stack.report import Disagreement
from boardless_sim.elf.cfi import descriptions
from boardless_sim.errors import ConfigError
from tests.unit.stack.conftest import Corpus


def test_what_the_compiler_leaves_out_is_listed(shapes: Path) -> None:
    report = analyse_stack(shapes, StackAnnotations(su_folders=(shapes.parent,)))
    assert report.disagreements == (
        Disagreement("asm_pushes", ".debug_frame", 0, 16),
        Disagreement("asm_pushes", ".su", 0, 16),
        Disagreement("asm_subtracts", ".debug_frame", 0, 64),
        Disagreement("asm_subtracts", ".su", 0, 64),
        Disagreement("naked", ".debug_frame", 0, 56),
        Disagreement("naked", ".su", 0, 56),
        Disagreement("takes_any", ".su", 16, 32),
        Disagreement("takes_big", ".su", 8, 24),
    )


def test_newlib_agrees_in_every_frame(corpus: Corpus) -> None:
    elf = corpus("library.c", "-Os")
    assert len(descriptions(section(elf))) > 150
    assert analyse_stack(elf, StackAnnotations()).disagreements == ()


def test_a_frame_that_is_said_otherwise_is_seen(shapes: Path, tmp_path: Path) -> None:
    usage = tmp_path / "shapes.su"
    usage.write_text("shapes.c:12:12:wide\t400\tstatic\nshapes.c:11:12:leaf\t24\tstatic\n")
    report = analyse_stack(shapes, StackAnnotations(su_folders=(tmp_path,)))
    said = [found for found in report.disagreements if found.source == ".su"]
    assert said == [Disagreement("leaf", ".su", 24, 16)]


def test_a_folder_without_usage_is_an_error(shapes: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no .su file, expected a folder of objects"):
        analyse_stack(shapes, StackAnnotations(su_folders=(tmp_path,)))


def section(elf: Path) -> bytes:
    """.debug_frame as objcopy cuts it out."""
    out = elf.with_suffix(".frame")
    command = ["arm-none-eabi-objcopy", "-O", "binary", "--only-section=.debug_frame"]
    subprocess.run(
        [*command, "--set-section-flags=.debug_frame=alloc", str(elf), str(out)], check=True
    )
    return out.read_bytes()
