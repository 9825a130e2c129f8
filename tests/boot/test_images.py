"""The boot loader's parser on this machine, with sanitizers, against imgtool's images."""

from __future__ import annotations

import random
import struct
from collections import Counter
from pathlib import Path

import pytest

from tests.boot.signing import HEADER, make_key, public_key, sign
from tests.unit.gateway.host_program import REPOSITORY, build, run

HERE = Path(__file__).parent
MONOCYPHER = REPOSITORY / "build" / "monocypher"
SOURCES = (
    *("boot/boot_image.c", "boot/ed25519.c", "crypto/sha256.c", "crypto/sha512.c"),
    *("crypto/hmac_sha256.c", "../build/monocypher/monocypher.c"),
)
SLOT, BODY = 0x4000, 1500
TLVS = 0x0C + 0x90
FLIPS = 10_000


@pytest.fixture(name="program", scope="module")
def program_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("boot")
    # Another project's source is not held to this one's warnings.
    flags = (f"-isystem{MONOCYPHER}", "-Wno-conversion", "-Wno-shadow")
    return build(HERE / "check_images.c", SOURCES, folder, flags)


@pytest.fixture(name="key", scope="module")
def key_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("key"))


def check(program: Path, key: Path, slots: list[bytes]) -> list[str]:
    given = public_key(key) + b"".join(struct.pack("<I", len(each)) + each for each in slots)
    return run(program, given)


def image(key: Path, **options: object) -> bytes:
    body = random.Random(1).randbytes(BODY)
    return sign(key, body, SLOT, **options)  # type: ignore[arg-type]


def test_an_image_of_imgtool_is_accepted(program: Path, key: Path) -> None:
    confirmed = image(key, version="1.2.3+7", counter=5)
    fresh = image(key, version="2.0.0", counter=6, confirmed=False)
    assert check(program, key, [confirmed, fresh]) == [
        f"0 {1 << 56 | 2 << 48 | 3 << 32 | 7:x} 5 1",
        f"0 {2 << 56:x} 6 0",
    ]


def test_an_image_of_another_key_is_not(program: Path, key: Path, tmp_path: Path) -> None:
    other = make_key(tmp_path, "other")
    assert check(program, key, [image(other)])[0].startswith("-5 ")


def test_an_image_that_was_tried_and_never_confirmed_is_not(program: Path, key: Path) -> None:
    slot = bytearray(image(key, confirmed=False))
    slot[SLOT - 32] = 1  # copy_done
    assert check(program, key, [bytes(slot)])[0].startswith("-7 ")


def test_no_image_with_a_flipped_bit_is_accepted(program: Path, key: Path) -> None:
    good = image(key)
    chance = random.Random(2)
    used = HEADER + BODY + TLVS
    # Every bit of the header's fields and of the TLVs, then bits anywhere.
    places = [*range(8 * 32), *range(8 * (HEADER + BODY), 8 * used)]
    places += [chance.randrange(8 * used) for _ in range(FLIPS - len(places) + 500)]
    slots = []
    for place in places:
        slot = bytearray(good)
        slot[place // 8] ^= 1 << place % 8
        slots.append(bytes(slot))
    assert len(slots) >= FLIPS
    seen: Counter[int] = Counter()
    for start in range(0, len(slots), 1000):
        lines = check(program, key, slots[start : start + 1000])
        seen.update(int(line.split()[0]) for line in lines)
    assert seen[0] == 0
    assert set(seen) == {-1, -2, -3, -4, -5, -6}  # every check refuses some


def test_hostile_slots_stay_within_their_bytes(program: Path, key: Path) -> None:
    good, chance = image(key), random.Random(3)
    slots = []
    for _ in range(2000):
        slot = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            place = chance.choice([chance.randrange(32), chance.randrange(HEADER + BODY, SLOT)])
            slot[place] = chance.randrange(256)
        slots.append(bytes(slot))
    slots += [b"\xff" * SLOT, bytes(SLOT), chance.randbytes(SLOT)]
    assert all(int(line.split()[0]) <= 0 for line in check(program, key, slots))
    assert [line.split()[0] for line in check(program, key, slots[-3:])] == ["-1"] * 3
