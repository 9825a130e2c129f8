from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from boardless.project.config import Config
from boardless.project.regions import Region
from boardless.size.measure import Measurement, image_bytes, measure, union_bytes
from tests.unit.conftest import link
from tests.unit.default_chip import STM32F407VG

CONFIG = Config(Path("boardless.toml"), STM32F407VG, stack_sections=(".stack",))


@pytest.fixture(scope="module")
def small(small_elf: Path) -> Measurement:
    return measure(small_elf, CONFIG)


def objcopy_length(elf: Path, folder: Path) -> int:
    binary = folder / "image.bin"
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, binary], check=True)
    return binary.stat().st_size


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-O0",),
        ("-O3",),
        ("-Wl,-z,max-page-size=4096",),
        ("-Wl,-z,max-page-size=65536",),
        ("-Wl,--omagic",),
        ("-Wl,--gc-sections",),
    ],
)
def test_flash_is_as_long_as_the_image_that_objcopy_makes(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    elf = link(tmp_path, *options)
    measurement = measure(elf, CONFIG)
    assert measurement.regions["FLASH"] == objcopy_length(elf, tmp_path)
    assert image_bytes(measurement.layout.sections) == objcopy_length(elf, tmp_path)


def test_padding_is_part_of_the_region(small: Measurement) -> None:
    loaded = sum(section.size for section in small.layout.sections if section.is_loaded)
    assert small.regions["FLASH"] > loaded


def test_model_is_the_bytes_of_its_section(small: Measurement) -> None:
    assert small.section_bytes((".model",)) == 100 + 5 * 4


def test_ram_counts_data_code_and_zeroed_but_static_ram_not_the_stack(small: Measurement) -> None:
    ramcode = small.section_bytes((".ramcode",))
    data_and_code = small.section_bytes((".data", ".ramcode"))
    bss = small.section_bytes((".bss",))
    assert ramcode
    assert data_and_code is not None
    assert bss == 40
    assert small.reserved_stack == 0x800
    assert small.static_ram == data_and_code + bss + 300
    padding = -data_and_code % 4 + small.regions["RAM"] - small.static_ram + 300 - 0x800
    assert 0 <= padding < 64
    assert small.regions["CCM"] == 300


def test_alias_counts_once(small: Measurement) -> None:
    alone = small.symbol_bytes(("kernel_conv",))
    assert alone
    assert small.symbol_bytes(("kernel_conv*",)) == alone


def test_pattern_takes_every_symbol_that_matches(small: Measurement) -> None:
    conv, dense = small.symbol_bytes(("kernel_conv",)), small.symbol_bytes(("kernel_dense",))
    assert conv is not None
    assert dense is not None
    assert small.symbol_bytes(("kernel_*",)) == conv + dense
    assert small.symbol_bytes(("kernel_conv", "kernel_dense")) == conv + dense


def test_what_is_not_there_is_none_and_what_has_no_size_is_zero(small: Measurement) -> None:
    assert small.symbol_bytes(("nn_*",)) is None
    assert small.section_bytes((".weights",)) is None
    assert small.symbol_bytes(("bare_label",)) == 0


def test_bytes_outside_every_region_are_shown(small_elf: Path) -> None:
    flash_only = replace(CONFIG, regions=STM32F407VG[:1], declares_regions=True)
    assert measure(small_elf, flash_only).regions["elsewhere"] > 300


def test_region_of_another_chip(small_elf: Path) -> None:
    regions = (Region("BOOT", "flash", 0x0800_0000, 64), *STM32F407VG[1:])
    measurement = measure(small_elf, replace(CONFIG, regions=regions, declares_regions=True))
    assert measurement.regions["BOOT"] > 0
    assert measurement.regions["elsewhere"] > 0


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], 0),
        ([(8, 8)], 0),
        ([(0, 4), (0, 4)], 4),
        ([(0, 4), (2, 6), (10, 12)], 8),
        ([(0, 10), (2, 3)], 10),
    ],
)
def test_union(intervals: list[tuple[int, int]], expected: int) -> None:
    assert union_bytes(intervals) == expected
