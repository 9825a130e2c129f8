"""The firmware's hashes against the standard library's and the NIST's examples."""

from __future__ import annotations

import hashlib
import hmac
import random
import struct
from pathlib import Path

import pytest

from tests.unit.gateway.host_program import build, run

HERE = Path(__file__).parent
KEY = bytes(range(32))
# FIPS 180-4's examples, as the NIST publishes them with their digests.
NIST = {
    b"abc": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": (
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    b"": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"a" * 1_000_000: "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
}


@pytest.fixture(name="program", scope="module")
def program_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = ("crypto/sha256.c", "crypto/hmac_sha256.c")
    return build(HERE / "hash_messages.c", sources, tmp_path_factory.mktemp("crypto"))


def digests(program: Path, messages: list[bytes]) -> list[str]:
    given = KEY + b"".join(struct.pack("<I", len(each)) + each for each in messages)
    return run(program, given)


def test_the_examples_of_the_nist(program: Path) -> None:
    assert digests(program, list(NIST))[::2] == list(NIST.values())


def test_every_length_around_two_blocks(program: Path) -> None:
    messages = [random.Random(size).randbytes(size) for size in range(200)]
    found = digests(program, messages)
    assert found[::2] == [hashlib.sha256(each).hexdigest() for each in messages]
    assert found[1::2] == [hmac.new(KEY, each, hashlib.sha256).hexdigest() for each in messages]


def test_sha_512(tmp_path: Path) -> None:
    """The NIST's example "abc", and every length around two blocks."""
    program = build(HERE / "hash_messages_512.c", ["crypto/sha512.c"], tmp_path)
    messages = [b"abc", *(random.Random(size).randbytes(size) for size in range(300))]
    given = b"".join(struct.pack("<I", len(each)) + each for each in messages)
    found = run(program, given)
    assert found[0].startswith("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a")
    assert found == [hashlib.sha512(each).hexdigest() for each in messages]
