"""The core on programs of a few instructions: faults, sleep, reset, time."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.engines.native.machine import Outcome
from boardless_sim.errors import EngineError, StrictError
from tests.unit.core.programs import (
    BREAKPOINT,
    MASK_INTERRUPTS,
    NOP,
    SEV,
    SLEEP_FOREVER,
    STACK_TOP,
    STOP_HERE,
    UNDEFINED,
    WFE,
    assemble,
    constant,
    load,
    poke,
    power_on,
    store,
)
from tests.unit.elf.elf_bytes import FLASH, build_elf

CODE = FLASH + 0x40
NOTHING = 0x3000_0000
RAM = 0x2000_0000
DEMCR, DWT_CTRL, DWT_CYCCNT = 0xE000_EDFC, 0xE000_1000, 0xE000_1004
SCB_AIRCR, SCB_SCR = 0xE000_ED0C, 0xE000_ED10
RCC_CSR = 0x4002_3874
RCC_CSR_SFTRSTF = 1 << 28
ETH_MACCR = 0x4002_8000


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_load_from_nothing_is_a_hard_fault_with_its_address(tmp_path: Path) -> None:
    engine = power_on(tmp_path, constant(0, NOTHING) + load(1, 0))
    assert engine.run(100) == StopReason.FAULT
    assert str(engine.fault()) == (
        "HardFault at pc 0x08000048 in ? (CFSR 0x00008200, HFSR 0x40000000 address 0x30000000)"
        ": data access where nothing answers (PRECISERR)"
    )


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_call_to_nowhere_names_its_caller(tmp_path: Path) -> None:
    path = tmp_path / "program.elf"
    program = [*constant(0, 0), 0x4780, *STOP_HERE]  # blx r0
    path.write_bytes(build_elf(code=assemble(program), symbol_at=CODE + 10))
    engine = NativeEngine()
    engine.load(load_image(path))
    assert engine.run(100) == StopReason.FAULT
    assert str(engine.fault()).startswith("HardFault at pc 0x00000000 in ? from main (CFSR")


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_fault_in_the_hard_fault_handler_locks_up(tmp_path: Path) -> None:
    engine = power_on(tmp_path, UNDEFINED, hard_fault=UNDEFINED)
    assert engine.machine.run(100) == Outcome.LOCKUP
    assert engine.time_us() < 10


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_stack_outside_memory_still_reaches_the_handler(tmp_path: Path) -> None:
    to_nothing = [*constant(0, NOTHING), 0x4685]  # mov sp, r0
    engine = power_on(tmp_path, to_nothing + UNDEFINED)
    assert engine.run(100) == StopReason.FAULT
    fault = engine.fault()
    assert fault is not None
    assert fault.cfsr & 1 << 12  # STKERR
    assert engine.machine.cpu.shared.active_exception == 3


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_breakpoint_without_a_debugger_is_a_hard_fault(tmp_path: Path) -> None:
    engine = power_on(tmp_path, BREAKPOINT)
    assert engine.run(100) == StopReason.FAULT
    fault = engine.fault()
    assert fault is not None
    assert fault.hfsr == 1 << 31  # DEBUGEVT


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_store_to_flash_that_is_locked_changes_nothing(tmp_path: Path) -> None:
    """RM0090 3.6.4: a write without PG is a programming sequence error, and no bus error."""
    engine = power_on(tmp_path, [*poke(FLASH, 1), *STOP_HERE])
    before = engine.read_memory(FLASH, 4)
    assert engine.run(100) == StopReason.LIMIT
    assert engine.fault() is None
    assert engine.read_memory(FLASH, 4) == before


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_code_in_a_device_region_faults(tmp_path: Path) -> None:
    engine = power_on(tmp_path, [*constant(0, 0x4000_0001), 0x4700])  # bx r0
    assert engine.run(100) == StopReason.FAULT
    fault = engine.fault()
    assert fault is not None
    assert (fault.pc, fault.cfsr) == (0x4000_0000, 1)  # IACCVIOL


def test_asleep_with_no_interrupt_enabled_is_a_halt(tmp_path: Path) -> None:
    engine = power_on(tmp_path, MASK_INTERRUPTS + SLEEP_FOREVER)
    assert engine.run(1000) == StopReason.HALT


def test_a_loop_without_end_reaches_the_limit_of_time(tmp_path: Path) -> None:
    engine = power_on(tmp_path, STOP_HERE)
    assert engine.run(1000) == StopReason.LIMIT
    assert engine.time_us() == pytest.approx(1000, abs=1)
    engine.run(500)
    assert engine.time_us() == pytest.approx(1500, abs=1)


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_an_event_lets_wfe_pass_once(tmp_path: Path) -> None:
    after = poke(RAM, 7)
    once = power_on(tmp_path, [SEV, WFE, *after, *STOP_HERE])
    once.run(100)
    assert once.read_memory(RAM, 4) == b"\7\0\0\0"
    twice = power_on(tmp_path, [SEV, WFE, WFE, *after, *STOP_HERE])
    twice.write_memory(RAM, bytes(4))
    assert twice.run(100) == StopReason.HALT
    assert twice.read_memory(RAM, 4) == bytes(4)


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
@pytest.mark.parametrize("nops", [0, 1, 10, 60])
def test_the_cycle_counter_is_exact_inside_a_block(tmp_path: Path, nops: int) -> None:
    start = poke(DEMCR, 1 << 24) + poke(DWT_CTRL, 1) + constant(0, DWT_CYCCNT)
    read_twice = [*load(2, 0), *[NOP] * nops, *load(3, 0)]
    engine = power_on(tmp_path, start + read_twice + STOP_HERE)
    engine.run(100)
    elapsed = engine.read_register("r3") - engine.read_register("r2")
    assert elapsed == (nops + 2 if nops else 2)


@pytest.mark.fidelity(device="core", source="DDI 0403E, B1")
def test_a_reset_request_starts_again_and_is_told_to_the_rcc(tmp_path: Path) -> None:
    count = [*constant(4, RAM), *load(5, 4), 0x1C6D, *store(5, 4)]  # adds r5, r5, #1
    done = [0x2D03, 0xD0FE]  # cmp r5, #3; beq .
    engine = power_on(tmp_path, count + done + poke(SCB_AIRCR, 0x05FA_0004) + STOP_HERE)
    engine.write_memory(RAM, bytes(4))
    engine.run(10_000)
    assert engine.read_memory(RAM, 4) == b"\3\0\0\0"
    assert len([line for line in engine.log() if line.endswith(": SFT")]) == 2
    assert engine.machine.device_read(RCC_CSR, 4) & RCC_CSR_SFTRSTF


def test_what_is_not_modelled_is_named_once(tmp_path: Path) -> None:
    engine = power_on(tmp_path, poke(ETH_MACCR, 4) + poke(ETH_MACCR, 8) + poke(SCB_SCR, 0x10))
    engine.run(10)
    assert engine.log() == [
        "ETH_MACCR is not modelled (write of 0x4)",
        "SCB_SCR (SEVONPEND) is not modelled (write of 0x10)",
    ]


def test_strict_makes_it_an_error(tmp_path: Path) -> None:
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(poke(ETH_MACCR, 4) + STOP_HERE)))
    engine = NativeEngine(strict=True)
    engine.load(load_image(path))
    with pytest.raises(StrictError, match=r"ETH_MACCR is not modelled \(write of 0x4\)"):
        engine.run(10)


def test_the_stack_mark_knows_the_deepest_point_within_a_block(tmp_path: Path) -> None:
    push_and_pop = [0xB5F0, 0xB083, 0xB003, 0xE8BD, 0x40F0]  # 20 + 12 bytes, then back
    engine = power_on(tmp_path, push_and_pop + STOP_HERE)
    engine.run(10)
    mark = engine.stack_mark()
    assert (mark.used_bytes, mark.lowest_address) == (32, STACK_TOP - 32)
    assert mark.process_lowest_address is None


def test_the_core_knows_how_deep_the_code_of_a_range_took_the_main_stack(tmp_path: Path) -> None:
    shallow, deep = [0xB510, 0xBC10, 0xB001], [0xB083, 0xB003]  # push, pop, add 4; sub 12, add
    engine = power_on(tmp_path, [*shallow, 0xE7FF, *deep, 0xE7FF, NOP, *STOP_HERE])
    engine.run(10)
    lowest = engine.machine.cpu.lowest_msp
    assert lowest(CODE, CODE + 8) == STACK_TOP - 8
    assert lowest(CODE + 8, CODE + 14) == STACK_TOP - 12
    assert lowest(CODE, CODE + 14) == STACK_TOP - 12
    assert lowest(CODE + 14, CODE + 64) is None
    assert lowest(CODE + 8, CODE + 8) is None
    assert lowest(0, 64) is None


def test_a_reset_forgets_how_deep_the_stack_was(tmp_path: Path) -> None:
    first_only = [*constant(4, RAM), *load(5, 4), 0x2D00, 0xD103]  # cmp r5, #0; bne behind the add
    deep = [0xB083, 0xB003, 0x2501, *store(5, 4)]  # sub, add; str 1
    program = [*first_only, *deep]
    engine = power_on(tmp_path, program + poke(SCB_AIRCR, 0x05FA_0004) + STOP_HERE)
    engine.write_memory(RAM, bytes(4))
    engine.run(10_000)
    assert engine.read_memory(RAM, 4) == b"\1\0\0\0"
    assert engine.machine.cpu.lowest_msp(CODE, CODE + 64) is None


def test_a_polling_loop_is_skipped_and_ends_at_the_same_cycle(tmp_path: Path) -> None:
    wait = [*constant(0, RAM), *load(1, 0), 0x2900, 0xD0FC]  # ldr; cmp r1, #0; beq back
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(wait + STOP_HERE)))
    found = []
    for fast_forward in (True, False):
        engine = NativeEngine(fast_forward=fast_forward)
        engine.load(load_image(path))
        engine.run(20_000)
        engine.write_memory(RAM, b"\1")
        engine.run(1)
        shared = engine.machine.cpu.shared
        found.append((shared.cycles, shared.instructions, engine.read_register("r1")))
        assert bool(shared.skipped_cycles) == fast_forward
        engine.close()
    assert found[0] == found[1]


def test_a_loop_that_counts_is_never_skipped(tmp_path: Path) -> None:
    engine = power_on(tmp_path, [0x3001, 0xE7FD])  # adds r0, #1; b back
    engine.run(1000)
    assert engine.machine.cpu.shared.skipped_cycles == 0


def test_memory_that_is_not_there_is_an_engine_error(tmp_path: Path) -> None:
    engine = power_on(tmp_path, STOP_HERE)
    with pytest.raises(EngineError, match="no memory at 0x30000000-0x30000003"):
        engine.read_memory(NOTHING, 4)
    with pytest.raises(EngineError, match="register 'r99', expected one of r0, r1"):
        engine.read_register("r99")
    assert engine.read_register("pc") == CODE


def test_a_line_through_the_debugger_ends_the_run_at_once(tmp_path: Path) -> None:
    """SYS_WRITEC (Arm IHI 0100, section 5.22) of a line's end; nothing else would ever come."""
    newline = [*poke(RAM, 0x0A), *constant(1, RAM), 0x2003, 0xBEAB]  # movs r0, #3; bkpt 0xab
    engine = power_on(tmp_path, [*newline, *SLEEP_FOREVER])
    assert engine.run(1_000_000, lambda line: line.port == "semihosting") == StopReason.RESULT
    assert engine.time_us() < 10
