from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest

from boardless.project.config import Config
from boardless.size.measure import measure
from boardless_sim.elf.layout import read_layout
from boardless_sim.errors import BoardlessError, ImageError
from tests.unit.default_chip import STM32F407VG

CONFIG = Config(Path("boardless.toml"), STM32F407VG, stack_sections=(".stack",))
MUTATIONS = 2_500


def changed(raw: bytes, offset: int, values: bytes) -> bytes:
    return raw[:offset] + values + raw[offset + len(values) :]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda raw: b"", "starts with b'', expected an ELF"),
        (lambda raw: b"MZ" + raw[2:], "starts with b'MZLF', expected an ELF"),
        (lambda raw: raw[:40], "truncated after 40 bytes"),
        (lambda raw: raw[: len(raw) // 2], "truncated"),
        (lambda raw: changed(raw, 4, b"\x02"), "ELF class 2, expected 1"),
        (lambda raw: changed(raw, 5, b"\x02"), "encoding 2"),
        (lambda raw: changed(raw, 18, b"\x3e\x00"), "machine 62"),
        (lambda raw: changed(raw, 16, b"\x01\x00"), "ELF type 1, expected 2"),
        (lambda raw: changed(raw, 32, bytes(4)), "no section headers"),
    ],
)
def test_damage_is_named(small_elf: Path, tmp_path: Path, damage: object, complaint: str) -> None:
    assert callable(damage)
    broken = tmp_path / "broken.elf"
    broken.write_bytes(damage(small_elf.read_bytes()))
    with pytest.raises(ImageError) as caught:
        read_layout(broken)
    assert str(caught.value).startswith(f"{broken}: ")
    assert complaint in str(caught.value)


def test_stripped_has_sections_and_no_symbol(small_elf: Path, tmp_path: Path) -> None:
    stripped = tmp_path / "stripped.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", stripped, small_elf], check=True)
    layout = read_layout(stripped)
    assert layout.is_stripped
    assert layout.symbols == ()
    assert layout.sections == read_layout(small_elf).sections


def test_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="a folder, expected an ELF"):
        read_layout(tmp_path)


def test_elf_of_the_host_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"expected 40 \(ARM\)"):
        read_layout(Path("/bin/sh"))


def test_section_past_the_address_space_is_named(small_elf: Path, tmp_path: Path) -> None:
    raw = small_elf.read_bytes()
    headers, entry = struct.unpack_from("<I", raw, 32)[0], struct.unpack_from("<H", raw, 46)[0]
    huge = tmp_path / "huge.elf"
    huge.write_bytes(changed(raw, headers + entry + 12, struct.pack("<I", 0xFFFF_FFF8)))
    with pytest.raises(ImageError, match="expected an end within 32 bits"):
        read_layout(huge)


def test_mutated_elfs_are_measured_or_refused_never_a_traceback(
    small_elf: Path, tmp_path: Path
) -> None:
    dice = random.Random(20_240_601)
    whole = small_elf.read_bytes()
    headers = struct.unpack_from("<I", whole, 32)[0]
    mutant = tmp_path / "mutant.elf"
    refusals: list[str] = []
    for _ in range(MUTATIONS):
        raw = bytearray(whole[: dice.randrange(len(whole))] if dice.random() < 0.1 else whole)
        for _ in range(dice.randint(1, 8)):
            # headers are where a flipped byte does the most harm
            start = dice.choice((0, 0, 52, headers, headers, 0))
            end = len(raw) if dice.random() < 0.3 else min(len(raw), start + 800)
            if start < end:
                raw[dice.randrange(start, end)] = dice.choice((0, 1, 127, 128, 255, 40))
        mutant.write_bytes(raw)
        try:
            measure(mutant, CONFIG).symbol_bytes(("*",))
        except BoardlessError as error:
            refusals.append(str(error))
    assert MUTATIONS // 10 < len(refusals) < MUTATIONS
    assert [text for text in refusals if not text.startswith(f"{mutant}: ")] == []
    assert [text for text in refusals if not text.isprintable()] == []
