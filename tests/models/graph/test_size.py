from __future__ import annotations

import subprocess
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

REPOSITORY = Path(__file__).parents[3]
BUDGET_BYTES = 8_192
OBJECTS = ("model_hash", "model_network", "layers", "score_table")


def compiled(folder: Path) -> Path:
    output = folder / "model.o"
    firmware = REPOSITORY / "firmware"
    subprocess.run(
        [
            *("arm-none-eabi-gcc", "-std=c11", "-O2", "-mcpu=cortex-m4", "-mthumb"),
            *("-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wundef"),
            *("-I", str(firmware / "nn"), "-c", str(firmware / "generated" / "model.c")),
            *("-o", str(output)),
        ],
        check=True,
    )
    return output


def test_the_whole_model_fits_its_budget(tmp_path: Path) -> None:
    with compiled(tmp_path).open("rb") as stream:
        elf = ELFFile(stream)
        sizes = {section.name: section["sh_size"] for section in elf.iter_sections()}
        model = elf.get_section_index(".model")
        table = elf.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        symbols = {symbol.name: symbol["st_shndx"] for symbol in table.iter_symbols()}
    assert 0 < sizes[".model"] <= BUDGET_BYTES
    assert {symbols[name] for name in OBJECTS} == {model}
    # Nothing of the model stands where the budget does not look.
    outside = [".text", ".data", ".bss", ".rodata", ".data.rel.ro"]
    assert sum(sizes.get(name, 0) for name in outside) == 0
