from __future__ import annotations

import pytest

from boardless_sim.faults.power_cut import PowerCut


class Memory:
    base, size = 0, 64

    def __init__(self) -> None:
        self.bytes = bytearray(b"\xff" * self.size)

    def read(self, address: int, size: int) -> bytes:
        return bytes(self.bytes[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        self.bytes[address : address + len(data)] = data

    def stall(self, cycles: int) -> None:
        raise AssertionError("nothing stalls here")


def test_operations_before_the_cut_are_whole_and_later_ones_nothing() -> None:
    memory = Memory()
    cut = PowerCut(memory, whole=2)
    for address in range(0, 24, 4):
        cut.write(address, bytes(4))
    assert memory.bytes[:8] == bytes(8)
    assert memory.bytes[12:] == b"\xff" * 52


@pytest.mark.parametrize("seed", range(20))
def test_a_word_that_was_cut_has_only_bits_of_both(seed: int) -> None:
    memory = Memory()
    memory.write(0, b"\xf0\xf0\xf0\xf0")
    PowerCut(memory, whole=0, seed=seed).write(0, b"\x30\x00\x10\xf0")
    for found, old, new in zip(memory.bytes, b"\xf0" * 4, b"\x30\x00\x10\xf0", strict=False):
        assert found & new == new
        assert found & old == found


def test_a_sector_that_was_cut_is_neither_whole_nor_erased() -> None:
    memory = Memory()
    memory.write(0, bytes(64))
    PowerCut(memory, whole=0).write(0, b"\xff" * 64)
    assert set(memory.bytes) == {0, 0xFF}
