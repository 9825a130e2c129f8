"""No pass that the chip would fail: what an ELF takes is held against the memory that is there."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import pytest

from boardless.gate import gate
from boardless.gate.verdict import Verdict, VerdictRow
from boardless.project.chip import chip_regions
from boardless.project.config import parse_config
from boardless.project.regions import Region
from boardless_sim.engines.engine import StackMark
from boardless_sim.errors import ConfigError

DAY = datetime.date(2027, 1, 31)
SCRIPT = """
MEMORY {{
 FLASH (rx) : ORIGIN = {flash}, LENGTH = 1M
 RAM (rw) : ORIGIN = {ram}, LENGTH = {length}
}}
ENTRY(Reset_Handler)
SECTIONS {{
 .vectors : {{ KEEP(*(.vectors)) }} >FLASH
 .text : {{ *(.text*) *(.rodata*) }} >FLASH
 .data : {{ *(.data*) }} >RAM AT>FLASH
 .bss (NOLOAD) : {{ *(.bss*) *(COMMON) }} >RAM
}}
"""
PROGRAM = """
char filler[{filler}];
__attribute__((noinline)) void deep(void) {{ volatile char local[{local}]; local[0] = filler[1]; }}
void Reset_Handler(void) {{ deep(); for (;;); }}
__attribute__((section(".vectors"), used)) void *const v[] = {{ (void *){sp}, Reset_Handler }};
"""
ON_TOP = 0x2002_0000
FREE = 1024
# deep's array, and what Reset_Handler pushes before it calls
FITTING, BELOW = 1016, (128 << 10) - FREE


def link(
    folder: Path,
    filler: int = BELOW,
    local: int = FITTING,
    sp: int | str = ON_TOP,
    flash: int = 0x0800_0000,
    ram: int = 0x2000_0000,
    length: str = "256K",
    program: str = PROGRAM,
) -> Path:
    source, script, elf = folder / "a.c", folder / "a.ld", folder / "a.elf"
    source.write_text(program.format(filler=filler, local=local, sp=sp))
    script.write_text(SCRIPT.format(flash=flash, ram=ram, length=length))
    command = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-Os", "-nostdlib", "-w"]
    command += ["-Wl,--no-warn-rwx-segments", "-T", str(script), str(source), "-o", str(elf)]
    subprocess.run(command, check=True)
    return elf


def verdict_of(elf: Path, text: str, mark: StackMark | None = None) -> Verdict:
    config = elf.with_suffix(".toml")
    config.write_text(text)
    return gate(elf, config, mark, today=DAY)


def row(verdict: Verdict, key: str) -> VerdictRow:
    return next(row for row in verdict.rows if row.key == key)


BUDGET = "[budget.stack]\nmax = '64K'\n"


@pytest.mark.parametrize(("more", "is_kept"), [(0, True), (8, False)])
def test_static_ram_and_the_worst_case_share_the_memory(
    tmp_path: Path, more: int, is_kept: bool
) -> None:
    """A stack that fits to the byte passes; PM0214, 2.1.2: the stack is full descending."""
    elf = link(tmp_path)
    used = row(verdict_of(elf, BUDGET), "stack.bound").bytes
    assert used is not None
    elf = link(tmp_path, filler=(128 << 10) - used + more)
    verdict = verdict_of(elf, BUDGET)
    assert verdict.passed is is_kept
    if not is_kept:
        assert "8 bytes more than the" in verdict.line
        assert "they overwrite filler (.bss)" in verdict.line


@pytest.mark.parametrize(("used", "is_kept"), [(FREE, True), (FREE + 4, False)])
def test_static_ram_and_the_measured_stack_share_the_memory(
    tmp_path: Path, used: int, is_kept: bool
) -> None:
    elf = link(tmp_path, local=4)
    mark = StackMark(used, ON_TOP - used, "deep")
    text = "[budget.stack]\nmeasured-max = '64K'\nframes = {Reset_Handler = 1048}\n"
    assert row(verdict_of(elf, text, mark), "stack.measured").ok is is_kept


def test_a_worst_case_that_overwrites_variables_fails_without_a_budget_too(tmp_path: Path) -> None:
    verdict = verdict_of(link(tmp_path, local=FREE), "[budget.region.FLASH]\nmax = '64K'")
    assert not row(verdict, "stack.bound").ok


def test_the_object_that_the_stack_starts_in_is_its_room(tmp_path: Path) -> None:
    program = PROGRAM.replace("char filler[{filler}];", "char filler[9]; char mine[64];")
    elf = link(tmp_path, local=200, sp="(mine + 64)", program=program)
    verdict = verdict_of(elf, "[budget.stack]\nmax = '1K'")
    assert "are free below" in row(verdict, "stack.bound").reason
    assert "below mine" in row(verdict, "stack.bound").reason
    small = link(tmp_path, local=16, sp="(mine + 64)", program=program)
    assert verdict_of(small, "[budget.stack]\nmax = '1K'").passed


def test_memory_that_the_chip_does_not_have(tmp_path: Path) -> None:
    """RM0090, 2.3.1: 112 KB and 16 KB of SRAM follow each other; the CCM does not."""
    elf = link(tmp_path, filler=150 << 10, local=4, sp=0x2003_0000)
    verdict = verdict_of(elf, "[budget.static-ram]\nmax = '192K'")
    assert "bytes lie beyond its end at 0x20020000" in row(verdict, "region.RAM").reason
    assert "starts at 0x20030000, which is in none of" in row(verdict, "stack.bound").reason
    assert not verdict.passed


RAM = "[budget.region.RAM]\nkind = 'ram'\norigin = 0x20000000\nlength = {}\nmax = '1M'\n"
CHIP = "[board]\nchip = '{}'\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (CHIP.format("STM32F407VG") + RAM.format("'128K'"), ""),
        (
            CHIP.format("STM32F407VG") + RAM.format("'129K'"),
            "132,096 bytes from 0x20000000, the RAM of STM32F407VG ends at 0x20020000",
        ),
        (CHIP.format("stm32f429zi") + RAM.format("'192K'"), ""),
        (RAM.format("'192K'"), ""),
    ],
)
def test_a_region_is_no_larger_than_the_chips_memory(
    tmp_path: Path, text: str, complaint: str
) -> None:
    verdict = verdict_of(link(tmp_path, filler=64, local=4), text)
    assert row(verdict, "region.RAM").reason == complaint
    assert verdict.passed is (complaint == "")


@pytest.mark.parametrize(("length", "is_kept"), [(72, True), (68, False)])
def test_a_length_is_a_ceiling_whatever_the_maximum(
    tmp_path: Path, length: int, is_kept: bool
) -> None:
    elf = link(tmp_path, filler=72, local=4, sp=0x2000_1000)
    verdict = verdict_of(elf, RAM.format(length))
    assert row(verdict, "region.RAM").ok is is_kept


def test_bytes_outside_the_chip_fail_whatever_is_budgeted(tmp_path: Path) -> None:
    elf = link(tmp_path, filler=64, local=4, sp=0x2400_1000, ram=0x2400_0000)
    verdict = verdict_of(elf, CHIP.format("STM32F407VG") + "[budget.stack]\nmax = '1K'")
    assert "outside of STM32F407VG" in row(verdict, "region.elsewhere").reason
    free = verdict_of(elf, "[budget.stack]\nmax = '1K'")
    assert free.passed
    assert "regions: the ELF's program headers" in free.notes


def test_a_place_that_the_chip_has_nothing_at(tmp_path: Path) -> None:
    text = CHIP.format("STM32F407VG") + RAM.format("'64K'").replace("0x20000000", "0x30000000")
    verdict = verdict_of(link(tmp_path, filler=64, local=4), text)
    assert row(verdict, "region.RAM").reason == "STM32F407VG has no memory at 0x30000000"


def test_chips_are_the_boards() -> None:
    """RM0090, 2.3.1 and table 3; the F429 has 64 KB more behind them."""
    assert chip_regions("stm32f407vg")[:3] == (
        Region("FLASH", "flash", 0x0800_0000, 1 << 20),
        Region("RAM", "ram", 0x2000_0000, 128 << 10),
        Region("CCM", "ram", 0x1000_0000, 64 << 10),
    )
    ram = next(region for region in chip_regions("stm32f429zi") if region.name == "RAM")
    assert ram.length == 192 << 10
    with pytest.raises(ConfigError, match=r"\[board\] chip: chip 'z80', expected a part as"):
        parse_config(Path("b.toml"), b"[board]\nchip = 'z80'")


def test_a_run_that_ended_in_variables_fails_whatever_it_used(tmp_path: Path) -> None:
    """A task's stack is another than the main one, whose mark is small then."""
    elf, config = link(tmp_path, filler=64, local=4), tmp_path / "a.toml"
    config.write_text("[budget.stack]\nmeasured-max = '64K'\n")
    mark = StackMark(16, ON_TOP - 16, "deep")
    verdict = gate(elf, config, mark, mark_problem="the process stack went below", today=DAY)
    assert row(verdict, "stack.measured").reason == "the process stack went below"
    assert not verdict.passed
