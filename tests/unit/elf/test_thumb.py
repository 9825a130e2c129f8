"""Instruction facts, each from an encoding written out by the assembler."""

import shutil
import subprocess
from pathlib import Path

import capstone
import pytest

from boardless_sim.elf.thumb import Branch, InstructionKind, decode, expand_immediate

ADDRESS = 0x0800_1002


def test_a_load_with_a_register_offset() -> None:
    load = decode(ADDRESS, 0xF851, 0x2023)  # ldr.w r2, [r1, r3, lsl #2]
    assert load.access is not None
    assert (load.kind, load.size) == (InstructionKind.LOAD, 4)
    assert load.access[:4] == (1, 3, 2, 0)
    assert load.access.is_load


def test_a_literal_load_is_relative_to_the_aligned_pc() -> None:
    load = decode(ADDRESS, 0x4803, 0)  # ldr r0, [pc, #12]
    assert load.access is not None
    assert load.access.base is None
    assert load.access.displacement == 0x0800_1004 + 12


def test_a_post_indexed_store_uses_the_base_as_it_is() -> None:
    store = decode(ADDRESS, 0xF840, 0x1B04)  # str r1, [r0], #4
    assert store.access is not None
    assert (store.access.base, store.access.displacement) == (0, 0)


@pytest.mark.parametrize(
    ("first", "second", "sp_delta"),
    [
        (0xB083, 0, -12),  # sub sp, #12
        (0xB003, 0, 12),  # add sp, #12
        (0xB5F0, 0, -20),  # push {r4-r7, lr}
        (0xBDF0, 0, 20),  # pop {r4-r7, pc}
        (0xE92D, 0x4FF0, -36),  # push.w {r4-r11, lr}
        (0xF84D, 0x4D04, -4),  # str r4, [sp, #-4]!
        (0xF85D, 0x4B04, 4),  # ldr r4, [sp], #4
        (0xED2D, 0x8B10, -64),  # vpush {d8-d15}
        (0xF5AD, 0x7D00, -512),  # sub.w sp, sp, #512
        (0xF2AD, 0x4D04, -1028),  # subw sp, sp, #1028
        (0x4685, 0, None),  # mov sp, r0
        (0x4485, 0, None),  # add sp, r0
        (0xEBAD, 0x0D03, None),  # sub.w sp, sp, r3
    ],
)
def test_stack_pointer_moves(first: int, second: int, sp_delta: int | None) -> None:
    assert decode(ADDRESS, first, second).sp_delta == sp_delta


def test_branches_are_told_apart() -> None:
    assert decode(ADDRESS, 0xD1FE, 0).branch == Branch.CONDITIONAL  # bne
    assert decode(ADDRESS, 0xE7FE, 0).branch == Branch.DIRECT  # b
    assert decode(ADDRESS, 0xF7FF, 0xFFFE).branch == Branch.DIRECT  # bl
    assert decode(ADDRESS, 0x4770, 0).branch == Branch.INDIRECT  # bx lr
    assert decode(ADDRESS, 0xE8DF, 0xF000).branch == Branch.TABLE  # tbb [pc, r0]
    assert decode(ADDRESS, 0xDF05, 0).branch == Branch.EXCEPTION  # svc


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (0x0AB, 0xAB),
        (0x1AB, 0x00AB00AB),
        (0x2AB, 0xAB00AB00),
        (0x3AB, 0xABABABAB),
        (0x47F, 0xFF << 24),
    ],
)
def test_modified_immediates(field: int, value: int) -> None:
    assert expand_immediate(field) == value


def _text_section(elf: Path) -> tuple[int, bytes]:
    from elftools.elf.elffile import ELFFile

    with elf.open("rb") as stream:
        section = ELFFile(stream).get_section_by_name(".text")
        assert section is not None
        return section["sh_addr"], section.data()


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="arm-none-eabi-gcc is missing")
def test_every_instruction_of_libgcc_and_libc_agrees_with_capstone(tmp_path: Path) -> None:
    """Length, memory operand and direction on all of a linked C program with floating point."""
    source = tmp_path / "program.c"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n#include <math.h>\n"
        'int main(void) { double x = strtod("2", 0); float y = sqrtf((float)x);\n'
        '  printf("%f %d\\n", x * y, (int)y); qsort(0, 0, 1, 0); return 0; }\n'
    )
    elf = tmp_path / "program.elf"
    subprocess.run(
        ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard",
         "-mfpu=fpv4-sp-d16", "-O2", "--specs=nosys.specs", str(source), "-lm", "-o", str(elf)],
        check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    address, code = _text_section(elf)
    disassembler = capstone.Cs(
        capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS
    )
    disassembler.detail = True
    disassembler.skipdata = True
    checked = 0
    for theirs in disassembler.disasm(code, address):
        if theirs.id == 0 or ("." in theirs.mnemonic and theirs.mnemonic.startswith(".")):
            continue
        raw = theirs.bytes + b"\0\0"
        first, second = raw[0] | raw[1] << 8, raw[2] | raw[3] << 8
        ours = decode(theirs.address, first, second)
        if (
            ours.kind == InstructionKind.UNDEFINED
        ):  # literal pools read as code: NEON and Armv8 encodings
            continue
        assert ours.size == theirs.size, theirs
        mnemonic = theirs.mnemonic
        single = mnemonic.startswith(("ldr", "str", "vldr", "vstr")) and "ex" not in mnemonic
        if single and ours.access is not None:
            assert ours.access.is_load == mnemonic.lstrip("v").startswith("ld"), theirs
            memory = next(o for o in theirs.operands if o.type == capstone.arm.ARM_OP_MEM)
            if ours.access.base is not None:
                name = theirs.reg_name(memory.mem.base)
                aliases = {"sb": 9, "sl": 10, "fp": 11, "ip": 12, "sp": 13, "lr": 14, "pc": 15}
                assert ours.access.base == aliases.get(
                    name, int(name[1:]) if name[1:].isdigit() else -1
                )
        checked += 1
    assert checked > 5000
