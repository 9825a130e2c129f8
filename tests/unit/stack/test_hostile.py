"""A damaged ELF gives a report or an error of ours, and soon; never a traceback."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from boardless.stack import StackAnnotations, analyse_stack, suggest
from boardless_sim.errors import BoardlessError
from tests.unit.stack.conftest import Corpus

MUTATIONS = 150
LONGEST_S = 10.0


@pytest.mark.long
@pytest.mark.parametrize("source", ["shapes.c", "objects.cpp"])
def test_mutations_end_in_a_report_or_in_an_error_of_ours(
    corpus: Corpus, source: str, tmp_path: Path
) -> None:
    whole = corpus(source, "-Os").read_bytes()
    chance = random.Random(20261121)
    damaged = tmp_path / "damaged.elf"
    for number in range(MUTATIONS):
        damaged.write_bytes(mutated(whole, chance))
        start = time.process_time()
        assert "\n" not in refusal(damaged), number
        assert time.process_time() - start < LONGEST_S, number


def refusal(elf: Path) -> str:
    """What is said of an ELF that cannot be analysed; nothing where it can."""
    try:
        suggest(analyse_stack(elf, StackAnnotations()))
    except BoardlessError as error:
        return str(error)
    return ""


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """Bytes, words or runs replaced anywhere, in the headers, or the end cut off."""
    data = bytearray(whole)
    kind = chance.randrange(5)
    if kind == 0:
        return bytes(data[: chance.randrange(len(data))])
    for _ in range(chance.choice((1, 4, 64, 1024))):
        at = chance.randrange(len(data) - 8)
        if kind == 1:
            at = chance.randrange(52)
        elif kind == 2:
            at = len(data) - 1 - chance.randrange(min(len(data) - 8, 24 * 40)) - 7
        data[at : at + 4] = chance.choice(
            (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x80", chance.randbytes(4))
        )
    return bytes(data)


def test_code_that_is_noise_ends(corpus: Corpus, tmp_path: Path) -> None:
    whole = bytearray(corpus("shapes.c", "-Os").read_bytes())
    whole[0x1040:0x5000] = random.Random(7).randbytes(0x3FC0)
    noise = tmp_path / "noise.elf"
    noise.write_bytes(whole)
    start = time.process_time()
    analyse_stack(noise, StackAnnotations())
    assert time.process_time() - start < LONGEST_S
