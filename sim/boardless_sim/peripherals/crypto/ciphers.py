"""AES and DES, a block at a time (FIPS 197, FIPS 46-3), for what CRYP computes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


def _multiply(a: int, b: int) -> int:
    """In GF(2^8) by x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2)."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def _make_sbox() -> bytes:
    """The inverse, then the affine transformation of 5.1.1."""
    box = bytearray(256)
    for value in range(256):
        inverse = next((n for n in range(256) if _multiply(value, n) == 1), 0)
        spread = 0x63
        for turn in range(5):
            spread ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        box[value] = spread
    return bytes(box)


@lru_cache(maxsize=1)
def _boxes() -> tuple[bytes, bytes]:
    box = _make_sbox()
    return box, bytes(box.index(value) for value in range(256))


@lru_cache(maxsize=8)
def _round_keys(key: bytes) -> tuple[bytes, ...]:
    box, words, length = _boxes()[0], [key[n : n + 4] for n in range(0, len(key), 4)], len(key) // 4
    factor = 1
    for number in range(length, 4 * (length + 7)):
        word = words[-1]
        if number % length == 0:
            word = bytes(box[byte] for byte in word[1:] + word[:1])
            word = bytes([word[0] ^ factor]) + word[1:]
            factor = _multiply(factor, 2)
        elif length > 6 and number % length == 4:
            word = bytes(box[byte] for byte in word)
        words.append(bytes(a ^ b for a, b in zip(words[-length], word, strict=True)))
    return tuple(b"".join(words[n : n + 4]) for n in range(0, len(words), 4))


def _mix(state: Sequence[int], factors: Sequence[int]) -> list[int]:
    mixed = []
    for column in range(0, 16, 4):
        for row in range(4):
            value = 0
            for n in range(4):
                value ^= _multiply(state[column + n], factors[(n - row) % 4])
            mixed.append(value)
    return mixed


def aes_encrypt(key: bytes, block: bytes) -> bytes:
    """One block of 16 bytes."""
    box, keys = _boxes()[0], _round_keys(key)
    state = [a ^ b for a, b in zip(block, keys[0], strict=True)]
    for number, round_key in enumerate(keys[1:], 1):
        state = [box[state[(n + 4 * (n % 4)) % 16]] for n in range(16)]
        if number < len(keys) - 1:
            state = _mix(state, (2, 3, 1, 1))
        state = [a ^ b for a, b in zip(state, round_key, strict=True)]
    return bytes(state)


def aes_decrypt(key: bytes, block: bytes) -> bytes:
    """The inverse."""
    box, keys = _boxes()[1], _round_keys(key)
    state = [a ^ b for a, b in zip(block, keys[-1], strict=True)]
    for number in range(len(keys) - 2, -1, -1):
        state = [box[state[(n - 4 * (n % 4)) % 16]] for n in range(16)]
        state = [a ^ b for a, b in zip(state, keys[number], strict=True)]
        if number:
            state = _mix(state, (14, 11, 13, 9))
    return bytes(state)


# The tables of FIPS 46-3: bits are numbered from 1, the highest first.
_IP = [first - 8 * n for first in (58, 60, 62, 64, 57, 59, 61, 63) for n in range(8)]
_E = [(4 * group + n - 1) % 32 + 1 for group in range(8) for n in range(6)]
_P = [16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19,
      13, 30, 6, 22, 11, 4, 25]  # fmt: skip
_PC1 = [57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3,
        60, 52, 44, 36, 63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45,
        37, 29, 21, 13, 5, 28, 20, 12, 4]  # fmt: skip
_PC2 = [14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, 41,
        52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29,
        32]  # fmt: skip
_S = (
    "e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d",
    "f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9",
    "a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c",
    "7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e",
    "2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453",
    "c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d",
    "4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c",
    "d2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b",
)
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)


def _permuted(value: int, width: int, places: Sequence[int]) -> int:
    result = 0
    for place in places:
        result = result << 1 | value >> (width - place) & 1
    return result


@lru_cache(maxsize=8)
def _des_keys(key: bytes) -> tuple[int, ...]:
    halves = _permuted(int.from_bytes(key, "big"), 64, _PC1)
    left, right = halves >> 28, halves & 0xFFF_FFFF
    keys = []
    for shift in _SHIFTS:
        left, right = (
            (half << shift | half >> (28 - shift)) & 0xFFF_FFFF for half in (left, right)
        )
        keys.append(_permuted(left << 28 | right, 56, _PC2))
    return tuple(keys)


def des(key: bytes, block: bytes, *, decrypt: bool) -> bytes:
    """One block of 8 bytes by a key of 8."""
    value = _permuted(int.from_bytes(block, "big"), 64, _IP)
    left, right = value >> 32, value & 0xFFFF_FFFF
    keys = _des_keys(key)
    for round_key in reversed(keys) if decrypt else keys:
        left, right = right, left ^ _des_round(right, round_key)
    last = right << 32 | left
    return _permuted(last, 64, [_IP.index(n) + 1 for n in range(1, 65)]).to_bytes(8, "big")


def _des_round(half: int, round_key: int) -> int:
    mixed, result = _permuted(half, 32, _E) ^ round_key, 0
    for number, box in enumerate(_S):
        six = mixed >> (42 - 6 * number) & 0x3F
        row, column = (six >> 4 & 2) | six & 1, six >> 1 & 0xF
        result = result << 4 | int(box[16 * row + column], 16)
    return _permuted(result, 32, _P)


def triple_des(keys: Sequence[bytes], block: bytes, *, decrypt: bool) -> bytes:
    """Encrypt, decrypt, encrypt by three keys; backwards the other way round."""
    order = reversed(keys) if decrypt else keys
    for number, key in enumerate(order):
        block = des(key, block, decrypt=decrypt is (number != 1))
    return block
