"""ELF files made byte by byte."""

from __future__ import annotations

import struct

FLASH = 0x0800_0000
CODE = struct.pack("<II", 0x2000_2000, FLASH + 9) + b"\xfe\xe7" * 4


def build_elf(
    load_address: int = FLASH,
    code: bytes = CODE,
    symbol_at: int = FLASH + 8,
    variable_at: int | None = None,
    variable: str = "count",
) -> bytearray:
    """The smallest ELF that passes: one segment, one function symbol, main; one variable."""
    names = b"\0main\0" + variable.encode() + b"\0"
    section_names = b"\0.symtab\0.strtab\0.shstrtab\0"
    symbols = bytes(16) + struct.pack("<IIIBBH", 1, symbol_at | 1, 2, 0x12, 0, 0xFFF1)
    if variable_at is not None:
        symbols += struct.pack("<IIIBBH", 6, variable_at, 4, 0x11, 0, 0xFFF1)
    code_at = 52 + 32
    symbols_at = code_at + len(code)
    names_at = symbols_at + len(symbols)
    section_names_at = names_at + len(names)
    headers_at = section_names_at + len(section_names)
    header = struct.pack(
        "<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 2, 40, 1, FLASH + 9, 52, headers_at,
        0x0500_0400, 52, 32, 1, 40, 4, 3,
    )  # fmt: skip
    segment = struct.pack("<8I", 1, code_at, load_address, load_address, len(code), len(code), 5, 4)
    sections = [
        (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (1, 2, 0, 0, symbols_at, len(symbols), 2, 1, 4, 16),
        (9, 3, 0, 0, names_at, len(names), 0, 0, 1, 0),
        (17, 3, 0, 0, section_names_at, len(section_names), 0, 0, 1, 0),
    ]
    return bytearray(
        header + segment + code + symbols + names + section_names
        + b"".join(struct.pack("<10I", *section) for section in sections)
    )  # fmt: skip
