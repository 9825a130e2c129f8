"""Small programs that are linked as a firmware is: vectors, one Flash, one RAM."""

from __future__ import annotations

import subprocess
from pathlib import Path

from boardless.project.annotations import StackAnnotations
from boardless.stack import StackReport, analyse_stack

SCRIPT = """
MEMORY { FLASH (rx) : ORIGIN = 0x08000000, LENGTH = 512K
 RAM (rw) : ORIGIN = 0x20000000, LENGTH = 128K }
ENTRY(Reset_Handler)
SECTIONS { .vectors : { KEEP(*(.vectors)) } >FLASH
 .text : { *(.text*) *(.rodata*) } >FLASH
 .data : { *(.data*) } >RAM AT>FLASH
 .bss (NOLOAD) : { *(.bss*) *(COMMON) } >RAM }
"""
VECTORS = """
void Reset_Handler(void);
__attribute__((section(".vectors"), used)) void *const v[] = {(void *)0x20020000, Reset_Handler};
"""


def linked(
    folder: Path, text: str, *options: str, annotations: StackAnnotations | None = None
) -> StackReport:
    """The report of a program of one file; `.cpp` where an option says `-xc++`."""
    source, script, elf = folder / "a.c", folder / "a.ld", folder / "a.elf"
    source.write_text(text + ("" if ".vectors" in text else VECTORS))
    script.write_text(SCRIPT)
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-w", *options]
    command += ["-nostartfiles", "-nostdlib", "-T", str(script), str(source)]
    subprocess.run([*command, "-o", str(elf)], check=True)
    return analyse_stack(elf, annotations or StackAnnotations())
