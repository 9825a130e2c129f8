"""ELFs of another chip, with newlib and C++, at several levels and with every debug format."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from boardless.project.config import Config
from boardless.project.regions import Region
from boardless.size.measure import Measurement, measure
from boardless_sim.elf.layout import read_layout
from boardless_sim.elf.lines import read_lines
from boardless_sim.errors import ConfigError
from tests.unit.conftest import SOURCES
from tests.unit.default_chip import STM32F407VG

CONFIG = Config(Path("boardless.toml"), STM32F407VG, stack_sections=(".stack",))
C_OPTIONS = [
    ("-O0", "-g"),
    ("-Os", "-gdwarf-2"),
    ("-O2", "-gdwarf-3"),
    ("-Os", "-gdwarf-4", "-ffunction-sections"),
    ("-Os", "-gdwarf-5"),
    ("-Os", "-g", "-gz"),
    ("-O2", "-g", "-mcpu=cortex-m0"),
]


def build(folder: Path, source: str, *options: str) -> Path:
    elf = folder / "other.elf"
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-nostartfiles", *options]
    command += ["-specs=nano.specs", "-specs=nosys.specs", "-T", str(SOURCES / "other.ld")]
    command += ["-w", "-Wl,--no-warnings", f"-Wl,-Map={elf.with_suffix('.map')}"]
    subprocess.run([*command, str(SOURCES / source), "-o", str(elf)], check=True)
    return elf


def objcopy_length(elf: Path) -> int:
    binary = elf.with_suffix(".bin")
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", elf, binary], check=True)
    return binary.stat().st_size


def assert_closes(found: Measurement) -> None:
    for region, size in found.regions.items():
        assert sum(part.bytes for part in found.parts if part.region == region) == size


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("other"), "other.c", "-Os", "-g")


@pytest.mark.parametrize("options", C_OPTIONS, ids=" ".join)
def test_image_of_another_chip_is_as_long_as_objcopys(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    elf = build(tmp_path, "other.c", *options)
    found = measure(elf, CONFIG)
    assert found.basis == "the ELF's program headers"
    assert found.regions["FLASH"] == objcopy_length(elf)
    assert_closes(found)


def test_image_of_cpp_is_as_long_as_objcopys(tmp_path: Path) -> None:
    elf = build(tmp_path, "other.cpp", "-Os", "-g", "-fno-exceptions", "-fno-rtti")
    found = measure(elf, CONFIG)
    assert found.regions["FLASH"] == objcopy_length(elf)
    assert_closes(found)


@pytest.mark.parametrize("options", C_OPTIONS[:6], ids=" ".join)
def test_lines_are_those_of_addr2line(options: tuple[str, ...], tmp_path: Path) -> None:
    elf = build(tmp_path, "other.c", *options)
    layout = read_layout(elf)
    lines = read_lines(layout.elf)
    assert lines.problem == ""
    code = [s.address + 2 * n for s in layout.symbols if s.is_function for n in range(s.size // 2)]
    command = ["arm-none-eabi-addr2line", "-e", str(elf), *(hex(address) for address in code)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    compared = 0
    for address, text in zip(code, said, strict=True):
        file, _, line = text.split(" ")[0].rpartition(":")
        if file == "??" or not line.isdigit() or line == "0":
            continue
        where = lines.where(address)
        assert where is not None, hex(address)
        assert where[0].rsplit("/", 1)[-1] == file.rsplit("/", 1)[-1], hex(address)
        assert where[1] == int(line), hex(address)
        compared += 1
    assert compared > 20


def test_sources_and_archives_are_found_by_their_end(other: Path) -> None:
    found = measure(other, CONFIG)
    whole = found.bytes_of("source", ("other.c",))
    code = found.symbol_bytes(("main",))
    assert whole is not None
    assert code is not None
    assert code + 40 <= whole < code + 600
    library = found.bytes_of("archive", ("libg_nano.a",))
    member = found.bytes_of("archive", ("libg_nano.a(*printf*)",))
    assert library is not None
    assert member is not None
    assert 0 < member < library < found.regions["FLASH"] + found.regions["RAM"]
    assert found.bytes_of("archive", ("none.a",)) is None


def test_map_of_another_link_is_refused(other: Path, tmp_path: Path) -> None:
    old = build(tmp_path, "other.c", "-O0").with_suffix(".map")
    with pytest.raises(ConfigError, match="the map of another link"):
        measure(other, CONFIG, old).problem("archive")


def test_declared_regions_are_taken_as_they_are(other: Path) -> None:
    regions = (Region("ROM", "flash", 0, 512 << 10), Region("RAM", "ram", 0x2000_0000, 64 << 10))
    config = Config(CONFIG.path, regions, stack_sections=(), declares_regions=True)
    found = measure(other, config)
    assert found.regions["ROM"] == objcopy_length(other)
    assert "elsewhere" not in found.regions


def test_roles_of_no_model_are_empty(other: Path) -> None:
    assert measure(other, CONFIG).model == {}
