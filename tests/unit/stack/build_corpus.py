"""Builds the corpus that the stack's analysis is held against: GCC and clang, C and C++."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent / "firmware"
M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
M0 = ("-mcpu=cortex-m0", "-mthumb", "-mfloat-abi=soft")
LINK = ("-nostartfiles", "--specs=nano.specs", "-u", "_printf_float", "-Wl,--gc-sections")
CLANG = ("--target=arm-none-eabi", "-fshort-enums")
CLANGS = ("clang", *(f"clang-{version}" for version in range(20, 12, -1)))


def clang() -> str | None:
    """A clang, whatever it is called here."""
    return next((found for name in CLANGS if (found := shutil.which(name))), None)


def build(
    folder: Path, source: str, *options: str, compiler: str = "", cpu: tuple[str, ...] = M4
) -> Path:
    """One program of the corpus, linked by GCC with its libraries. `compiler`: clang's path."""
    gcc = shutil.which("arm-none-eabi-gcc")
    assert gcc is not None, "arm-none-eabi-gcc is not there: make setup installs it"
    objects = []
    for name in (source, "start.c"):
        made = folder / f"{Path(name).stem}.o"
        own = [compiler, *CLANG, *_headers(gcc)] if compiler else [gcc]
        language = ["-fno-exceptions", "-fno-rtti"] if name.endswith(".cpp") else []
        usage = [] if compiler else ["-fstack-usage"]
        sections = ["-g", "-ffunction-sections", "-fno-math-errno", "-w"]
        flags = [*own, *cpu, *sections, *language, *usage, *options]
        subprocess.run([*flags, "-c", str(SOURCES / name), "-o", str(made)], check=True)
        objects.append(str(made))
    elf = folder / "corpus.elf"
    script = ["-T", str(SOURCES / "corpus.ld"), "-Wl,--no-warnings,--build-id=none"]
    subprocess.run([gcc, *cpu, *LINK, *script, *objects, "-lm", "-o", str(elf)], check=True)
    return elf


def _headers(gcc: str) -> list[str]:
    """newlib's headers, which clang does not know of."""
    found = subprocess.run(
        [gcc, "-print-file-name=../../../arm-none-eabi/include"],
        capture_output=True,
        text=True,
        check=True,
    )
    candidates = [Path(found.stdout.strip()), Path("/usr/include/newlib")]
    return [f"-I{path}" for path in candidates if (path / "stdio.h").is_file()]
