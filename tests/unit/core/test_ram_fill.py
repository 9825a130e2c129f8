"""RAM at power-on holds anything, the same every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from boardless_sim.boards.reference import REFERENCE
from boardless_sim.elf.image import load_image
from boardless_sim.engines.native import NativeEngine
from boardless_sim.engines.native.machine import Machine
from tests.unit.core.programs import STOP_HERE, assemble, poke
from tests.unit.elf.elf_bytes import build_elf

SRAM, CCM, BACKUP = (0x2000_0000, 128 << 10), (0x1000_0000, 64 << 10), (0x4002_4000, 4 << 10)
SCB_AIRCR = 0xE000_ED0C


def contents(area: tuple[int, int], machine: Machine) -> bytes:
    return machine.cpu.read(*area)


@pytest.mark.parametrize("area", [SRAM, CCM])
def test_ram_is_not_zero_at_power_on_and_the_same_every_time(area: tuple[int, int]) -> None:
    first, again, other = (contents(area, Machine(REFERENCE, ram_fill=seed)) for seed in (1, 1, 2))
    assert contents(area, Machine(REFERENCE)) == first == again != other
    assert len(set(first)) == 256


def test_each_memory_has_a_pattern_of_its_own() -> None:
    machine = Machine(REFERENCE)
    assert contents(SRAM, machine)[: CCM[1]] != contents(CCM, machine)


def test_seed_0_is_zeros() -> None:
    machine = Machine(REFERENCE, ram_fill=0)
    for area in (SRAM, CCM):
        assert contents(area, machine) == bytes(area[1])


def test_what_a_battery_keeps_is_not_filled() -> None:
    """Backup SRAM is "retained in Standby and VBAT mode" (RM0090, 5.1.2)."""
    assert contents(BACKUP, Machine(REFERENCE)) == bytes(BACKUP[1])


def test_a_reset_leaves_ram_alone(tmp_path: Path) -> None:
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(poke(SCB_AIRCR, 0x05FA_0004) + STOP_HERE)))
    engine = NativeEngine(ram_fill=7)
    engine.load(load_image(path))
    engine.write_memory(SRAM[0], b"kept")
    engine.run(100)
    assert any(line.endswith(": SFT") for line in engine.log())
    assert engine.read_memory(SRAM[0], 4) == b"kept"
