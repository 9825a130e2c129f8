from __future__ import annotations

import binascii

import pytest

from boardless_sim.peripherals import crc, flash_interface, iwdg, pwr, wwdg
from boardless_sim.peripherals.crc import Crc
from boardless_sim.peripherals.flash_interface import FlashInterface
from boardless_sim.peripherals.iwdg import Iwdg
from boardless_sim.peripherals.pwr import Pwr
from boardless_sim.peripherals.wwdg import Wwdg
from tests.unit.fake_bus import FakeBus


@pytest.fixture
def bus() -> FakeBus:
    return FakeBus()


@pytest.fixture
def independent(bus: FakeBus) -> Iwdg:
    device = Iwdg("IWDG")
    bus.place(0x4000_3000, device)
    return device


@pytest.mark.fidelity(device="IWDG", source="RM0090 chapter 21")
def test_iwdg_resets_after_its_time_and_not_before(bus: FakeBus, independent: Iwdg) -> None:
    independent.write(iwdg.KR, 4, iwdg.KEY_UNLOCK)
    independent.write(iwdg.PR, 4, 1)  # divided by 8
    independent.write(iwdg.RLR, 4, 399)  # 400 counts of 250 us
    independent.write(iwdg.KR, 4, iwdg.KEY_START)
    bus.run_us(99_999)
    assert bus.resets == []
    bus.run_us(2)
    assert bus.resets == ["IWDG"]


@pytest.mark.fidelity(device="IWDG", source="RM0090 chapter 21")
def test_iwdg_reload_puts_it_off(bus: FakeBus, independent: Iwdg) -> None:
    independent.write(iwdg.KR, 4, iwdg.KEY_START)  # 4096 counts of 125 us
    for _ in range(5):
        bus.run_us(500_000)
        independent.write(iwdg.KR, 4, iwdg.KEY_RELOAD)
    assert bus.resets == []
    bus.run_us(512_001)
    assert bus.resets == ["IWDG"]


@pytest.mark.fidelity(device="IWDG", source="RM0090 chapter 21")
def test_iwdg_registers_need_the_key(independent: Iwdg) -> None:
    independent.write(iwdg.RLR, 4, 1)
    assert independent.read(iwdg.RLR, 4) == 0xFFF
    independent.write(iwdg.KR, 4, iwdg.KEY_UNLOCK)
    independent.write(iwdg.KR, 4, iwdg.KEY_RELOAD)  # locks again
    independent.write(iwdg.PR, 4, 3)
    assert independent.read(iwdg.PR, 4) == 0


@pytest.mark.fidelity(device="IWDG", source="RM0090 chapter 21")
def test_iwdg_update_flags(bus: FakeBus, independent: Iwdg) -> None:
    independent.write(iwdg.KR, 4, iwdg.KEY_UNLOCK)
    independent.write(iwdg.PR, 4, 3)
    independent.write(iwdg.RLR, 4, 9)
    assert independent.read(iwdg.SR, 4) == iwdg.SR_PVU | iwdg.SR_RVU
    bus.run_us(157)
    assert independent.read(iwdg.SR, 4) == 0


@pytest.mark.fidelity(device="IWDG", source="RM0090 chapter 21")
def test_iwdg_reload_alone_does_not_start_it(bus: FakeBus, independent: Iwdg) -> None:
    independent.write(iwdg.KR, 4, iwdg.KEY_RELOAD)
    bus.run_us(1_000_000)
    assert bus.resets == []


@pytest.fixture
def window(bus: FakeBus) -> Wwdg:
    device = Wwdg("WWDG", 0)
    bus.place(0x4000_2C00, device)
    return device


COUNT = 4096 * 4  # core cycles, prescaler 1


@pytest.mark.fidelity(device="WWDG", source="RM0090 chapter 22")
def test_wwdg_warns_then_resets(bus: FakeBus, window: Wwdg) -> None:
    window.write(wwdg.CFR, 4, 0x7F | wwdg.CFR_EWI)
    window.write(wwdg.CR, 4, wwdg.CR_WDGA | 0x50)
    bus.run(COUNT * 0x10 - 1)
    assert not bus.irqs.get(0, False)
    bus.run(1)
    assert bus.irqs == {0: True}
    assert window.read(wwdg.CR, 4) == wwdg.CR_WDGA | 0x40
    window.write(wwdg.SR, 4, 0)
    assert bus.irqs == {0: False}
    bus.run(COUNT)
    assert bus.resets == ["WWDG"]


@pytest.mark.fidelity(device="WWDG", source="RM0090 chapter 22")
def test_wwdg_reload_in_the_window(bus: FakeBus, window: Wwdg) -> None:
    window.write(wwdg.CFR, 4, 0x60)
    window.write(wwdg.CR, 4, wwdg.CR_WDGA | 0x7F)
    bus.run(COUNT * 0x1F)
    window.write(wwdg.CR, 4, 0x7F)
    bus.run(COUNT * 0x3F)
    assert bus.resets == []


@pytest.mark.fidelity(device="WWDG", source="RM0090 chapter 22")
def test_wwdg_reload_too_early(bus: FakeBus, window: Wwdg) -> None:
    window.write(wwdg.CFR, 4, 0x60)
    window.write(wwdg.CR, 4, wwdg.CR_WDGA | 0x7F)
    bus.run(COUNT * 0x1E)
    window.write(wwdg.CR, 4, 0x7F)
    assert bus.resets == ["WWDG"]


@pytest.mark.fidelity(device="CRC", source="RM0090 chapter 4")
def test_crc_of_words_is_the_unreflected_crc32() -> None:
    device = Crc("CRC")
    device.write(crc.DR, 4, 0x1234_5678)
    assert device.read(crc.DR, 4) == 0xDF8A_8A2B
    device.write(crc.CR, 4, crc.CR_RESET)
    assert device.read(crc.DR, 4) == 0xFFFF_FFFF


@pytest.mark.fidelity(device="CRC", source="RM0090 chapter 4")
@pytest.mark.parametrize("word", [0, 1, 0xFFFF_FFFF, 0xDEAD_BEEF])
def test_crc_against_zlib_by_bit_reversal(word: int) -> None:
    device = Crc("CRC")
    device.write(crc.DR, 4, word)
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in word.to_bytes(4, "big"))
    expected = int(f"{binascii.crc32(mirrored) ^ 0xFFFF_FFFF:032b}"[::-1], 2)
    assert device.read(crc.DR, 4) == expected


@pytest.mark.fidelity(device="FLASH", source="RM0090 chapter 3")
def test_who_listens_hears_what_is_written_to_acr(bus: FakeBus) -> None:
    device = FlashInterface("FLASH", irq=4)
    bus.place(0x4002_3C00, device)
    heard: list[int] = []
    device.on_acr = heard.append
    device.write(flash_interface.ACR, 4, 0xFFFF_FFFF)
    device.write(flash_interface.CR, 4, flash_interface.CR_LOCK)
    assert heard == [0x1F07]


@pytest.mark.fidelity(device="PWR", source="RM0090 chapter 5")
def test_pwr_is_ready_and_follows_the_backup_regulator() -> None:
    device = Pwr()
    assert device.read(pwr.CSR, 4) == pwr.CSR_VOSRDY
    device.write(pwr.CSR, 4, pwr.CSR_BRE)
    assert device.read(pwr.CSR, 4) & pwr.CSR_BRR
    device.write(pwr.CR, 4, pwr.CR_DBP | pwr.CR_PDDS | pwr.CR_CWUF)
    assert device.read(pwr.CR, 4) == pwr.CR_DBP | pwr.CR_PDDS
    assert device.standby
