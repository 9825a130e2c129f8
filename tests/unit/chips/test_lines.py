"""Every line of the STM32F4 runs: its clocks, its Flash, its identity, its last bytes of memory."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from boardless_sim.boards.plan import BoardPlan, make_board
from boardless_sim.chips import stm32f4_rcc as rcc_sai
from boardless_sim.elf.image import ImagePlan, load_image
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.peripherals import flash_interface as flash
from boardless_sim.peripherals import pwr, rcc
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.chips.test_catalog import PARTS
from tests.unit.core.programs import SLEEP_FOREVER, assemble, poke
from tests.unit.elf.elf_bytes import FLASH

IDCODE = 0xE004_2000
# DEV_ID (RM0090 38.6.1, RM0368 23.6.1, RM0383 23.6.1, RM0386 41.6.1, RM0390 33.6.1).
DEVICES = {
    "stm32f401re": 0x433, "stm32f401cc": 0x423, "stm32f411re": 0x431, "stm32f405rg": 0x413,
    "stm32f417ig": 0x413, "stm32f429zi": 0x419, "stm32f437vi": 0x419, "stm32f446re": 0x421,
    "stm32f469ni": 0x434,
}  # fmt: skip
WITH_OVER_DRIVE = [part for part, sizes in PARTS.items() if sizes[2] == 180]
DUAL_BANK = [part for part, sizes in PARTS.items() if sizes[0] == 2048]


def board_of(part: str, folder: Path) -> ProbedBoard:
    return ProbedBoard(folder, make_board(BoardPlan(chip=part)))


@pytest.mark.parametrize(("part", "sizes"), PARTS.items())
def test_its_pll_goes_to_the_highest_clock(
    part: str, sizes: tuple[int, int, int], tmp_path: Path
) -> None:
    """8 MHz / 8 * N / 2 or 4, with the wait states of the part and one too few."""
    board, mhz = board_of(part, tmp_path), sizes[2]
    needed = next(n for n, hz in enumerate(board.machine.board.flash_limits) if hz >= mhz * 10**6)
    board.write("FLASH", flash.ACR, needed)
    board.write("RCC", rcc.CR, rcc.CR_HSION | rcc.CR_HSEON)
    divider = 1 if mhz < 100 else 0
    factor = 2 * mhz * (1 + divider)
    board.write("RCC", rcc.PLLCFGR, rcc.PLLCFGR_PLLSRC | divider << 16 | factor << 6 | 8)
    board.run_us(3000)
    board.set_bits("RCC", rcc.CR, rcc.CR_PLLON)
    board.run_us(1000)
    board.write("RCC", rcc.CFGR, rcc.SW_PLL)
    assert board.machine.clocks().hclk_hz == mhz * 1_000_000
    assert not board.found()
    board.write("FLASH", flash.ACR, needed - 1)
    assert board.found() == [("flash-latency", "FLASH")]
    board.engine.close()


@pytest.mark.parametrize(("part", "device"), DEVICES.items())
def test_a_debugger_knows_it(part: str, device: int, tmp_path: Path) -> None:
    board = board_of(part, tmp_path)
    assert struct.unpack("<I", board.engine.read_memory(IDCODE, 4))[0] & 0xFFF == device
    board.engine.close()


@pytest.mark.fidelity(device="PWR", source="RM0090 5.1.4")
@pytest.mark.parametrize("part", WITH_OVER_DRIVE)
def test_over_drive_is_ready_where_there_is_one(part: str, tmp_path: Path) -> None:
    """HAL waits for ODRDY, then for ODSWRDY (RM0090 5.1.4)."""
    board = board_of(part, tmp_path)
    board.enable(rcc.APB1ENR, 28)
    board.set_bits("PWR", pwr.CR, pwr.CR_ODSWEN)
    assert not board.read("PWR", pwr.CSR) & pwr.CSR_ODSWRDY
    board.set_bits("PWR", pwr.CR, pwr.CR_ODEN)
    assert board.read("PWR", pwr.CSR) & pwr.CSR_ODRDY
    assert board.read("PWR", pwr.CSR) & pwr.CSR_ODSWRDY
    board.engine.close()


@pytest.mark.fidelity(device="RCC", source="RM0090 6.3.25")
def test_timers_take_hclk_where_timpre_says_so(tmp_path: Path) -> None:
    """RM0090 6.3.25: HCLK up to a prescaler of 4, four times PCLK above."""
    board = board_of("stm32f429zi", tmp_path)
    board.write("RCC", rcc.CFGR, 0b101 << 10 | 0b110 << 13)  # APB1 by 4, APB2 by 8
    clocks = board.machine.clocks()
    assert (clocks.timclk1_hz, clocks.timclk2_hz) == (8_000_000, 4_000_000)
    board.write("RCC", rcc_sai.DCKCFGR, rcc_sai.DCKCFGR_TIMPRE)
    clocks = board.machine.clocks()
    assert (clocks.timclk1_hz, clocks.timclk2_hz) == (16_000_000, 8_000_000)
    board.engine.close()


def test_the_second_plls_lock(tmp_path: Path) -> None:
    board = board_of("stm32f469ni", tmp_path)
    board.set_bits("RCC", rcc.CR, rcc_sai.CR_PLLSAION)
    assert not board.read("RCC", rcc.CR) & rcc_sai.CR_PLLSAIRDY
    board.run_us(1000)
    assert board.read("RCC", rcc.CR) & rcc_sai.CR_PLLSAIRDY
    board.engine.close()


@pytest.mark.parametrize("part", DUAL_BANK)
def test_code_runs_at_the_end_of_two_mebibytes(part: str, tmp_path: Path) -> None:
    """And reaches the last word of its SRAM."""
    far, end = 0x081F_FF00, 0x2000_0000 + (PARTS[part][1] << 10)
    code = struct.pack("<40H", *[*poke(end - 4, 0x1234_5678), *SLEEP_FOREVER, *[0] * 40][:40])
    vectors = tmp_path / "vectors.bin"
    vectors.write_bytes(struct.pack("<II", 0x2000_2000, far | 1) + assemble(SLEEP_FOREVER)[8:])
    (tmp_path / "far.bin").write_bytes(code)
    engine = NativeEngine(board=make_board(BoardPlan(chip=part)))
    engine.load(load_image(vectors, ImagePlan(also=((tmp_path / "far.bin", far),))))
    engine.run(100)
    assert engine.read_memory(end - 4, 4) == struct.pack("<I", 0x1234_5678)
    engine.close()


def erased(board: ProbedBoard, control: int) -> list[bool]:
    """Whether the first word of each bank is erased after that."""
    banks = (FLASH + 0x4000, FLASH + 0x10_0000)
    for bank in banks:
        board.machine.cpu.write(bank, b"\0\0\0\0")
    for key in flash.KEYS:
        board.write("FLASH", flash.KEYR, key)
    board.write("FLASH", flash.CR, control | 2 << 8 | flash.CR_STRT)
    board.run_us(60_000_000)
    return [board.engine.read_memory(bank, 4) == b"\xff" * 4 for bank in banks]


@pytest.mark.fidelity(device="FLASH", source="RM0090 3.9.8")
@pytest.mark.parametrize(
    ("control", "banks"),
    [
        (flash.CR_MER, [True, False]),
        (flash.CR_MER1, [False, True]),
        (flash.CR_SER | 16 << 3, [False, True]),  # sector 12: SNB counts on from 16 (3.9.8)
    ],
)
def test_a_bank_of_two_is_erased_alone(control: int, banks: list[bool], tmp_path: Path) -> None:
    board = board_of("stm32f429zi", tmp_path)
    assert erased(board, control) == banks
    board.engine.close()


@pytest.mark.fidelity(device="FLASH", source="RM0090 3.9.11")
def test_a_protected_sector_of_bank_2_is_not_erased(tmp_path: Path) -> None:
    """RM0090 3.9.11: nWRP of sectors 12 to 23."""
    board = board_of("stm32f429zi", tmp_path)
    for key in flash.OPTION_KEYS:
        board.write("FLASH", flash.OPTKEYR, key)
    board.write("FLASH", flash.OPTCR1, 0x0FFE_0000)
    assert erased(board, flash.CR_SER | 16 << 3) == [False, False]
    assert board.read("FLASH", flash.SR) & flash.SR_WRPERR
    board.engine.close()
