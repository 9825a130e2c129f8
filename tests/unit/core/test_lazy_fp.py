"""What an exception keeps of the FPU: FPCCR.ASPEN, LSPEN, LSPACT (DDI 0403E, B1.5.7, B3.2.21)."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native import NativeEngine
from tests.unit.core.programs import (
    BARRIER,
    RETURN,
    STACK_TOP,
    STOP_HERE,
    SUPERVISOR_CALL,
    constant,
    fault_of,
    load,
    poke,
    power_on,
)

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, B1.5.7")

NMI, SVCALL = 2, 11
SCB_ICSR, NMIPENDSET = 0xE000_ED04, 1 << 31
SCB_CPACR, FPCCR, FPCAR, MVFR0, MVFR1 = (
    0xE000_ED88, 0xE000_EF34, 0xE000_EF38, 0xE000_EF40, 0xE000_EF44,
)  # fmt: skip
ASPEN, LSPEN, LSPACT, THREAD, HFRDY = 1 << 31, 1 << 30, 1, 1 << 3, 1 << 4
LSPERR = 1 << 13
ONE, TWO = 0x3F80_0000, 0x4000_0000
SET_ONE, SET_TWO, READ = [0xEEB7, 0x0A00], [0xEEB0, 0x0A00], [0xEE10, 0x4A10]  # s0; vmov r4, s0
BASIC, EXTENDED = 0x20, 0x68
FP_PLACE = STACK_TOP - EXTENDED + BASIC
UNTOUCHED = 0x5555_5555


def call_with_fp(tmp_path: Path, fpccr: int, handler: list[int], **more: int) -> NativeEngine:
    """s0 is 1 at an SVC; the place for it on the stack was written before; r4 is s0 after it."""
    before = poke(SCB_CPACR, 0xF << 20) + poke(FPCCR, fpccr) + BARRIER + poke(FP_PLACE, UNTOUCHED)
    move_stack = [*constant(0, more["stack"]), 0x4685] if "stack" in more else []  # mov sp, r0
    program = [*before, *move_stack, *SET_ONE, *SUPERVISOR_CALL, *READ, *STOP_HERE]
    handlers = {SVCALL: handler, NMI: [*SET_TWO, *RETURN]}
    return power_on(tmp_path, program, handlers=handlers)


def saved(engine: NativeEngine) -> int:
    return int.from_bytes(engine.read_memory(FP_PLACE, 4), "little")


def fpccr_in_r5() -> list[int]:
    return [*constant(0, FPCCR), *load(5, 0)]


def test_an_exception_reserves_room_and_writes_it_only_for_an_fp_instruction(
    tmp_path: Path,
) -> None:
    look = [*fpccr_in_r5(), *constant(0, FPCAR), *load(6, 0), 0x466F, *RETURN]  # mov r7, sp
    engine = call_with_fp(tmp_path, ASPEN | LSPEN, look)
    engine.run(100)
    assert engine.read_register("r7") == STACK_TOP - EXTENDED
    assert engine.read_register("r6") == FP_PLACE
    assert engine.read_register("r5") == ASPEN | LSPEN | LSPACT | THREAD | HFRDY
    assert (saved(engine), engine.read_register("r4")) == (UNTOUCHED, ONE)


def test_the_first_fp_instruction_of_the_handler_saves_what_the_thread_had(tmp_path: Path) -> None:
    engine = call_with_fp(tmp_path, ASPEN | LSPEN, [*SET_TWO, *fpccr_in_r5(), *RETURN])
    engine.run(100)
    assert not engine.read_register("r5") & LSPACT
    assert (saved(engine), engine.read_register("r4")) == (ONE, ONE)


def test_a_nested_exception_saves_it_for_the_first(tmp_path: Path) -> None:
    engine = call_with_fp(
        tmp_path, ASPEN | LSPEN, [*poke(SCB_ICSR, NMIPENDSET), *BARRIER, *fpccr_in_r5(), *RETURN]
    )
    engine.run(100)
    assert not engine.read_register("r5") & LSPACT
    assert (saved(engine), engine.read_register("r4")) == (ONE, ONE)


def test_the_return_gives_up_what_was_never_written(tmp_path: Path) -> None:
    """ "FPCCR.LSPACT = 0" with the registers as they are (B1.5.8, PopStack)."""
    engine = call_with_fp(tmp_path, ASPEN | LSPEN, RETURN)
    engine.run(100)
    assert not int.from_bytes(engine.machine.cpu.read(FPCCR, 4), "little") & LSPACT


def test_without_lspen_all_is_written_at_once(tmp_path: Path) -> None:
    engine = call_with_fp(tmp_path, ASPEN, [*fpccr_in_r5(), *RETURN])
    engine.run(100)
    assert not engine.read_register("r5") & LSPACT
    assert (saved(engine), engine.read_register("r4")) == (ONE, ONE)


@pytest.mark.parametrize("fpccr", [0, LSPEN])
def test_without_aspen_nothing_is_kept(tmp_path: Path, fpccr: int) -> None:
    engine = call_with_fp(tmp_path, fpccr, [*SET_TWO, 0x466F, *RETURN])
    engine.run(100)
    assert engine.read_register("r7") == STACK_TOP - BASIC
    assert engine.read_register("r4") == TWO


def test_room_that_cannot_be_written_is_a_fault_of_the_fp_instruction(tmp_path: Path) -> None:
    """BFSR.LSPERR (B3.2.15); the frame's first part lies in the RAM, this part behind its end."""
    engine = call_with_fp(tmp_path, ASPEN | LSPEN, [*SET_TWO, *RETURN], stack=0x2002_0048)
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr) == ("HardFault", LSPERR)


def test_the_fpu_says_what_it_is(tmp_path: Path) -> None:
    """MVFR0 and MVFR1 of a Cortex-M4F: single precision (DDI 0403E, B4.6.2 and B4.6.3)."""
    look = [*constant(0, MVFR0), *load(4, 0), *constant(0, MVFR1), *load(5, 0), *STOP_HERE]
    engine = power_on(tmp_path, look)
    assert engine.run(10) == StopReason.LIMIT
    assert engine.read_register("r4") == 0x1011_0021
    assert engine.read_register("r5") == 0x1100_0011
