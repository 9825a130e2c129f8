from __future__ import annotations

import pytest

from boardless_sim.parts.serial_line import NO_FAULTS, LinkFaults, SerialLine
from tests.unit.fake_bus import FakeBus

BYTE_US = 86.8
BAUD = 115_200


class Chip:
    """A receiver and a port that note what comes."""

    def __init__(self) -> None:
        self.listens = True
        self.bytes = bytearray()
        self.edges: list[bool] = []

    def is_receiving(self) -> bool:
        return self.listens

    def receive(self, data: bytes) -> None:
        self.bytes += data

    def set_input(self, pin: int, high: bool) -> None:
        assert pin == 3
        self.edges.append(high)


def line_to(chip: Chip, bus: FakeBus, faults: LinkFaults = NO_FAULTS) -> SerialLine:
    return SerialLine(bus, chip, chip, 3, BAUD, faults)


def test_bytes_come_one_after_the_other_and_move_the_pin() -> None:
    chip, bus = Chip(), FakeBus()
    line = line_to(chip, bus)
    line.send(b"abc")
    bus.run_us(1.5 * BYTE_US)
    assert chip.bytes == b"ab"
    bus.run_us(2 * BYTE_US)
    assert chip.bytes == b"abc"
    assert chip.edges == [True, False, True, False, True, False, True]  # idle, then each start bit
    assert line.last_byte_ns / 1000 == pytest.approx(3 * BYTE_US, abs=1)


def test_what_nobody_listens_to_is_lost_but_its_edge_is_seen() -> None:
    chip, bus = Chip(), FakeBus()
    line = line_to(chip, bus)
    chip.listens = False
    line.send(b"a")
    bus.run_us(BYTE_US)
    chip.listens = True
    line.send(b"b")
    bus.run_us(BYTE_US)
    assert chip.bytes == b"b"
    assert chip.edges.count(False) == 2


@pytest.mark.parametrize(
    ("faults", "least", "most"),
    [
        (LinkFaults(loss=0.3), 560, 840),
        (LinkFaults(duplication=0.3), 1160, 1440),
        (LinkFaults(delay_us=50), 1000, 1000),
    ],
)
def test_faults_come_at_their_rate(faults: LinkFaults, least: int, most: int) -> None:
    chip, bus = Chip(), FakeBus()
    line = line_to(chip, bus, faults)
    for _ in range(1000):
        line.send(b"x")
        bus.run_us(3 * BYTE_US)
    assert least <= len(chip.bytes) <= most


def test_noise_flips_one_bit_of_a_byte_and_the_seed_says_which() -> None:
    first, second = (noisy(seed=4) for _ in range(2))
    assert first == second
    assert first != noisy(seed=5)
    flips = [(byte ^ 0x55).bit_count() for byte in first]
    assert set(flips) == {0, 1}
    assert 60 <= sum(flips) <= 140


def noisy(seed: int) -> bytes:
    chip, bus = Chip(), FakeBus()
    line_to(chip, bus, LinkFaults(noise=0.1, seed=seed)).send(b"\x55" * 1000)
    bus.run_us(1001 * BYTE_US)
    return bytes(chip.bytes)
