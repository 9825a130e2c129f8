"""RAM is written at full speed, and code in it is still what was last written."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.engines.engine import StopReason
from tests.unit.core.programs import RETURN, STOP_HERE, UNDEFINED, constant, power_on

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, A3.5")

RAM, CCM = 0x2000_0400, 0x1000_0000
DROP_PRIVILEGES = [0x2001, 0xF380, 0x8814]  # movs r0, #1; msr control, r0
MOVE_TO_R7 = 0x4607  # mov r7, r0
IBUSERR = 1 << 8


def set_result(value: int) -> int:
    """MOVS r0, #value."""
    return 0x2000 | value


def write_code(address: int, *halfwords: int) -> list[int]:
    """Store each halfword to RAM."""
    program = constant(4, address)
    for number, halfword in enumerate(halfwords):
        program += [*constant(5, halfword), 0x8025 | number << 6]  # strh r5, [r4, #2 * number]
    return program


def call(address: int) -> list[int]:
    """BLX to code in RAM."""
    return [*constant(6, address | 1), 0x47B0]


def test_code_in_ram_that_is_written_again_runs_as_written(tmp_path: Path) -> None:
    first = write_code(RAM, set_result(1), *RETURN) + call(RAM)
    again = [MOVE_TO_R7, *write_code(RAM, set_result(2)), *call(RAM)]
    engine = power_on(tmp_path, first + again + STOP_HERE)
    engine.run(10)
    assert (engine.read_register("r7"), engine.read_register("r0")) == (1, 2)


def test_code_that_a_handler_writes_runs_as_written(tmp_path: Path) -> None:
    """Unicorn looks pages up apart for code with and without privileges."""

    def write_both(first: int, second: int) -> list[int]:
        one = write_code(RAM, set_result(first), *RETURN)
        return one + write_code(RAM + 0x40, set_result(second), *RETURN)

    call_both = [*call(RAM), MOVE_TO_R7, *call(RAM + 0x40)]
    program = write_both(1, 2) + DROP_PRIVILEGES + call_both + UNDEFINED + call_both
    skip_undefined = [0x9D06, 0x3502, 0x9506]  # ldr r5, [sp, #24]; adds r5, #2; str r5, [sp, #24]
    handler = write_both(3, 4) + skip_undefined + RETURN
    engine = power_on(tmp_path, program + STOP_HERE, hard_fault=handler)
    engine.run(20)
    assert (engine.read_register("r7"), engine.read_register("r0")) == (3, 4)


def test_a_page_first_met_within_an_it_block_leaves_no_condition_behind(tmp_path: Path) -> None:
    program = [
        *constant(2, CCM), 0x2000, 0x2800,  # movs r0, #0; cmp r0, #0
        0xBF08, 0x6811,  # it eq; ldreq r1, [r2]
        0x2801, 0xE7FF,  # cmp r0, #1; b to the next instruction, a block of its own
        0x2307, *STOP_HERE,  # movs r3, #7
    ]  # fmt: skip
    engine = power_on(tmp_path, program)
    engine.run(10)
    assert engine.read_register("r3") == 7


def test_no_code_runs_from_ccm(tmp_path: Path) -> None:
    """The address of the jump, not that of its page."""
    engine = power_on(tmp_path, [*constant(0, CCM + 0x100 | 1), 0x4700])  # bx r0
    assert engine.run(10) == StopReason.FAULT
    fault = engine.fault()
    assert fault is not None
    assert (fault.kind, fault.pc, fault.cfsr) == ("HardFault", CCM + 0x100, IBUSERR)
