"""What the ELF loader refuses, word by word."""

import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from boardless_sim.elf.image import load_image
from boardless_sim.errors import BoardlessError, ImageError
from tests.unit.elf.elf_bytes import CODE, FLASH, build_elf


def refusal(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "firmware.elf"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        load_image(path)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_whole_elf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    path.write_bytes(build_elf())
    image = load_image(path)
    assert (image.initial_sp, image.reset_address) == (0x2000_2000, FLASH + 8)
    assert image.function_at(FLASH + 8) == "main"
    assert image.function_at(FLASH + 0x100) == "?"
    assert image.segments[0].data == CODE


@pytest.mark.parametrize("low_bits", [1, 2, 3])
def test_the_two_lowest_bits_of_the_stack_pointer_do_not_count(
    tmp_path: Path, low_bits: int
) -> None:
    """SP[1:0] is RAZ/WI (DDI 0403E, B1.4.1): some linker scripts say the last byte of RAM."""
    path = tmp_path / "firmware.elf"
    path.write_bytes(build_elf(code=struct.pack("<I", 0x2000_2000 - 4 + low_bits) + CODE[4:]))
    assert load_image(path).initial_sp == 0x2000_2000 - 4


def patched(offset: int, value: bytes) -> Callable[[], bytes]:
    def build() -> bytes:
        elf = build_elf()
        elf[offset : offset + len(value)] = value
        return bytes(elf)

    return build


def with_section(number: int, field: int, value: int) -> Callable[[], bytes]:
    """Another value in one of the ten fields of a section header: 1 is .symtab, 2 .strtab."""

    def build() -> bytes:
        elf = build_elf()
        (headers,) = struct.unpack_from("<I", elf, 32)
        struct.pack_into("<I", elf, headers + 40 * number + 4 * field, value)
        return bytes(elf)

    return build


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: b"", "starts with b'', expected an ELF (b'\\x7fELF')"),
        (lambda: b"\x7fELF\1\1", "truncated after 6 bytes, expected an ELF header of 52"),
        (lambda: b"GIF89a", "starts with b'GIF8', expected an ELF (b'\\x7fELF')"),
        (patched(4, b"\2"), "ELF class 2, expected 1 (32-bit)"),
        (patched(5, b"\2"), "ELF data encoding 2, expected 1 (little-endian)"),
        (patched(18, b"\x3e\0"), "ELF machine 62 (x86-64), expected 40 (ARM)"),
        (patched(18, b"\xf3\0"), "ELF machine 243 (RISC-V), expected 40 (ARM)"),
        (patched(18, b"\x99\0"), "ELF machine 153, expected 40 (ARM)"),
        (patched(16, b"\1\0"), "ELF type 1, expected 2 (executable, linked at its address)"),
        (
            lambda: bytes(build_elf(code=struct.pack("<II", 0x2000_2000, 0x2000_0001) + bytes(8))),
            "reset vector 0x20000001, expected a Thumb address (odd) in Flash",
        ),
        (
            lambda: bytes(build_elf(code=struct.pack("<II", 0, FLASH + 9) + bytes(8))),
            "initial stack pointer 0x00000000, expected an address in RAM",
        ),
        (
            lambda: bytes(build_elf(code=bytes(4), load_address=FLASH + 0x4000)),
            "no vector table at 0x08000000, the image starts at 0x08004000",
        ),
        (
            lambda: bytes(build_elf(load_address=0x2000_0000)),
            "segment of 16 bytes loads at 0x20000000, expected Flash, from 0x08000000 on",
        ),
        (
            with_section(1, 5, 0x1000),
            "truncated: section '.symtab' ends at byte 4196, file has 331",
        ),
        (
            with_section(2, 4, 0x1000),
            "truncated: section '.strtab' ends at byte 4108, file has 331",
        ),
    ],
)
def test_refusals(tmp_path: Path, build: Callable[[], bytes], message: str) -> None:
    assert refusal(tmp_path, build()) == message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="No such file or directory, expected an ELF"):
        load_image(tmp_path / "none.elf")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = bytes(build_elf())
    for length in range(len(whole)):
        refusal(tmp_path, whole[:length])


def outcome(path: Path) -> str:
    try:
        load_image(path)
    except BoardlessError as error:
        return str(error)
    return ""


def test_damaged_elfs_give_one_line_and_no_traceback(tmp_path: Path) -> None:
    """Whatever the bytes: an image or a BoardlessError of one line."""
    chance = random.Random(407)
    whole = build_elf()
    path = tmp_path / "damaged.elf"
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(damaged))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
        path.write_bytes(damaged)
        assert "\n" not in outcome(path)


def test_an_image_behind_a_boot_loader_has_its_table_at_its_start(tmp_path: Path) -> None:
    path = tmp_path / "app.elf"
    path.write_bytes(bytes(build_elf(load_address=FLASH + 0x8000)))
    assert load_image(path).vector_table == FLASH + 0x8000
