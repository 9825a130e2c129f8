"""RM0090 chapter 31 with a card of the SD Physical Layer Simplified Specification 2.00."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from boardless_sim.boards.board import Attachment
from boardless_sim.boards.reference import REFERENCE
from boardless_sim.errors import BoardError
from boardless_sim.parts.sd_card import BLOCK, SdCard
from boardless_sim.peripherals.links import sdio
from boardless_sim.peripherals.links.sdio import CLKCR, CMD, DCTRL, DLEN, DTIMER, FIFO, STA, Sdio
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.fake_bus import FakeBus

pytestmark = pytest.mark.fidelity(device="SDIO", source="RM0090 chapter 31")

IRQ = 49
SHORT, LONG = 1 << 6, 3 << 6
TO_CARD, TO_HOST = sdio.DCTRL_DTEN | 9 << 4, sdio.DCTRL_DTEN | sdio.DCTRL_DTDIR | 9 << 4
BIT_CYCLES = 7  # SDIO_CK is 24 MHz
CONTENTS = bytes(range(256)) * 8


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="host")
def host_fixture(bus: FakeBus) -> Sdio:
    host = Sdio("SDIO", IRQ)
    bus.place(0x4001_2C00, host)
    host.write(sdio.POWER, 4, 3)
    host.write(CLKCR, 4, sdio.CLKCR_CLKEN)
    host.write(DTIMER, 4, 0xFFFFFF)
    return host


@pytest.fixture(name="card")
def card_fixture(bus: FakeBus, host: Sdio) -> SdCard:
    """Selected, as a driver leaves it (section 4.2.3 of the card's specification)."""
    card = SdCard()
    card.fill(CONTENTS)
    card._now_ns = bus.now_ns
    host.card = card
    for index, argument in (
        (0, 0), (8, 0x1AA), (55, 0), (41, 0x40FF_8000), (55, 0), (41, 0x40FF_8000), (2, 0), (3, 0),
        (7, 0xAAAA_0000),
    ):  # fmt: skip
        command(bus, host, index, argument, {0: 0, 2: LONG}.get(index, SHORT))
    return card


def command(bus: FakeBus, host: Sdio, index: int, argument: int = 0, wait: int = SHORT) -> int:
    host.write(sdio.ICR, 4, 0xFFFF_FFFF)
    host.write(sdio.ARG, 4, argument)
    host.write(CMD, 4, index | wait | sdio.CMD_CPSMEN)
    assert host.read(STA, 4) & sdio.CMDACT
    bus.run_us(20)
    return host.read(sdio.RESP1, 4)


def test_without_a_card_commands_time_out(bus: FakeBus, host: Sdio) -> None:
    """31.3.1: the response timeout has a fixed value of 64 SDIO_CK clock periods."""
    host.write(CMD, 4, 8 | SHORT | sdio.CMD_CPSMEN)
    bus.run((48 + 64) * BIT_CYCLES)
    assert not host.read(STA, 4) & sdio.CTIMEOUT
    bus.run(1)
    assert host.read(STA, 4) & sdio.CTIMEOUT
    assert not host.read(STA, 4) & sdio.CMDREND


def test_a_command_without_answer_is_sent(bus: FakeBus, host: Sdio) -> None:
    command(bus, host, 0, 0, 0)
    assert host.read(STA, 4) & (sdio.CMDSENT | sdio.CTIMEOUT) == sdio.CMDSENT


def test_without_its_clock_nothing_is_sent(bus: FakeBus, host: Sdio) -> None:
    host.write(CLKCR, 4, 0)
    host.write(CMD, 4, 0 | sdio.CMD_CPSMEN)
    bus.run_us(1000)
    assert not host.read(STA, 4) & sdio.CMDSENT


def test_the_card_says_what_it_is(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    assert command(bus, host, 8, 0x1AA) == 0x1AA
    command(bus, host, 55)
    ocr = command(bus, host, 41, 0x40FF_8000)
    assert ocr == 0xC0FF_8000
    assert host.read(STA, 4) & sdio.CCRCFAIL  # R3 has no CRC
    command(bus, host, 9, 0xAAAA_0000, LONG)
    assert host.read(sdio.RESP1 + 4, 4) & 0x3F == 0
    assert host.read(sdio.RESP1 + 8, 4) >> 16 == card.blocks // 1024 - 1


def test_an_unknown_command_is_not_answered(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    command(bus, host, 60)
    assert host.read(STA, 4) & sdio.CTIMEOUT


def test_a_block_is_read_by_polling(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    """31.9.9, RXFIFOHF: at least 8 words in the FIFO."""
    host.write(DLEN, 4, BLOCK)
    host.write(DCTRL, 4, TO_HOST)
    command(bus, host, 17, 1)
    data = bytearray()
    for _ in range(BLOCK // 32):
        while not host.read(STA, 4) & sdio.RXFIFOHF:
            bus.run(100)
        data += b"".join(host.read(FIFO, 4).to_bytes(4, "little") for _ in range(8))
    assert bytes(data) == CONTENTS[BLOCK : 2 * BLOCK]
    assert host.read(STA, 4) & (sdio.DATAEND | sdio.DBCKEND) == sdio.DATAEND | sdio.DBCKEND
    assert command(bus, host, 13, 0xAAAA_0000) == 4 << 9 | 1 << 8


def test_who_does_not_read_loses(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    host.write(DLEN, 4, BLOCK)
    host.write(DCTRL, 4, TO_HOST)
    command(bus, host, 17, 0)
    bus.run_us(1000)
    assert host.read(STA, 4) & (sdio.RXOVERR | sdio.DATAEND) == sdio.RXOVERR


def test_flow_control_waits_for_the_reader(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    """31.3.2: HWFC_EN stops SDIO_CK when the FIFO is full."""
    host.write(CLKCR, 4, sdio.CLKCR_CLKEN | sdio.CLKCR_HWFC_EN)
    host.write(DLEN, 4, BLOCK)
    host.write(DCTRL, 4, TO_HOST)
    command(bus, host, 17, 0)
    bus.run_us(1000)
    assert host.read(sdio.FIFOCNT, 4) == 32
    assert not host.read(STA, 4) & sdio.RXOVERR


def test_blocks_are_written_by_dma(bus: FakeBus, host: Sdio, card: SdCard) -> None:
    words = list(range(2 * BLOCK // 4))

    def serve(request: str, units: int) -> int:
        count = min(units, len(words))
        for _ in range(count):
            host.write(FIFO, 4, words.pop(0))
        return count

    bus.serve = serve
    command(bus, host, 25, 3)
    host.write(DLEN, 4, 2 * BLOCK)
    host.write(DCTRL, 4, TO_CARD | sdio.DCTRL_DMAEN)
    bus.run_us(1000)
    assert host.read(STA, 4) & sdio.DATAEND
    assert bus.requests[-1] == ("SDIO", 0)  # the last of the stream
    command(bus, host, 12)
    assert command(bus, host, 13, 0xAAAA_0000) == 7 << 9  # it programs
    bus.run_us(300)
    assert command(bus, host, 13, 0xAAAA_0000) == 4 << 9 | 1 << 8
    assert sorted(card.written) == [3, 4]
    assert card.read_block(4)[:4] == (128).to_bytes(4, "little")


def test_data_that_never_comes_times_out(bus: FakeBus, host: Sdio) -> None:
    host.write(DTIMER, 4, 10_000)
    host.write(DLEN, 4, BLOCK)
    host.write(DCTRL, 4, TO_HOST)
    bus.run_us(300)
    assert not host.read(STA, 4) & sdio.DTIMEOUT
    bus.run_us(300)
    assert host.read(STA, 4) & sdio.DTIMEOUT


def test_interrupts_are_masked(bus: FakeBus, host: Sdio) -> None:
    command(bus, host, 0, 0, 0)
    assert not bus.irqs.get(IRQ)
    host.write(sdio.MASK, 4, sdio.CMDSENT)
    assert bus.irqs[IRQ]
    host.write(sdio.ICR, 4, sdio.CMDSENT)
    assert not bus.irqs[IRQ]


def test_a_place_without_a_file_is_refused(tmp_path: Path) -> None:
    board = replace(REFERENCE, attached=(Attachment("sd-card", "sdio"),))
    with pytest.raises(BoardError, match="sd-card: 'sdio', expected sdio:FILE, as sdio:card.img"):
        ProbedBoard(tmp_path, board)
