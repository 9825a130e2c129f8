"""The MPU and the privileges: DDI 0403E, B3.5 for regions, B1.5 for what exceptions stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.engines.engine import FaultInfo, StopReason
from boardless_sim.engines.native import NativeEngine
from tests.unit.core.programs import (
    BARRIER,
    HARD_FAULT,
    RETURN,
    STOP_HERE,
    SUPERVISOR_CALL,
    constant,
    fault_of,
    load,
    poke,
    power_on,
    store,
)
from tests.unit.elf.elf_bytes import FLASH

pytestmark = pytest.mark.fidelity(device="core", source="DDI 0403E, B3.5")

RAM, CCM = 0x2000_0000, 0x1000_0000
ARENA = RAM + 0x4000
GPIOA = 0x4002_0000
NMI, MEM_MANAGE, SVCALL, PENDSV = 2, 4, 11, 14
TYPE, CTRL, RNR, RBAR, RASR = 0xE000_ED90, 0xE000_ED94, 0xE000_ED98, 0xE000_ED9C, 0xE000_EDA0
ICSR, SCB_CCR, SCB_CPUID, STIR = 0xE000_ED04, 0xE000_ED14, 0xE000_ED00, 0xE000_EF00
PENDSVSET, NMIPENDSET = 1 << 28, 1 << 31
ENABLE, HFNMIENA, PRIVDEFENA = 1, 2, 4
NONE, PRIVILEGED, READ_ONLY_FOR_USER, FULL, READ_ONLY = 0, 1, 2, 3, 6
IACCVIOL, DACCVIOL, MUNSTKERR, MSTKERR, MLSPERR, MMARVALID = (
    1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 5, 1 << 7,
)  # fmt: skip
REFUSED = DACCVIOL | MMARVALID
PRECISE = 1 << 9 | 1 << 15
ON = poke(CTRL, ENABLE | PRIVDEFENA) + BARRIER
DROP_PRIVILEGES = [0x2001, 0xF380, 0x8814, *BARRIER]  # movs r0, #1; msr control, r0
DISABLE_FAULTS, ENABLE_FAULTS = [0xB671], [0xB661]
CALL_R6 = [0x47B0]
LDR, STR = load(4, 6), store(4, 6)  # r4, [r6]
STRB, LDRT, STRT = [0x7034], [0xF856, 0x4E00], [0xF846, 0x4E00]


def region(
    number: int, base: int, size_bytes: int, rights: int, *, xn: bool = False, srd: int = 0
) -> list[int]:
    """MPU_RBAR with VALID, and MPU_RASR."""
    size = size_bytes.bit_length() - 2
    attributes = xn << 28 | rights << 24 | srd << 8 | size << 1 | 1
    return poke(RBAR, base | 0x10 | number) + poke(RASR, attributes)


EVERYTHING = region(0, FLASH, 1 << 20, READ_ONLY) + region(1, RAM, 1 << 17, FULL)
GUARD = region(4, ARENA + 0x100, 32, NONE)


def attempt(
    tmp_path: Path, setup: list[int], address: int, access: list[int], *, user: bool = False
) -> tuple[NativeEngine, FaultInfo | None]:
    """r4 is 44 before the access by r6."""
    before = setup + constant(6, address) + constant(4, 44) + (DROP_PRIVILEGES if user else [])
    engine = power_on(tmp_path, before + access + STOP_HERE)
    engine.run(200)
    fault = engine.fault()
    if fault is not None and not fault.cfsr & IACCVIOL:
        assert fault.pc == FLASH + 0x40 + 2 * len(before)
        assert engine.read_register("r6") == address
    return engine, fault


# A region that matches decides by RASR.AP, XN and SRD (B3.5.9); MMFAR has the address (B3.2.18).


@pytest.mark.parametrize(
    ("address", "access", "refused"),
    [
        (ARENA + 0x100, LDR, True),
        (ARENA + 0x11C, STR, True),
        (ARENA + 0x11F, STRB, True),
        (ARENA + 0x0FC, STR, False),
        (ARENA + 0x120, STR, False),
    ],
)
def test_a_guard_of_32_bytes(
    tmp_path: Path, address: int, access: list[int], refused: bool
) -> None:
    engine, fault = attempt(tmp_path, EVERYTHING + GUARD + ON, address, access)
    assert (fault is not None) is refused
    if fault is not None:
        assert (fault.kind, fault.cfsr, fault.address) == ("HardFault", REFUSED, address)
        assert engine.read_memory(address, 1) != bytes([44])
        assert engine.read_register("r4") == 44


@pytest.mark.parametrize(
    ("access", "address"),
    [([0xE886, 0x0030], ARENA + 0x0FC), ([0x6834], ARENA + 0x0FE)],  # stm r6, {r4, r5}; ldr
)
def test_an_access_that_reaches_into_the_guard(
    tmp_path: Path, access: list[int], address: int
) -> None:
    _, fault = attempt(tmp_path, EVERYTHING + GUARD + ON, address, access)
    assert fault is not None
    assert (fault.cfsr, fault.address) == (REFUSED, ARENA + 0x100)


def test_what_follows_a_refused_access_in_its_block_is_not_done(tmp_path: Path) -> None:
    more = [0x3401, 0x6474, *constant(6, RAM)]  # adds r4, #1; str r4, [r6, #0x44]
    skip = [0x9B06, 0x3302, 0x9306, *RETURN]  # ldr r3, [sp, #24]; adds r3, #2; str
    program = EVERYTHING + GUARD + ON + constant(6, ARENA + 0x100) + constant(4, 44) + LDR + more
    engine = power_on(tmp_path, program + STOP_HERE, hard_fault=skip)
    engine.run(100)
    assert engine.machine.cpu.shared.exceptions_taken == 1
    assert engine.read_register("r4") == 45
    assert engine.read_memory(ARENA + 0x144, 4) == (45).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("rights", "user", "reads", "writes"),
    [
        (NONE, False, False, False),
        (PRIVILEGED, False, True, True),
        (PRIVILEGED, True, False, False),
        (READ_ONLY_FOR_USER, False, True, True),
        (READ_ONLY_FOR_USER, True, True, False),
        (FULL, True, True, True),
        (5, False, True, False),
        (5, True, False, False),
        (READ_ONLY, False, True, False),
        (READ_ONLY, True, True, False),
        (7, True, True, False),
    ],
)
@pytest.mark.parametrize("size_bytes", [1024, 64])
def test_rights_and_privileges(
    tmp_path: Path, rights: int, user: bool, reads: bool, writes: bool, size_bytes: int
) -> None:
    """Table B3-15; of a whole page and of a part."""
    setup = EVERYTHING + region(5, ARENA, size_bytes, rights) + ON
    for access, allowed in ((LDR, reads), (STR, writes)):
        _, fault = attempt(tmp_path, setup, ARENA + 0x20, access, user=user)
        assert (fault is None) is allowed
        assert fault is None or fault.cfsr == REFUSED


@pytest.mark.parametrize("access", [LDRT, STRT])
def test_unprivileged_loads_and_stores_of_privileged_code(
    tmp_path: Path, access: list[int]
) -> None:
    """LDRT "accesses as if the processor were running unprivileged" (A7.7.66)."""
    setup = EVERYTHING + region(5, ARENA, 1024, PRIVILEGED) + ON
    plain = constant(6, ARENA) + LDR
    _, fault = attempt(tmp_path, setup + plain, ARENA, access)
    assert fault is not None
    assert fault.cfsr == REFUSED
    assert attempt(tmp_path, setup, ARENA + 0x400, access)[1] is None


@pytest.mark.parametrize("user", [True, False])
@pytest.mark.parametrize("ctrl", [ENABLE, ENABLE | PRIVDEFENA])
def test_the_background_region_is_for_privileged_code(
    tmp_path: Path, user: bool, ctrl: int
) -> None:
    """PRIVDEFENA (B3.5.3). CCM matches no region."""
    setup = EVERYTHING + poke(CTRL, ctrl) + BARRIER
    _, fault = attempt(tmp_path, setup, CCM, LDR, user=user)
    assert (fault is None) is (ctrl & PRIVDEFENA != 0 and not user)
    assert fault is None or (fault.cfsr, fault.address) == (REFUSED, CCM)


def test_the_region_of_the_highest_number_counts(tmp_path: Path) -> None:
    lower, higher = region(2, ARENA, 1024, NONE), region(3, ARENA, 256, FULL)
    assert attempt(tmp_path, EVERYTHING + lower + higher + ON, ARENA + 0x40, STR)[1] is None
    assert attempt(tmp_path, EVERYTHING + lower + higher + ON, ARENA + 0x140, STR)[1] is not None
    swapped = region(3, ARENA, 1024, NONE) + region(2, ARENA, 256, FULL)
    assert attempt(tmp_path, EVERYTHING + swapped + ON, ARENA + 0x40, STR)[1] is not None


@pytest.mark.parametrize("size_bytes", [8192, 1024, 256])
def test_a_disabled_subregion_is_as_if_it_were_not_there(tmp_path: Path, size_bytes: int) -> None:
    """SRD: "each bit disables an eighth"; the last is left. Regions of 128 bytes have none."""
    setup = EVERYTHING + region(5, ARENA, size_bytes, NONE, srd=0x7F) + ON
    eighth = size_bytes // 8
    assert attempt(tmp_path, setup, ARENA + 6 * eighth, STR)[1] is None
    assert attempt(tmp_path, setup, ARENA + 7 * eighth, STR)[1] is not None


@pytest.mark.parametrize("size_bytes", [1024, 64])
@pytest.mark.parametrize(("rights", "xn"), [(FULL, False), (FULL, True), (NONE, False)])
def test_code_in_a_region_runs_unless_it_may_not(
    tmp_path: Path, size_bytes: int, rights: int, xn: bool
) -> None:
    """XN, or no right to read: IACCVIOL, MMFAR not written (B3.2.15)."""
    code = poke(ARENA + 0x20, 0x2407 | RETURN[0] << 16)  # movs r4, #7; bx lr
    setup = code + EVERYTHING + region(5, ARENA, size_bytes, rights, xn=xn) + ON
    engine, fault = attempt(tmp_path, setup, ARENA + 0x20 | 1, CALL_R6)
    if rights == FULL and not xn:
        assert (fault, engine.read_register("r4")) == (None, 7)
    else:
        assert fault is not None
        assert (fault.pc, fault.cfsr, fault.address) == (ARENA + 0x20, IACCVIOL, None)


def test_code_that_has_run_is_refused_when_its_region_changes(tmp_path: Path) -> None:
    code = poke(ARENA + 0x20, 0x2407 | RETURN[0] << 16)
    call = constant(6, ARENA + 0x20 | 1) + CALL_R6
    setup = code + EVERYTHING + region(5, ARENA, 1024, FULL) + ON + call
    never = region(5, ARENA, 1024, FULL, xn=True)
    _, fault = attempt(tmp_path, setup + never, ARENA + 0x20 | 1, CALL_R6)
    assert fault is not None
    assert fault.cfsr == IACCVIOL


def test_code_in_a_page_with_a_guard_can_be_written_again(tmp_path: Path) -> None:
    function = ARENA + 0x40
    call = constant(6, function | 1) + CALL_R6
    setup = EVERYTHING + GUARD + ON + poke(function, 0x2407 | RETURN[0] << 16) + call
    setup += [0x4625, *poke(function, 0x2408 | RETURN[0] << 16)]  # mov r5, r4
    engine, fault = attempt(tmp_path, setup, function | 1, CALL_R6)
    assert fault is None
    assert (engine.read_register("r5"), engine.read_register("r4")) == (7, 8)


def test_a_part_of_a_page_of_devices(tmp_path: Path) -> None:
    setup = EVERYTHING + region(5, GPIOA + 0x20, 32, NONE) + ON
    assert attempt(tmp_path, setup, GPIOA + 0x1C, STR)[1] is None
    _, fault = attempt(tmp_path, setup, GPIOA + 0x20, STR)
    assert fault is not None
    assert (fault.cfsr, fault.address) == (REFUSED, GPIOA + 0x20)


def test_a_part_of_a_page_of_flash(tmp_path: Path) -> None:
    setup = EVERYTHING + region(5, FLASH + 0x8020, 32, NONE) + ON
    assert attempt(tmp_path, setup, FLASH + 0x8040, LDR)[1] is None
    _, fault = attempt(tmp_path, setup, FLASH + 0x8020, LDR)
    assert fault is not None
    assert (fault.cfsr, fault.address) == (REFUSED, FLASH + 0x8020)


def test_a_mem_manage_of_its_own(tmp_path: Path) -> None:
    shcsr = poke(0xE000_ED24, 1 << 16)
    program = shcsr + EVERYTHING + GUARD + ON + constant(6, ARENA + 0x100) + LDR
    fault = fault_of(power_on(tmp_path, program + STOP_HERE, handlers={MEM_MANAGE: STOP_HERE}))
    assert (fault.kind, fault.cfsr, fault.hfsr) == ("MemManage", REFUSED, 0)


# HFNMIENA: "when 0, the MPU is disabled during HardFault, NMI and FAULTMASK handlers" (B3.5.3).


@pytest.mark.parametrize("hfnmiena", [0, HFNMIENA])
def test_the_mpu_and_nmi(tmp_path: Path, hfnmiena: int) -> None:
    on = poke(CTRL, ENABLE | PRIVDEFENA | hfnmiena) + BARRIER
    before = [*constant(6, ARENA), 0x2401]  # movs r4, #1
    program = EVERYTHING + region(5, ARENA, 1024, NONE) + on + before + poke(ICSR, NMIPENDSET)
    handlers = {NMI: [*LDR, 0x2502, *RETURN]}  # movs r5, #2
    engine = power_on(tmp_path, program + BARRIER + LDR + STOP_HERE, handlers=handlers)
    engine.run(100)
    fault = engine.fault()
    assert fault is not None
    assert engine.read_register("r5") == (0 if hfnmiena else 2)
    assert engine.machine.cpu.shared.active_exception == (NMI if hfnmiena else HARD_FAULT)


@pytest.mark.parametrize("masked", [True, False])
def test_the_mpu_and_faultmask(tmp_path: Path, masked: bool) -> None:
    setup = EVERYTHING + region(5, ARENA, 1024, NONE) + ON + DISABLE_FAULTS
    _, fault = attempt(tmp_path, setup + ([] if masked else ENABLE_FAULTS), ARENA, LDR)
    assert (fault is None) is masked


# Stacking, unstacking and lazy stacking go by the MPU too (B1.5.6 to B1.5.8): no MMFAR then.


def test_a_frame_in_the_guard_is_a_fault_of_the_entry(tmp_path: Path) -> None:
    move = [*constant(0, ARENA + 0x130), 0x4685]  # mov sp, r0
    program = EVERYTHING + GUARD + ON + move + poke(ICSR, PENDSVSET) + BARRIER + STOP_HERE
    fault = fault_of(power_on(tmp_path, program, handlers={PENDSV: STOP_HERE}))
    assert (fault.kind, fault.cfsr, fault.address) == ("HardFault", MSTKERR, None)


def test_a_frame_in_the_guard_is_a_fault_of_the_return(tmp_path: Path) -> None:
    move = [*constant(0, ARENA + 0x110), 0x4685]
    program = EVERYTHING + GUARD + ON + SUPERVISOR_CALL + STOP_HERE
    fault = fault_of(power_on(tmp_path, program, handlers={SVCALL: move + RETURN}))
    assert (fault.kind, fault.cfsr) == ("HardFault", MUNSTKERR)


def test_lazy_stacking_into_the_guard_is_a_fault_of_the_fp_instruction(tmp_path: Path) -> None:
    vmov = [0xEEB7, 0x0A00]
    fpu_on = poke(0xE000_ED88, 0xF << 20) + BARRIER
    move = [*constant(0, ARENA + 0x148), 0x4685]  # the basic frame ends below the guard
    program = fpu_on + EVERYTHING + GUARD + ON + move + vmov + SUPERVISOR_CALL + STOP_HERE
    fault = fault_of(power_on(tmp_path, program, handlers={SVCALL: vmov + RETURN}))
    assert (fault.kind, fault.cfsr) == ("HardFault", MLSPERR)


@pytest.mark.parametrize("user", [True, False])
def test_lazy_stacking_has_the_rights_of_the_code_that_was_left(tmp_path: Path, user: bool) -> None:
    """FPCCR.USER (B3.2.21): the handler that makes it happen is privileged in any case."""
    vmov = [0xEEB7, 0x0A00]
    fpu_on = poke(0xE000_ED88, 0xF << 20) + BARRIER
    setup = fpu_on + EVERYTHING + region(5, ARENA + 0x400, 1024, PRIVILEGED) + ON
    move = [*constant(0, ARENA + 0x448), 0x4685]  # the basic frame ends below that region
    drop = DROP_PRIVILEGES if user else []
    program = setup + move + drop + vmov + SUPERVISOR_CALL + STOP_HERE
    engine = power_on(tmp_path, program, handlers={SVCALL: vmov + RETURN})
    assert (engine.run(100) == StopReason.FAULT) is user
    fault = engine.fault()
    assert fault is None or fault.cfsr == MLSPERR


# The registers (B3.5.2 to B3.5.9).


def test_the_registers_of_the_mpu(tmp_path: Path) -> None:
    program = region(6, ARENA, 256, FULL, srd=0xA5)
    program += poke(RNR, 2) + poke(RBAR + 8, ARENA + 0x400) + poke(RASR + 16, 0xFFFF_FFFE)
    engine = power_on(tmp_path, program + poke(RNR, 6) + STOP_HERE)
    engine.run(10)

    def word(address: int) -> int:
        return int.from_bytes(engine.machine.cpu.read(address, 4), "little")

    assert (word(TYPE), word(CTRL), word(RNR)) == (0x800, 0, 6)
    assert (word(RBAR), word(RASR)) == (ARENA | 6, FULL << 24 | 0xA5 << 8 | 7 << 1 | 1)
    engine.machine.cpu.write(RNR, (2).to_bytes(4, "little"))
    assert (word(RBAR), word(RBAR + 24)) == (ARENA + 0x400 | 2,) * 2
    assert (word(RASR), word(RASR + 24)) == (0x173F_FF3E,) * 2


def test_a_reset_switches_the_mpu_off(tmp_path: Path) -> None:
    engine, fault = attempt(tmp_path, EVERYTHING + GUARD + ON, ARENA + 0x100, LDR)
    assert fault is not None
    engine.machine.cpu.power_on(FLASH)
    assert engine.machine.cpu.read(CTRL, 4) == bytes(4)


# "Unprivileged accesses to the PPB cause BusFault errors unless otherwise stated" (B3.1.1).


@pytest.mark.parametrize("access", [LDR, STR])
@pytest.mark.parametrize("address", [SCB_CPUID, 0xE000_E100, 0xE000_1004, STIR])
def test_the_system_control_space_needs_privileges(
    tmp_path: Path, address: int, access: list[int]
) -> None:
    engine, fault = attempt(tmp_path, [], address, access, user=True)
    assert fault is not None
    assert (fault.kind, fault.cfsr, fault.address) == ("HardFault", PRECISE, address)
    assert engine.read_register("r4") == 44
    assert attempt(tmp_path, [], address, access)[1] is None


def test_usersetmpend_opens_the_software_trigger_alone(tmp_path: Path) -> None:
    """CCR.USERSETMPEND (B3.2.8)."""
    assert attempt(tmp_path, poke(SCB_CCR, 0x202), STIR, STR, user=True)[1] is None
    _, fault = attempt(tmp_path, poke(SCB_CCR, 0x202), SCB_CPUID, LDR, user=True)
    assert fault is not None
    assert (fault.cfsr, fault.address) == (PRECISE, SCB_CPUID)


@pytest.mark.parametrize(("address", "cfsr"), [(ARENA + 0x100, REFUSED), (SCB_CPUID, PRECISE)])
def test_the_fault_is_that_of_the_access_and_not_of_one_like_it(
    tmp_path: Path, address: int, cfsr: int
) -> None:
    """Earlier in the block another went by the same register."""
    twice = [*constant(6, ARENA), *LDR, *constant(6, address), *LDR]
    before = EVERYTHING + GUARD + ON + DROP_PRIVILEGES
    fault = fault_of(power_on(tmp_path, before + twice + STOP_HERE))
    assert (fault.pc, fault.cfsr) == (FLASH + 0x40 + 2 * (len(before) + len(twice) - 1), cfsr)


def test_the_trace_ports_are_open(tmp_path: Path) -> None:
    """ITM stimulus registers "ignore" unprivileged stores or take them: no fault (C1.7.3)."""
    engine, fault = attempt(tmp_path, [], 0xE000_0000, STR, user=True)
    assert fault is None
    assert engine.run(1) == StopReason.LIMIT
