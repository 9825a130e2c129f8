"""What stops a board under a debugger, on programs of a few instructions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from boardless.debug.monitor import MonitorCommands
from boardless.debug.target import DebugTarget, Stop, Why
from tests.unit.core.programs import (
    BREAKPOINT,
    HARD_FAULT,
    NOP,
    STOP_HERE,
    UNDEFINED,
    WFI,
    constant,
    load,
    power_on,
)
from tests.unit.elf.elf_bytes import FLASH

CODE = FLASH + 64
LIMIT_PS = 10**9
ADD_R3, BACK_TO_CODE = 0x3301, 0xE7FC


@contextmanager
def target_of(
    tmp_path: Path, program: list[int], hard_fault: list[int] | None = None
) -> Iterator[DebugTarget]:
    engine = power_on(tmp_path, program, hard_fault)
    target = DebugTarget(engine, engine.image)
    try:
        yield target
    finally:
        target.close()
        engine.close()


def test_it_stands_before_the_first_instruction_at_time_0(tmp_path: Path) -> None:
    with target_of(tmp_path, [NOP, *STOP_HERE]) as target:
        assert target.engine.read_register("pc") == CODE
        assert target.stops.cycles() == 0


def test_a_bkpt_halts_again_and_again(tmp_path: Path) -> None:
    """With a debugger BKPT halts (DDI 0403E, C1.6.4); to pass it is the debugger's to do."""
    with target_of(tmp_path, [NOP, *BREAKPOINT, NOP, *STOP_HERE]) as target:
        for _ in range(2):
            assert target.go_on() == Stop(Why.BKPT)
            assert target.engine.read_register("pc") == CODE + 2
        target.set_register("pc", CODE + 4)
        assert target.go_on(limit_ps=LIMIT_PS) == Stop(Why.ASKED)
        assert target.engine.fault() is None


def test_a_lockup(tmp_path: Path) -> None:
    with target_of(tmp_path, UNDEFINED, UNDEFINED) as target:
        assert target.go_on() == Stop(Why.LOCKUP)
        said = MonitorCommands(target).words_of(Stop(Why.LOCKUP))
        assert said.startswith("lockup: a fault inside HardFault")
        assert "undefined instruction (UNDEFINSTR)" in said
        assert target.step_back().why is Why.STEP


def test_asleep_for_good(tmp_path: Path) -> None:
    with target_of(tmp_path, [NOP, WFI, *STOP_HERE]) as target:
        assert target.go_on() == Stop(Why.ASLEEP)
        assert target.step_back() == Stop(Why.STEP)
        assert target.engine.read_register("pc") == CODE + 2


def test_back_from_a_handler_stands_before_what_faulted(tmp_path: Path) -> None:
    program = [*constant(0, 0x3000_0000), *load(1, 0), *STOP_HERE]
    with target_of(tmp_path, program) as target:
        target.stops.catch([HARD_FAULT])
        assert target.go_on() == Stop(Why.CAUGHT, exception=HARD_FAULT)
        assert target.engine.is_in_handler()
        target.step_back()
        assert target.engine.read_register("pc") == CODE + 8
        assert not target.engine.is_in_handler()
        assert target.engine.read_register("r0") == 0x3000_0000


def test_somebody_asks_for_a_stop(tmp_path: Path) -> None:
    asked = iter([False, False, True])
    with target_of(tmp_path, [NOP, ADD_R3, BACK_TO_CODE]) as target:
        assert target.go_on(lambda: next(asked)) == Stop(Why.ASKED)
        assert target.engine.time_us() >= 40_000


def test_a_reset_keeps_what_was_programmed(tmp_path: Path) -> None:
    with target_of(tmp_path, [NOP, *STOP_HERE]) as target:
        target.write_flash([(CODE, b"\x01\x33")])
        target.step()
        assert target.engine.read_register("r3") == 1
        target.reset()
        assert target.engine.read_register("pc") == CODE
        assert target.engine.read_register("r3") == 0
        assert target.engine.read_memory(CODE, 2) == b"\x01\x33"
        assert target.stops.cycles() == 0


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("time", "0.000 us, 0 cycles, 0 instructions\n"),
        ("irq", "active none, pending none, 0 nested, awake\n"),
        ("halt", ""),
        ("step-irq", "step-irq on|off, expected one of them\n"),
        ("catch nonsense", "catch nonsense, expected none or of: nmi, hardfault"),
        ("peripherals nowhere", "'nowhere', expected one of: "),
        ("peripherals gpioa", "0x40020000 GPIOA_MODER      0xa8000000\n"),
        ("uart", ""),
        ("uart hello", "USART2 will receive it\n"),
        ("frame", "frame FILE, expected one file, folder or pattern:NAME\n"),
        ("frame /nowhere", "/nowhere"),
        ("frame pattern:checker", "frames before the lens\n"),
        ("nonsense", "'nonsense', expected one of: reset, halt"),
        ("", "reset [halt]: power on again"),
    ],
)
def test_monitor_commands_say_what_is_wrong(tmp_path: Path, command: str, answer: str) -> None:
    with target_of(tmp_path, [NOP, *STOP_HERE]) as target:
        said = MonitorCommands(target).run(command)
        assert answer in said if answer else said == ""
