"""What is flashed beside an ELF: HEX, BIN, a boot loader; and names from another ELF."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from boardless_sim.elf.image import ImagePlan, load_image
from boardless_sim.errors import ImageError
from tests.unit.elf.elf_bytes import CODE, FLASH, build_elf

APP = FLASH + 0x1_0000


def record(kind: int, place: int, data: bytes) -> str:
    raw = bytes([len(data), place >> 8, place & 0xFF, kind]) + data
    return ":" + (raw + bytes([-sum(raw) & 0xFF])).hex().upper()


def hex_file(base: int = 0x0800, data: bytes = CODE) -> str:
    half = len(data) // 2
    lines = [record(4, 0, base.to_bytes(2, "big")), record(0, 0, data[:half])]
    return "\r\n".join([*lines, record(0, half, data[half:]), record(1, 0, b""), ""])


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def stripped() -> bytes:
    elf = build_elf()
    elf[48:50] = b"\1\0"  # of its sections only the first, which is none
    return bytes(elf)


@pytest.mark.parametrize(
    ("name", "data"), [("app.hex", hex_file()), ("app.bin", CODE), ("bare.elf", stripped())]
)
def test_a_file_without_names_is_an_image(name: str, data: bytes | str, tmp_path: Path) -> None:
    image = load_image(written(tmp_path / name, data))
    assert [(s.load_address, s.data) for s in image.segments] == [(FLASH, CODE)]
    assert (image.vector_table, image.initial_sp) == (FLASH, 0x2000_2000)
    assert (image.function_at(FLASH + 8), image.symbols) == ("?", {})
    with pytest.raises(ImageError, match=f"{name}: no symbols, a profile needs them"):
        image.require_names("a profile")


def test_the_names_come_from_another_elf_of_the_same_build(tmp_path: Path) -> None:
    named = written(tmp_path / "app.elf", bytes(build_elf()))
    image = load_image(written(tmp_path / "app.bin", CODE), ImagePlan(symbols=named))
    assert image.function_at(FLASH + 8) == "main"


def test_the_names_of_another_build_are_refused(tmp_path: Path) -> None:
    named = written(tmp_path / "app.elf", bytes(build_elf()))
    other = written(tmp_path / "app.bin", CODE[:12] + b"\0\xbf\0\xbf")
    with pytest.raises(ImageError, match="app.elf: other bytes than the firmware at 0x0800000c"):
        load_image(other, ImagePlan(symbols=named))


def test_a_bin_goes_where_it_is_said_and_a_boot_loader_beside_it(tmp_path: Path) -> None:
    app = CODE[:4] + struct.pack("<I", APP + 9) + CODE[8:]
    boot = written(tmp_path / "boot.bin", CODE)
    path = written(tmp_path / "app.bin", app)
    both = load_image(path, ImagePlan(at=APP, also=((boot, FLASH),)))
    assert (both.vector_table, both.reset_address) == (FLASH, FLASH + 8)
    skipped = load_image(path, ImagePlan(vector_table=APP, at=APP, also=((boot, FLASH),)))
    assert (skipped.vector_table, skipped.reset_address) == (APP, APP + 8)


def test_two_files_at_one_place_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "app.bin", CODE)
    message = "16 bytes at 0x08000008, where the firmware has 16 at 0x08000000"
    with pytest.raises(ImageError, match=message):
        load_image(path, ImagePlan(also=((path, FLASH + 8),)))


def test_a_vector_table_that_is_nowhere_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "app.bin", CODE)
    message = "no vector table at 0x08010000, the image starts at 0x08000000"
    with pytest.raises(ImageError, match=message):
        load_image(path, ImagePlan(vector_table=APP))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (":10000000FF", "app.hex:1: 0 bytes, expected 16"),
        (record(4, 0, b"\x08\0") + "\n:zz", "app.hex:2: b':zz', expected a record of Intel HEX"),
        (record(0, 0, CODE)[:-2] + "00", "app.hex:1: checksum 0x00 is wrong"),
        (record(0, 0, CODE), "app.hex: no end record, expected a whole Intel HEX file"),
        (record(9, 0, CODE), "app.hex:1: record of type 9, expected 0 to 5"),
        (hex_file(base=0x2000), "segment of 16 bytes loads at 0x20000000, expected Flash"),
    ],
)
def test_a_damaged_hex_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=message):
        load_image(written(tmp_path / "app.hex", text))
