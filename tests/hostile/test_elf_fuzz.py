"""Ten thousand damaged ELFs: each is measured or refused in one line, and none takes long."""

from __future__ import annotations

import datetime
import random
import resource
import struct
import time
from dataclasses import replace
from pathlib import Path

import pytest

from boardless.gate.decide import decide
from boardless.gate.evidence import VerdictBasis
from boardless.gate.stack_bound import stack_bound
from boardless.project.budgets import Budgets, SizeBudget
from boardless.project.config import Config
from boardless.project.model import ROLES, Role
from boardless.report.verdict.html import html
from boardless.report.verdict.markdown import LIMIT, markdown
from boardless.size.measure import measure
from boardless_sim.errors import AnalyserError, BoardlessError
from tests.unit.conftest import link
from tests.unit.default_chip import STM32F407VG

MUTANTS = 10_000
SLOWEST_S = 10
MOST_BYTES = 1 << 30
EVIDENCE = VerdictBasis(datetime.date(2026, 1, 1))
BUDGETS = Budgets(
    (
        SizeBudget("size.kernels", 1 << 20, what="symbol", patterns=("kernel_*",)),
        SizeBudget("size.source", 1 << 20, what="source", patterns=("small.c",)),
    )
)
CONFIG = Config(
    Path("boardless.toml"),
    STM32F407VG,
    stack_sections=(".stack",),
    budgets=BUDGETS,
    roles=tuple(Role(name, patterns) for name, patterns in ROLES.items()),
)
VALUES = (0, 1, 2, 4, 8, 40, 63, 64, 127, 128, 254, 255)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return link(tmp_path_factory.mktemp("fuzz"), "-g").read_bytes()


def places(raw: bytes) -> list[tuple[int, int]]:
    """Where a flipped byte does the most harm: headers, tables of symbols, lines, names."""
    start, count = struct.unpack_from("<I", raw, 32)[0], struct.unpack_from("<H", raw, 48)[0]
    found = [(0, 52), (52, 52 + 32 * 6), (start, start + 40 * count)]
    for index in range(count):
        offset, size = struct.unpack_from("<II", raw, start + 40 * index + 16)
        if size > 0 and offset + size <= len(raw):
            found.append((offset, offset + size))
    return found


def mutant(whole: bytes, spots: list[tuple[int, int]], dice: random.Random) -> bytes:
    raw = bytearray(whole)
    if dice.random() < 0.05:
        del raw[dice.randrange(len(raw)) :]
    for _ in range(dice.randint(1, 12)):
        start, end = dice.choice(spots[:3] if dice.random() < 0.5 else spots)
        place = dice.randrange(start, end)
        width = dice.choice((1, 1, 4))
        if place + width <= len(raw):
            raw[place : place + width] = bytes(dice.choice(VALUES) for _ in range(width))
    return bytes(raw)


def test_mutants_are_measured_or_refused(whole: bytes, tmp_path: Path) -> None:
    dice, spots = random.Random(7), places(whole)
    path = tmp_path / "mutant.elf"
    refused: list[str] = []
    slowest = 0.0
    for number in range(MUTANTS):
        path.write_bytes(mutant(whole, spots, dice))
        started = time.process_time()
        try:
            found = measure(path, CONFIG)
            evidence = replace(EVIDENCE, bound=stack_bound(found, CONFIG))
            verdict = decide(found, BUDGETS, evidence)
            verdict.as_json()
            if number % 10 == 0:
                assert len(markdown(verdict)) <= LIMIT
                html(verdict)
        except AnalyserError as error:
            pytest.fail(f"mutant {number}: {error}")
        except BoardlessError as error:
            refused.append(str(error))
        slowest = max(slowest, time.process_time() - started)
    assert MUTANTS // 20 < len(refused) < MUTANTS * 19 // 20
    assert [text for text in refused if not text.startswith(f"{path}: ")] == []
    assert [text for text in refused if not text.isprintable()] == []
    assert slowest < SLOWEST_S
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 < MOST_BYTES
