"""Entry and return of exceptions that cannot be, and what an exception leaves behind."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from tests.unit.core.programs import (
    BARRIER,
    HARD_FAULT,
    RETURN,
    STACK_TOP,
    STOP_HERE,
    SUPERVISOR_CALL,
    assemble,
    constant,
    fault_of,
    load,
    poke,
    power_on,
)
from tests.unit.elf.elf_bytes import FLASH, build_elf

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, B1.5")

CODE = FLASH + 0x40
RAM = 0x2000_0000
NMI, SVCALL, PENDSV = 2, 11, 14
INVSTATE, INVPC = 1 << 17, 1 << 18
IACCVIOL, IBUSERR = 1 << 0, 1 << 8
FORCED, VECTTBL = 1 << 30, 1 << 1
SCB_ICSR, SCB_VTOR, SCB_CCR, SCB_SHCSR = 0xE000_ED04, 0xE000_ED08, 0xE000_ED14, 0xE000_ED24
NVIC_ISER, NVIC_ISPR = 0xE000_E100, 0xE000_E200
PENDSVSET, NMIPENDSET = 1 << 28, 1 << 31
NONBASETHRDENA = 1
CALL_R0 = [0x4780]
DISABLE_FAULTS = [0xB671]  # cpsid f
LR = 14


def return_with(exc_return: int) -> list[int]:
    """BX lr, with another value there."""
    return [*constant(LR, exc_return), *RETURN]


# "If EPSR.T is 0, ... any attempt to execute an instruction generates a UsageFault (INVSTATE)": the
# target of an interworking branch, a vector or a stacked xPSR may set it so (DDI 0403E, B1.4.2).


@pytest.mark.parametrize("fast_forward", [True, False])
def test_a_call_through_a_null_pointer_is_an_invalid_state(
    tmp_path: Path, fast_forward: bool
) -> None:
    engine = power_on(tmp_path, constant(0, 0) + CALL_R0 + STOP_HERE, fast_forward=fast_forward)
    fault = fault_of(engine)
    assert (fault.kind, fault.pc, fault.cfsr, fault.hfsr) == ("HardFault", 0, INVSTATE, FORCED)
    lr, pc, xpsr = (engine.read_memory(STACK_TOP - 0x20 + at, 4) for at in (0x14, 0x18, 0x1C))
    assert int.from_bytes(lr, "little") == CODE + 10 | 1
    assert pc == bytes(4)
    assert not xpsr[3] & 1


@pytest.mark.parametrize("fast_forward", [True, False])
@pytest.mark.parametrize("divides", [True, False])
def test_an_even_address_is_an_invalid_state_also_where_code_has_run(
    tmp_path: Path, fast_forward: bool, divides: bool
) -> None:
    """Blocks with a divide are translated twice, and a loop head may stop a run."""
    body = [0xFBB0, 0xF0F0] if divides else [0x1C40, 0x1C40]  # udiv r0, r0, r0; adds r0, r0, #1
    count = [0x3401, 0x2C14, 0xD1FA]  # adds r4, #1; cmp r4, #20; bne to the body
    even = [*constant(5, CODE + 8), 0x47A8]  # blx r5
    program = [*constant(0, 1), *body, *count, *even, *STOP_HERE]
    engine = power_on(tmp_path, program, fast_forward=fast_forward)
    fault = fault_of(engine)
    assert (fault.pc, fault.cfsr) == (CODE + 8, INVSTATE)
    assert engine.machine.cpu.shared.exceptions_taken == 1


def test_an_even_vector_is_an_invalid_state_of_its_handler(tmp_path: Path) -> None:
    code = bytearray(assemble(SUPERVISOR_CALL + STOP_HERE, handlers={SVCALL: STOP_HERE}))
    code[4 * SVCALL] &= 0xFE
    engine = power_on(tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers={SVCALL: STOP_HERE})
    engine.write_memory(FLASH, bytes(code))
    fault = fault_of(engine)
    assert (fault.pc | 1, fault.cfsr) == (int.from_bytes(code[44:48], "little") | 1, INVSTATE)


def test_a_stacked_xpsr_without_its_thumb_bit_is_an_invalid_state(tmp_path: Path) -> None:
    clear_thumb = [0x9B07, 0xF023, 0x7380, 0x9307]  # ldr r3, [sp, #28]; bic r3, #1 << 24; str
    handlers = {SVCALL: clear_thumb + RETURN}
    fault = fault_of(power_on(tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers=handlers))
    assert (fault.pc, fault.cfsr) == (CODE + 2, INVSTATE)


# "If EXC_RETURN[3:0] is not 0b0001, 0b1001 or 0b1101, or the exception that is left is not active,
# or a return to Thread mode leaves another active: INVPC, on the same frame" (DDI 0403E, B1.5.8).


@pytest.mark.parametrize("exc_return", [0xFFFF_FFFF, 0xFFFF_FFF5, 0xFFFF_FFF8, 0xFF00_0009])
def test_an_exc_return_of_another_value_is_an_invalid_pc(tmp_path: Path, exc_return: int) -> None:
    engine = power_on(
        tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers={SVCALL: return_with(exc_return)}
    )
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr, fault.hfsr) == ("HardFault", INVPC, FORCED)
    assert fault.pc == CODE + 4 + 2 + 8  # the branch
    assert engine.read_register("sp") == STACK_TOP - 0x20  # no second frame
    assert engine.read_register("lr") == exc_return


def test_a_refused_return_leaves_the_exception(tmp_path: Path) -> None:
    """ "DeActivate(ReturningExceptionNumber)" comes before the fault: SVCALLACT is 0 there."""
    read_shcsr = [*constant(0, SCB_SHCSR), *load(4, 0), *STOP_HERE]
    engine = power_on(
        tmp_path,
        SUPERVISOR_CALL + STOP_HERE,
        hard_fault=read_shcsr,
        handlers={SVCALL: return_with(0xFFFF_FFFF)},
    )
    fault_of(engine)
    assert not engine.read_register("r4") & 1 << 7


@pytest.mark.parametrize(("ccr", "refused"), [(0x200, True), (0x200 | NONBASETHRDENA, False)])
def test_a_nested_handler_returns_to_thread_mode_only_where_ccr_allows_it(
    tmp_path: Path, ccr: int, refused: bool
) -> None:
    """CCR.NONBASETHRDENA (DDI 0403E, B3.2.8). NMI in PendSV; its frame is made a thread's."""
    to_thread = [0x9B07, 0x0A5B, 0x025B, 0x9307, *return_with(0xFFFF_FFF9)]
    engine = power_on(
        tmp_path,
        poke(SCB_CCR, ccr) + poke(SCB_ICSR, PENDSVSET) + BARRIER + STOP_HERE,
        handlers={
            PENDSV: [*poke(SCB_ICSR, NMIPENDSET), *BARRIER, 0x2407, *STOP_HERE],
            NMI: to_thread,
        },
    )
    assert engine.run(100) == (StopReason.FAULT if refused else StopReason.LIMIT)
    fault = engine.fault()
    assert fault is None or (fault.kind, fault.cfsr) == ("HardFault", INVPC)
    assert engine.read_register("r4") == (0 if refused else 7)
    assert engine.machine.cpu.shared.active_exception == (HARD_FAULT if refused else 0)


def test_a_return_to_a_handler_that_is_not_there_is_an_invalid_pc(tmp_path: Path) -> None:
    handlers = {SVCALL: return_with(0xFFFF_FFF1)}
    fault = fault_of(power_on(tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers=handlers))
    assert fault.cfsr == INVPC


# "A fault on a vector read is a HardFault with HFSR.VECTTBL" (DDI 0403E, B1.5.14).


def test_a_vector_that_cannot_be_read_is_a_hard_fault(tmp_path: Path) -> None:
    """A table at the end of the RAM: HardFault's vector is there, that of interrupt 16 is not."""
    table = 0x2001_FF80
    copy = [*constant(0, FLASH), 0x68C1, *constant(0, table), 0x60C1]  # ldr, str r1, [r0, #12]
    pend = poke(NVIC_ISER, 1 << 16) + poke(NVIC_ISPR, 1 << 16)
    program = [*copy, *poke(SCB_VTOR, table), *pend, *STOP_HERE]
    engine = power_on(tmp_path, program)
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr, fault.hfsr) == ("HardFault", 0, VECTTBL)
    assert engine.machine.cpu.shared.active_exception == HARD_FAULT


def test_a_table_that_is_nowhere_locks_up(tmp_path: Path) -> None:
    engine = power_on(tmp_path, poke(SCB_VTOR, 0xFFFF_FF80) + SUPERVISOR_CALL + STOP_HERE)
    assert engine.machine.run(100) == Outcome.LOCKUP
    fault = engine.fault()
    assert fault is not None
    assert fault.hfsr == VECTTBL


# "FAULTMASK is cleared on return from every exception but NMI" (DDI 0403E, B1.5.8, DeActivate).


def test_the_return_from_nmi_leaves_faultmask_alone(tmp_path: Path) -> None:
    program = DISABLE_FAULTS + poke(SCB_ICSR, NMIPENDSET) + BARRIER + STOP_HERE
    engine = power_on(tmp_path, program, handlers={NMI: RETURN})
    engine.run(100)
    assert engine.machine.cpu.shared.exceptions_taken == 1
    assert engine.read_register("faultmask") == 1


def test_the_return_from_another_exception_clears_faultmask(tmp_path: Path) -> None:
    handlers = {PENDSV: DISABLE_FAULTS + RETURN}
    engine = power_on(tmp_path, poke(SCB_ICSR, PENDSVSET) + BARRIER + STOP_HERE, handlers=handlers)
    engine.run(100)
    assert engine.machine.cpu.shared.exceptions_taken == 1
    assert engine.read_register("faultmask") == 0


def test_a_frame_that_cannot_be_read_back_is_a_fault_on_return(tmp_path: Path) -> None:
    """UNSTKERR, derived on exception return (DDI 0403E, B1.5.12): no lockup, no second frame."""
    lose_the_stack = [*constant(0, 0x3000_0000), 0x4685, *RETURN]  # mov sp, r0
    engine = power_on(tmp_path, SUPERVISOR_CALL + STOP_HERE, handlers={SVCALL: lose_the_stack})
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr) == ("HardFault", 1 << 11)


@pytest.mark.parametrize("own", [True, False])
def test_a_frame_that_cannot_be_stacked_is_a_derived_fault(tmp_path: Path, own: bool) -> None:
    """BusFault when enabled, SVCall stays pending behind it (DDI 0403E, B1.5.11)."""
    program = poke(SCB_SHCSR, 1 << 17 if own else 0) + constant(0, 0x3000_0000)
    engine = power_on(
        tmp_path, [*program, 0x4685, *SUPERVISOR_CALL], handlers={5: STOP_HERE, SVCALL: STOP_HERE}
    )
    fault = fault_of(engine)
    assert (fault.kind, fault.cfsr) == ("BusFault" if own else "HardFault", 1 << 12)


@pytest.mark.parametrize(
    ("address", "cfsr"),
    [
        (0x5FFF_F000, IACCVIOL),
        (0x6000_0000, IBUSERR),
        (0x9FFF_FFF0, IBUSERR),
        (0xA000_0000, IACCVIOL),
    ],
)
def test_external_ram_is_executable_and_devices_never_are(
    tmp_path: Path, address: int, cfsr: int
) -> None:
    """The default memory map (DDI 0403E, B3.1, table B3-1); no memory is there on this board."""
    fault = fault_of(power_on(tmp_path, constant(0, address | 1) + CALL_R0))
    assert (fault.pc, fault.cfsr) == (address, cfsr)


@pytest.mark.parametrize(("bits", "kept"), [(3, 0xE0), (4, 0xF0), (8, 0xFF)])
def test_a_priority_has_the_bits_of_the_part(tmp_path: Path, bits: int, kept: int) -> None:
    """Bits that are not implemented read as zero (DDI 0403E, B1.5.4)."""
    chip = replace(REFERENCE.chip, priority_bits=bits)
    with closing(NativeEngine(board=replace(REFERENCE, chip=chip))) as engine:
        path = tmp_path / "program.elf"
        path.write_bytes(build_elf(code=assemble(STOP_HERE)))
        engine.load(load_image(path))
        engine.machine.poke(0xE000_E400, b"\xff")
        assert engine.read_memory(0xE000_E400, 1) == bytes([kept])
