"""A look has no effect."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from boardless_sim.elf.image import load_image
from boardless_sim.engines.engine import StopReason
from boardless_sim.engines.native.engine import NativeEngine
from boardless_sim.errors import EngineError
from tests.unit.core.programs import STOP_HERE, assemble, poke, power_on
from tests.unit.elf.elf_bytes import build_elf

SYST_CSR, SYST_RVR = 0xE000_E010, 0xE000_E014
COUNTFLAG = 1 << 16
RNG_DR, TIM12_CR1 = 0x5006_0808, 0x4000_1800
RCC_AHB1ENR, GPIOAEN = 0x4002_3830, 1
GPIOA, PA3_ALTERNATE, PA3_USART2 = 0x4002_0000, 0xA800_0080, 7 << 12
RCC_APB1ENR, USART2EN = 0x4002_3840, 1 << 17
USART2, CR1_UE_RE, RXNE = 0x4000_4400, 0x2004, 1 << 5
RCC_AHB1ENR, RCC_APB1ENR, GPIOA = 0x4002_3830, 0x4002_3840, 0x4002_0000


def test_a_look_at_what_is_not_modelled_is_no_access(tmp_path: Path) -> None:
    path = tmp_path / "program.elf"
    path.write_bytes(build_elf(code=assemble(STOP_HERE)))
    with closing(NativeEngine(strict=True)) as engine:
        engine.load(load_image(path))
        engine.run(10)
        assert engine.read_memory(RNG_DR, 4) == bytes(4)
        assert engine.read_memory(TIM12_CR1, 2) == bytes(2)
        assert engine.log() == []
        assert engine.run(10) is StopReason.LIMIT


def test_a_look_at_systick_leaves_its_flag(tmp_path: Path) -> None:
    """Reading SYST_CSR clears COUNTFLAG (DDI 0403E, B3.3.3); looking does not."""
    with closing(
        power_on(tmp_path, [*poke(SYST_RVR, 15), *poke(SYST_CSR, 5), *STOP_HERE])
    ) as engine:
        engine.run(10)
        for _ in range(2):
            assert int.from_bytes(engine.read_memory(SYST_CSR, 4), "little") == COUNTFLAG | 5


def test_a_look_at_received_data_leaves_it_unread(tmp_path: Path) -> None:
    """Reading DR clears RXNE (RM0090, 30.6.2)."""
    code = [
        *poke(RCC_AHB1ENR, GPIOAEN),
        *poke(GPIOA, PA3_ALTERNATE),
        *poke(GPIOA + 0x20, PA3_USART2),
        *poke(RCC_APB1ENR, USART2EN),
        *poke(USART2 + 0x08, 16),
        *poke(USART2 + 0x0C, CR1_UE_RE),
        *STOP_HERE,
    ]
    with closing(power_on(tmp_path, code)) as engine:
        engine.uart_send("USART2", b"A")
        engine.run(100)
        for _ in range(2):
            assert engine.read_memory(USART2 + 4, 1) == b"A"
            assert engine.read_memory(USART2, 4)[0] & RXNE


def test_a_look_across_the_end_of_memory_is_refused(tmp_path: Path) -> None:
    with (
        closing(power_on(tmp_path, STOP_HERE)) as engine,
        pytest.raises(EngineError, match="no memory"),
    ):
        engine.read_memory(0x2001_FFFE, 8)


@pytest.mark.parametrize(("address", "size"), [(SYST_RVR + 1, 2), (SYST_CSR, 6), (SYST_CSR + 3, 2)])
def test_a_look_at_part_of_a_register(tmp_path: Path, address: int, size: int) -> None:
    with closing(power_on(tmp_path, [*poke(SYST_RVR, 0x123456), *STOP_HERE])) as engine:
        engine.run(10)
        whole = bytes(4) + (0x123456).to_bytes(4, "little")
        assert engine.read_memory(address, size) == whole[address - SYST_CSR :][:size]


def test_a_look_at_a_bit(tmp_path: Path) -> None:
    """Bit-band alias (DDI 0403E, B3.1.1): word n is bit n."""
    with closing(power_on(tmp_path, [*poke(0x2000_0100, 1 << 9), *STOP_HERE])) as engine:
        engine.run(10)
        words = engine.read_memory(0x2200_0000 + 32 * 0x100, 64)
        assert [word for word in range(16) if words[4 * word]] == [9]
