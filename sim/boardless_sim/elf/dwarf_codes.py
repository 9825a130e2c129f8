"""The codes of debug information that are read here, by their names in the standard."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Tag(IntEnum):
    """The entries that matter (DWARF 5, table 7.3)."""

    ARRAY = 0x01
    CLASS = 0x02
    ENUMERATION = 0x04
    PARAMETER = 0x05
    LEXICAL_BLOCK = 0x0B
    MEMBER = 0x0D
    POINTER = 0x0F
    REFERENCE = 0x10
    STRUCTURE = 0x13
    SUBROUTINE = 0x15
    TYPEDEF = 0x16
    UNION = 0x17
    ANY_PARAMETERS = 0x18
    INHERITANCE = 0x1C
    INLINED = 0x1D
    BASE = 0x24
    CONST = 0x26
    SUBPROGRAM = 0x2E
    VARIABLE = 0x34
    VOLATILE = 0x35
    RESTRICT = 0x37
    RVALUE_REFERENCE = 0x42
    ATOMIC = 0x47
    CALL_SITE = 0x48
    GNU_CALL_SITE = 0x4109


class Attribute(IntEnum):
    """What an entry may say of itself, as far as it matters (DWARF 5, section 7.5.4, table 7.5)."""

    SIBLING = 0x01
    LOCATION = 0x02
    NAME = 0x03
    BYTE_SIZE = 0x0B
    LOW_PC = 0x11
    ABSTRACT_ORIGIN = 0x31
    DATA_MEMBER_LOCATION = 0x38
    DECL_LINE = 0x3B
    ENCODING = 0x3E
    SPECIFICATION = 0x47
    TYPE = 0x49
    NORETURN = 0x87


class Form(IntEnum):
    """How an attribute's value is written (DWARF 5, section 7.5.6, table 7.6)."""

    ADDR = 0x01
    BLOCK2 = 0x03
    BLOCK4 = 0x04
    DATA2 = 0x05
    DATA4 = 0x06
    DATA8 = 0x07
    STRING = 0x08
    BLOCK = 0x09
    BLOCK1 = 0x0A
    DATA1 = 0x0B
    FLAG = 0x0C
    SDATA = 0x0D
    STRP = 0x0E
    UDATA = 0x0F
    REF_ADDR = 0x10
    REF1 = 0x11
    REF2 = 0x12
    REF4 = 0x13
    REF8 = 0x14
    REF_UDATA = 0x15
    INDIRECT = 0x16
    SEC_OFFSET = 0x17
    EXPRLOC = 0x18
    FLAG_PRESENT = 0x19
    STRX = 0x1A
    ADDRX = 0x1B
    REF_SUP4 = 0x1C
    STRP_SUP = 0x1D
    DATA16 = 0x1E
    LINE_STRP = 0x1F
    REF_SIG8 = 0x20
    IMPLICIT_CONST = 0x21
    LOCLISTX = 0x22
    RNGLISTX = 0x23
    REF_SUP8 = 0x24
    STRX1 = 0x25
    STRX2 = 0x26
    STRX3 = 0x27
    STRX4 = 0x28
    ADDRX1 = 0x29
    ADDRX2 = 0x2A
    ADDRX3 = 0x2B
    ADDRX4 = 0x2C
    # GNU's own, of split and of shared debug information (binutils, include/dwarf2.def)
    GNU_ADDR_INDEX = 0x1F01
    GNU_STR_INDEX = 0x1F02
    GNU_REF_ALT = 0x1F20
    GNU_STRP_ALT = 0x1F21


# Bytes of each form that always takes as many. Offsets are of 32-bit DWARF (section 7.4); an
# address and a reference to it depend on the unit, so they are not here.
FIXED_BYTES: Final[dict[int, int]] = {
    Form.DATA1: 1,
    Form.DATA2: 2,
    Form.DATA4: 4,
    Form.DATA8: 8,
    Form.DATA16: 16,
    Form.FLAG: 1,
    Form.FLAG_PRESENT: 0,
    Form.IMPLICIT_CONST: 0,
    Form.STRP: 4,
    Form.LINE_STRP: 4,
    Form.STRP_SUP: 4,
    Form.SEC_OFFSET: 4,
    Form.REF1: 1,
    Form.REF2: 2,
    Form.REF4: 4,
    Form.REF8: 8,
    Form.REF_SIG8: 8,
    Form.REF_SUP4: 4,
    Form.REF_SUP8: 8,
    Form.STRX1: 1,
    Form.STRX2: 2,
    Form.STRX3: 3,
    Form.STRX4: 4,
    Form.ADDRX1: 1,
    Form.ADDRX2: 2,
    Form.ADDRX3: 3,
    Form.ADDRX4: 4,
    Form.GNU_REF_ALT: 4,
    Form.GNU_STRP_ALT: 4,
}
# References that count from their unit's start, not from the section's (section 7.5.5.7).
RELATIVE = frozenset({Form.REF1, Form.REF2, Form.REF4, Form.REF8, Form.REF_UDATA})
ULEBS = frozenset(
    {
        *(Form.SDATA, Form.UDATA, Form.REF_UDATA, Form.STRX, Form.ADDRX),
        *(Form.LOCLISTX, Form.RNGLISTX, Form.GNU_ADDR_INDEX, Form.GNU_STR_INDEX),
    }
)
# Bytes of the length that a block begins with.
BLOCK_LENGTHS: Final[dict[int, int]] = {Form.BLOCK1: 1, Form.BLOCK2: 2, Form.BLOCK4: 4}
