"""What cannot be measured ends with its exit code and a line that names the file; never a pass."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from boardless import cli
from boardless.commands.exit_codes import ExitCode
from tests.unit.conftest import link

FLASH = '[budget.region.FLASH]\nmax = "4K"\n'
STACK = '[budget.stack]\nmax = "64K"\n'
SYMBOL = '[[budget.size]]\nname = "a"\nsymbol = "kernel_*"\nmax = "1M"\n'
SOURCE = '[[budget.size]]\nname = "a"\nsource = "small.c"\nmax = "1M"\n'
ARCHIVE = '[[budget.size]]\nname = "a"\narchive = "libc.a"\nmax = "1M"\n'
Damage = Callable[[bytes], bytes]


def ended(
    elf: Path, tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and everything that was said, on one line."""
    budgets = tmp_path / "boardless.toml"
    budgets.write_text(text)
    code = cli.main(["budget", str(elf), "--config", str(budgets)])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, " ".join((said.out + said.err).split())


@pytest.fixture(scope="module")
def stripped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stripped")
    elf = folder / "stripped.elf"
    subprocess.run(["arm-none-eabi-strip", "-o", elf, link(folder)], check=True)
    return elf


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (FLASH, ExitCode.PASSED, "note: stripped ELF: sizes of regions and sections only"),
        (FLASH + STACK, ExitCode.FAILED, "unbounded: stripped ELF: no function symbol"),
        (FLASH + SYMBOL, ExitCode.FAILED, "stripped (no .symtab)"),
    ],
)
def test_stripped_elf_has_sizes_only(
    stripped: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    code: int,
    said: str,
) -> None:
    found, output = ended(stripped, tmp_path, text, capsys)
    assert found == code
    assert said in output


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (FLASH + STACK + SYMBOL, ExitCode.PASSED, "3 budgets kept"),
        (FLASH + SOURCE, ExitCode.FAILED, "no line table (.debug_line)"),
        (FLASH + ARCHIVE, ExitCode.FAILED, "no linker map, expected small.map or [project] map"),
        (SYMBOL.replace("kernel_*", "none_*"), ExitCode.FAILED, "no symbol matches 'none_*'"),
        ("", ExitCode.FAILED, "no budget is set, so nothing was checked"),
        ("[budget]\n", ExitCode.FAILED, "no budget is set, so nothing was checked"),
        ("[budget.region.FLASH]\n", ExitCode.NOT_RUN, "max: not there"),
        ("[budget.regoin.FLASH]\nmax = 1\n", ExitCode.NOT_RUN, "expected 'region'?"),
    ],
)
def test_without_debug_information_and_without_budgets(
    small_elf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    code: int,
    said: str,
) -> None:
    found, output = ended(small_elf, tmp_path, text, capsys)
    assert found == code
    assert said in output


def header(offset: int, values: bytes) -> Damage:
    """Bytes of the file's own header, replaced."""
    return lambda raw: raw[:offset] + values + raw[offset + len(values) :]


def section(raw: bytes, name: str) -> int:
    """Where a section's header stands."""
    start, count, names = (
        struct.unpack_from(form, raw, at)[0] for form, at in (("<I", 32), ("<H", 48), ("<H", 50))
    )
    texts = struct.unpack_from("<I", raw, start + 40 * names + 16)[0]
    for at in range(start, start + 40 * count, 40):
        first = texts + struct.unpack_from("<I", raw, at)[0]
        if raw[first : raw.index(0, first)] == name.encode():
            return at
    raise AssertionError(name)


def in_section(name: str, offset: int, value: int) -> Damage:
    """A word of a section's header, replaced."""
    return lambda raw: header(section(raw, name) + offset, struct.pack("<I", value))(raw)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda raw: b"", "starts with b'', expected an ELF"),
        (lambda raw: raw[:40], "truncated after 40 bytes"),
        (lambda raw: raw[:-60], "truncated: section headers end at"),
        (header(18, b"\x3e\0"), "machine 62 (x86-64), expected 40 (ARM)"),
        (header(18, b"\xf3\0"), "machine 243 (RISC-V), expected 40 (ARM)"),
        (header(4, b"\x02"), "ELF class 2, expected 1 (32-bit)"),
        (header(5, b"\x02"), "ELF data encoding 2, expected 1"),
        (header(16, b"\x01\0"), "ELF type 1, expected 2"),
        (header(32, bytes(4)), "no section headers"),
        (header(46, b"\x27\0"), "section headers of 39 bytes, expected 40"),
        (in_section(".text", 20, 0x7FFF_FFFF), "truncated: section '.text' ends at byte"),
        (in_section(".text", 12, 0xFFFF_FFF8), "expected an end within 32 bits"),
        (in_section(".bss", 20, 0xFFFF_FFFF), "expected an end within 32 bits"),
        (in_section(".symtab", 20, 0xFFFF_FFF0), "truncated: section '.symtab' ends at byte"),
        (in_section(".symtab", 36, 8), "damaged ELF (.symtab of 608 bytes in entries of 8"),
        (in_section(".symtab", 24, 999), "names in section 999"),
        (in_section(".strtab", 16, 0xFFFF_0000), "truncated: section '.strtab' ends at byte"),
    ],
)
def test_damaged_and_foreign_elfs_are_exit_2(
    small_elf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Damage,
    said: str,
) -> None:
    elf = tmp_path / "damaged.elf"
    elf.write_bytes(damage(small_elf.read_bytes()))
    code, output = ended(elf, tmp_path, FLASH + STACK, capsys)
    assert code == ExitCode.NOT_RUN
    assert f"{elf}: " in output
    assert said in output


@pytest.mark.parametrize(("name", "said"), [("none.elf", "No such file"), (".", "a folder")])
def test_no_file_is_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    code, output = ended(tmp_path / name, tmp_path, FLASH, capsys)
    assert code == ExitCode.NOT_RUN
    assert said in output
    assert "expected an ELF" in output


@pytest.mark.parametrize("name", [".debug_info", ".debug_abbrev", ".debug_line", ".debug_frame"])
@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x80"])
def test_debug_information_that_is_noise_is_no_pass_for_what_needs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, fill: bytes
) -> None:
    elf = link(tmp_path, "-g")
    raw = elf.read_bytes()
    offset, size = struct.unpack_from("<II", raw, section(raw, name) + 16)
    elf.write_bytes(raw[:offset] + fill * size + raw[offset + size :])
    code, output = ended(elf, tmp_path, FLASH + SOURCE, capsys)
    assert code == (ExitCode.FAILED if name == ".debug_line" else ExitCode.PASSED)
    if name == ".debug_line":
        assert "line table is damaged" in output
