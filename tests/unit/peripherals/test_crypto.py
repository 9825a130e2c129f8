"""CRYP and HASH: RM0090 chapters 23 and 25; the figures of FIPS 197, FIPS 46-3, SP 800-38A."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from boardless_sim.boards.board import Board
from boardless_sim.chips.stm32f4 import stm32f4
from boardless_sim.peripherals import rcc
from boardless_sim.peripherals.crypto import cryp
from boardless_sim.peripherals.crypto import hash as digest
from boardless_sim.peripherals.crypto.cryp import Cryp
from boardless_sim.peripherals.crypto.data_swap import swapped
from boardless_sim.peripherals.crypto.hash import Hash
from tests.unit.boards.probed_board import ProbedBoard
from tests.unit.fake_bus import FakeBus

IRQ = 79
PLAIN = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY = bytes(range(32))


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[n : n + 4], "big") for n in range(0, len(data), 4)]


@pytest.fixture(name="bus")
def bus_fixture() -> FakeBus:
    return FakeBus()


@pytest.fixture(name="device")
def device_fixture(bus: FakeBus) -> Cryp:
    device = Cryp("CRYP", IRQ)
    bus.place(0x5006_0000, device)
    return device


def set_key(device: Cryp, key: bytes) -> None:
    """The end of the key is in K3 for AES; the first of three in K1 for DES."""
    first = cryp.IV0LR - len(key) if len(key) % 8 == 0 and len(key) >= 16 else cryp.K0LR + 8
    for n, word in enumerate(words(key)):
        device.write(first + 4 * n, 4, word)


def process(bus: FakeBus, device: Cryp, control: int, data: bytes) -> bytes:
    device.write(cryp.CR, 4, control | cryp.CR_CRYPEN)
    out = b""
    for word in words(data):
        device.write(cryp.DIN, 4, word)
        bus.run(60)
        while device.read(cryp.SR, 4) & cryp.SR_OFNE:
            out += device.read(cryp.DOUT, 4).to_bytes(4, "big")
    device.write(cryp.CR, 4, 0)
    return out


@pytest.mark.fidelity(device="CRYP", source="RM0090 23.3")
@pytest.mark.parametrize(("size", "bits", "cipher"), [
    (0, 128, "69c4e0d86a7b0430d8cdb78070b4c55a"), (1, 192, "dda97ca4864cdfe06eaf70a0ec0d7191"),
    (2, 256, "8ea2b7ca516745bfeafc49904b496089"),
])  # fmt: skip
def test_aes_both_ways(bus: FakeBus, device: Cryp, size: int, bits: int, cipher: str) -> None:
    """FIPS 197, appendix C; a key is prepared before it decrypts (23.3.3)."""
    set_key(device, KEY[: bits // 8])
    mode = cryp.AES_ECB << 3 | size << 8
    assert process(bus, device, mode, PLAIN).hex() == cipher
    device.write(cryp.CR, 4, cryp.AES_KEY << 3 | size << 8 | cryp.CR_CRYPEN)
    assert device.read(cryp.SR, 4) & cryp.SR_BUSY
    bus.run(20)
    assert not device.read(cryp.SR, 4) & cryp.SR_BUSY
    assert not device.read(cryp.CR, 4) & cryp.CR_CRYPEN
    assert process(bus, device, mode | cryp.CR_DECRYPT, bytes.fromhex(cipher)) == PLAIN


@pytest.mark.fidelity(device="CRYP", source="RM0090 23.3")
def test_a_key_that_was_not_prepared_is_said(bus: FakeBus, device: Cryp) -> None:
    set_key(device, KEY[:16])
    process(bus, device, cryp.AES_ECB << 3 | cryp.CR_DECRYPT, PLAIN)
    assert bus.log == ["CRYP_CR AES decryption without a prepared key"]


@pytest.mark.fidelity(device="CRYP", source="RM0090 23.3")
@pytest.mark.parametrize(("mode", "vector", "cipher"), [
    (cryp.AES_CBC, "000102030405060708090a0b0c0d0e0f",
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"),
    (cryp.AES_CTR, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"),
])  # fmt: skip
def test_chained(bus: FakeBus, device: Cryp, mode: int, vector: str, cipher: str) -> None:
    """SP 800-38A, F.2.1 and F.5.1: two blocks."""
    set_key(device, bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    for n, word in enumerate(words(bytes.fromhex(vector))):
        device.write(cryp.IV0LR + 4 * n, 4, word)
    plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    assert process(bus, device, mode << 3, bytes.fromhex(plain)).hex() == cipher


@pytest.mark.fidelity(device="CRYP", source="RM0090 23.3")
def test_des_and_three_of_it(bus: FakeBus, device: Cryp) -> None:
    """With three equal keys TDES is DES."""
    key, plain = bytes.fromhex("133457799bbcdff1"), bytes.fromhex("0123456789abcdef")
    cipher = bytes.fromhex("85e813540f0ab405")
    set_key(device, key)
    assert process(bus, device, cryp.DES_ECB << 3, plain) == cipher
    assert process(bus, device, cryp.DES_ECB << 3 | cryp.CR_DECRYPT, cipher) == plain
    set_key(device, key * 3)
    assert process(bus, device, cryp.TDES_ECB << 3, plain) == cipher


@pytest.mark.parametrize(("kind", "result"), [
    (0, 0x12345678), (1, 0x56781234), (2, 0x78563412), (3, 0x1E6A2C48),
])  # fmt: skip
def test_words_are_turned(kind: int, result: int) -> None:
    assert swapped(0x12345678, kind) == result


@pytest.mark.fidelity(device="CRYP", source="RM0090 23.6.10")
def test_interrupts_of_the_fifos(bus: FakeBus, device: Cryp) -> None:
    device.write(cryp.IMSCR, 4, cryp.OUTPUT)
    device.write(cryp.CR, 4, cryp.AES_ECB << 3 | cryp.CR_CRYPEN)
    for word in words(PLAIN):
        device.write(cryp.DIN, 4, word)
    assert not bus.irqs.get(IRQ)
    bus.run(14)
    assert bus.irqs[IRQ]
    for _ in range(4):
        device.read(cryp.DOUT, 4)
    assert dict(bus.irqs)[IRQ] is False


# HASH


@pytest.fixture(name="hasher")
def hasher_fixture(bus: FakeBus) -> Hash:
    hasher = Hash("HASH", 80)
    bus.place(0x5006_0400, hasher)
    return hasher


def feed(bus: FakeBus, hasher: Hash, text: bytes) -> None:
    """Bytes as they lie in memory; NBLW counts the bits of the last word."""
    padded = text + bytes(-len(text) % 4)
    for n in range(0, len(padded), 4):
        hasher.write(digest.DIN, 4, int.from_bytes(padded[n : n + 4], "little"))
    hasher.write(digest.STR, 4, 8 * (len(text) % 4) | digest.STR_DCAL)
    assert hasher.read(digest.SR, 4) & digest.SR_BUSY
    bus.run(2000)


def result_of(hasher: Hash, size: int) -> bytes:
    first = digest.HR0 if size <= 20 else digest.HR0_WIDE
    return b"".join(hasher.read(first + n, 4).to_bytes(4, "big") for n in range(0, size, 4))


@pytest.mark.fidelity(device="HASH", source="RM0090 25.3")
@pytest.mark.parametrize(("name", "bits"), [
    ("sha1", 0), ("md5", 1 << 7), ("sha224", 1 << 18), ("sha256", 1 << 18 | 1 << 7),
])  # fmt: skip
@pytest.mark.parametrize("text", [b"abc", b"", b"The quick brown fox jumps over the lazy dog" * 3])
def test_a_digest(bus: FakeBus, hasher: Hash, name: str, bits: int, text: bytes) -> None:
    """25.3.3: bytes are swapped by DATATYPE 2, NBLW says what of the last word counts."""
    hasher.write(digest.IMR, 4, digest.SR_DCIS)
    hasher.write(digest.CR, 4, bits | 2 << 4 | digest.CR_INIT)
    feed(bus, hasher, text)
    wanted = hashlib.new(name, text).digest()
    assert result_of(hasher, len(wanted)) == wanted
    assert bus.irqs[80]


@pytest.mark.fidelity(device="HASH", source="RM0090 25.3.4")
def test_an_hmac_has_the_key_twice(bus: FakeBus, hasher: Hash) -> None:
    hasher.write(digest.CR, 4, 2 << 4 | digest.CR_HMAC | digest.CR_INIT)
    for part in (b"key of 9", b"a message", b"key of 9"):
        assert not hasher.read(digest.SR, 4) & digest.SR_DCIS
        feed(bus, hasher, part)
    assert result_of(hasher, 20) == hmac.new(b"key of 9", b"a message", "sha1").digest()


@pytest.mark.fidelity(device="HASH", source="RM0090 25.3.5")
def test_the_end_of_a_dma_starts_the_digest(bus: FakeBus, hasher: Hash) -> None:
    left = [int.from_bytes(b"abcd", "little")]

    def serve(request: str, units: int) -> int:
        if not left:
            return 0
        hasher.write(digest.DIN, 4, left.pop())
        return 1

    bus.serve = serve
    hasher.write(digest.CR, 4, 2 << 4 | digest.CR_DMAE | digest.CR_INIT)
    bus.run(2000)
    assert result_of(hasher, 20) == hashlib.sha1(b"abcd", usedforsecurity=False).digest()


@pytest.fixture(name="board")
def board_fixture(tmp_path: Path) -> Iterator[ProbedBoard]:
    probed = ProbedBoard(tmp_path, Board("417", stm32f4("stm32f417vg"), 8_000_000))
    yield probed
    probed.engine.close()


GATED = [("CRYP", cryp.IV0LR, 4), ("HASH", digest.STR, 5)]


@pytest.mark.fidelity(device=GATED, behaviour="dead while unclocked", source="RM0090 2.3")
@pytest.mark.parametrize(("device", "offset", "bit"), GATED)
def test_dead_while_gated(board: ProbedBoard, device: str, offset: int, bit: int) -> None:
    board.write(device, offset, 8)
    board.enable(rcc.AHB2ENR, bit)
    assert board.read(device, offset) == 0
    board.write(device, offset, 8)
    assert board.read(device, offset) == 8
