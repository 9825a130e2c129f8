"""Blocks that ran, and the way each was left."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.unit.core.programs import (
    NOP,
    RETURN,
    SLEEP_FOREVER,
    STOP_HERE,
    SUPERVISOR_CALL,
    power_on,
)
from tests.unit.elf.elf_bytes import FLASH

CODE = FLASH + 64
RAN, FELL_THROUGH, BRANCHED = 1, 2, 4
MOVS_R0_2, SUBS_R0_1, BNE_BACK, BEQ_SKIP = 0x2002, 0x3801, 0xD1FD, 0xD000


def flags(
    tmp_path: Path, program: list[int], handlers: dict[int, list[int]] | None = None
) -> dict[int, int]:
    """By the offset where a block begins."""
    with closing(power_on(tmp_path, program, handlers=handlers)) as engine:
        engine.machine.cpu.cover()
        engine.run(100)
        covered = engine.machine.cpu.covered(FLASH, 0x1000)
    return {2 * at - 64: value for at, value in enumerate(covered) if value}


def test_a_branch_that_went_both_ways(tmp_path: Path) -> None:
    program = [MOVS_R0_2, SUBS_R0_1, BNE_BACK, *SLEEP_FOREVER]
    assert flags(tmp_path, program)[2] == RAN | FELL_THROUGH
    assert flags(tmp_path, program)[0] == RAN | BRANCHED


def test_a_branch_that_was_not_taken(tmp_path: Path) -> None:
    found = flags(tmp_path, [MOVS_R0_2, SUBS_R0_1, BEQ_SKIP, NOP, NOP, *STOP_HERE])
    assert found[0] == RAN | FELL_THROUGH
    assert 8 not in found


def test_an_exception_is_no_way_out_of_a_block(tmp_path: Path) -> None:
    program = [NOP, *SUPERVISOR_CALL, NOP, *SLEEP_FOREVER]
    found = flags(tmp_path, program, {11: [NOP, *RETURN]})
    assert found[0] == RAN | FELL_THROUGH
    assert found[4] & RAN


def test_nothing_is_covered_unless_asked(tmp_path: Path) -> None:
    with closing(power_on(tmp_path, SLEEP_FOREVER)) as engine:
        engine.run(100)
        assert not any(engine.machine.cpu.covered(FLASH, 0x1000))
